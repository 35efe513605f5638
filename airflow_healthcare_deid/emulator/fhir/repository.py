"""Where FHIR resources are kept: every version a row, the current one marked, references indexed.

https://hl7.org/fhir/R4/http.html#versions. Each method is one transaction, unless the caller has one open.
"""

from __future__ import annotations

import base64
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.errors import Code, ServiceError
from airflow_healthcare_deid.emulator.fhir.codec import decode, encode
from airflow_healthcare_deid.emulator.fhir.references import local_references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_healthcare_deid.emulator.storage import Storage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fhir_versions (
    store INTEGER NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    updated INTEGER NOT NULL,
    current INTEGER NOT NULL,
    method TEXT NOT NULL,
    body BLOB,
    PRIMARY KEY (store, type, id, updated)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fhir_current ON fhir_versions (store, updated, type, id) WHERE current;
CREATE TABLE IF NOT EXISTS fhir_references (
    store INTEGER NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (store, target, type, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fhir_references_of ON fhir_references (store, type, id);
"""
_PAGE = 200


class Version(msgspec.Struct, frozen=True):
    """One version of a resource.

    :param updated: when it was written, in microseconds since 1970; also what orders and names versions.
    :param method: ``POST``, ``PUT`` or ``DELETE``, as a history bundle tells it.
    :param body: the resource as JSON; None when this version is a deletion.
    """

    type: str
    id: str
    updated: int
    method: str
    body: bytes | None

    @property
    def version_id(self) -> str:
        """The opaque ``meta.versionId``."""
        return base64.urlsafe_b64encode(str(self.updated).encode()).decode().rstrip("=")

    @property
    def last_updated(self) -> str:
        """``meta.lastUpdated``."""
        return instant(self.updated)

    def resource(self) -> dict[str, Any]:
        """Return the decoded resource of a version that is no deletion."""
        resource: dict[str, Any] = decode(self.body or b"{}")
        return resource


class TypeMetric(msgspec.Struct, frozen=True):
    """One row of ``FhirStoreMetrics``; sizes in bytes of JSON."""

    type: str
    count: int
    size: int
    versioned_size: int


class FhirRepository:
    """The versions of the resources of all FHIR stores; a store is its key in `Resources`.

    :param clock: tells the time, with its zone.
    """

    def __init__(self, storage: Storage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock
        storage.ensure(_SCHEMA)

    def put(self, store: int, resource: Mapping[str, Any], method: str, *, versioned: bool = True) -> Version:
        """Write a resource as its new current version.

        :param resource: with its ``resourceType`` and ``id``; its ``meta`` gets the new version and time.
        :param versioned: keep the version it replaces; without, that one is overwritten.
        :raises ServiceError: 404 if the store was deleted meanwhile.
        """
        kind, key = str(resource["resourceType"]), str(resource["id"])
        with self._storage.write() as db:
            updated = self._retire(db, store, kind, key, keep=versioned)
            version = Version(kind, key, updated, method, None)
            meta = resource.get("meta")
            stamped = {**resource, "meta": {**(meta if isinstance(meta, dict) else {}), **_stamp(version)}}
            version = msgspec.structs.replace(version, body=encode(stamped))
            self._insert(db, store, version)
            targets = {(store, kind, key, target) for target in local_references(stamped)}
            db.executemany("INSERT INTO fhir_references (store, type, id, target) VALUES (?, ?, ?, ?)", targets)
        return version

    def delete(self, store: int, kind: str, key: str, *, versioned: bool = True) -> None:
        """Delete a resource; its history stays unless the store keeps none."""
        with self._storage.write() as db:
            updated = self._retire(db, store, kind, key, keep=versioned)
            if versioned:
                self._insert(db, store, Version(kind, key, updated, "DELETE", None))

    def purge(self, store: int, kind: str, key: str) -> None:
        """Forget all versions but a current one that is no deletion."""
        with self._storage.write() as db:
            db.execute(
                "DELETE FROM fhir_versions WHERE store = ? AND type = ? AND id = ? AND (NOT current OR body IS NULL)",
                (store, kind, key),
            )

    def get(self, store: int, kind: str, key: str) -> Version | None:
        """Return the current version, which may be a deletion, or None."""
        return _one(self._query("store = ? AND type = ? AND id = ? AND current", (store, kind, key)))

    def exists(self, store: int, reference: str) -> bool:
        """Tell whether ``Type/id`` is there and not deleted."""
        kind, _, key = reference.partition("/")
        found = self.get(store, kind, key)
        return found is not None and found.body is not None

    def version(self, store: int, kind: str, key: str, version_id: str) -> Version | None:
        """Return one version by its ``versionId``."""
        return next((each for each in self.history(store, kind, key) if each.version_id == version_id), None)

    def history(self, store: int, kind: str, key: str) -> list[Version]:
        """Return all versions, newest first."""
        return list(self._query("store = ? AND type = ? AND id = ? ORDER BY updated DESC", (store, kind, key)))

    def referring(self, store: int, target: str) -> list[tuple[str, str]]:
        """Return type and id of the resources that refer to ``Type/id``."""
        rows = self._storage.read().execute(
            "SELECT type, id FROM fhir_references WHERE store = ? AND target = ? ORDER BY type, id", (store, target)
        )
        return [(row["type"], row["id"]) for row in rows]

    def scan(
        self,
        store: int,
        types: Sequence[str] = (),
        *,
        newest_first: bool = False,
        after: tuple[int, str, str] | None = None,
    ) -> Iterator[Version]:
        """Yield the current versions in the order of their last update; safe while others write.

        :param types: only these types; none means all.
        :param after: ``updated``, ``type`` and ``id`` of the one after which to start.
        """
        kinds = f" AND type IN ({', '.join('?' * len(types))})" if types else ""
        order, beyond = ("DESC", "<") if newest_first else ("ASC", ">")
        position = after or (2**62 if newest_first else -1, "", "")
        while True:
            page = list(
                self._query(
                    f"store = ? AND current AND body IS NOT NULL{kinds} AND (updated, type, id) {beyond} (?, ?, ?) "
                    f"ORDER BY updated {order}, type {order}, id {order} LIMIT {_PAGE}",
                    (store, *types, *position),
                )
            )
            yield from page
            if len(page) < _PAGE:
                return
            position = (page[-1].updated, page[-1].type, page[-1].id)

    def count(self, store: int, types: Sequence[str] = ()) -> int:
        """Return how many resources a store holds.

        :param types: only these types; none means all.
        """
        kinds = f" AND type IN ({', '.join('?' * len(types))})" if types else ""
        row = self._storage.read().execute(
            f"SELECT count(*) FROM fhir_versions WHERE store = ? AND current AND body IS NOT NULL{kinds}",  # noqa: S608
            (store, *types),
        )
        return int(row.fetchone()[0])

    def metrics(self, store: int) -> list[TypeMetric]:
        """Return number and size of the resources of each type."""
        rows = self._storage.read().execute(
            "SELECT type, sum(current AND body IS NOT NULL) AS count, "
            "sum(CASE WHEN current THEN coalesce(length(body), 0) ELSE 0 END) AS size, "
            "sum(CASE WHEN current THEN 0 ELSE coalesce(length(body), 0) END) AS versioned "
            "FROM fhir_versions WHERE store = ? GROUP BY type ORDER BY type",
            (store,),
        )
        return [TypeMetric(row["type"], row["count"], row["size"], row["versioned"]) for row in rows]

    def _query(self, where: str, parameters: tuple[Any, ...]) -> Iterator[Version]:
        # `where` is made of this module's own constants; every value is a parameter.
        sql = f"SELECT type, id, updated, method, body FROM fhir_versions WHERE {where}"  # noqa: S608
        for row in self._storage.read().execute(sql, parameters):
            yield Version(row["type"], row["id"], row["updated"], row["method"], row["body"])

    def _retire(self, db: sqlite3.Connection, store: int, kind: str, key: str, *, keep: bool) -> int:
        """Make room for a new current version; return its time, later than that of any other."""
        where = "WHERE store = ? AND type = ? AND id = ?"
        found = db.execute(f"SELECT max(updated) FROM fhir_versions {where}", (store, kind, key)).fetchone()  # noqa: S608
        last: int | None = found[0]
        if last is None:
            return micros(self._clock())
        change = "UPDATE fhir_versions SET current = 0" if keep else "DELETE FROM fhir_versions"
        db.execute(f"{change} {where} AND current", (store, kind, key))
        db.execute(f"DELETE FROM fhir_references {where}", (store, kind, key))  # noqa: S608
        return max(micros(self._clock()), last + 1)

    @staticmethod
    def _insert(db: sqlite3.Connection, store: int, version: Version) -> None:
        try:
            db.execute(
                "INSERT INTO fhir_versions (store, type, id, updated, current, method, body)"
                " VALUES (?, ?, ?, ?, 1, ?, ?)",
                (store, version.type, version.id, version.updated, version.method, version.body),
            )
        except sqlite3.IntegrityError:
            raise ServiceError(Code.NOT_FOUND, "The FHIR store was deleted meanwhile.") from None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(time: datetime) -> int:
    """Return the microseconds since 1970, exactly."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def instant(updated: int) -> str:
    """Write a time as the service does: ``2024-01-31T12:00:00.123456+00:00``.

    :param updated: microseconds since 1970.
    """
    return (_EPOCH + timedelta(microseconds=updated)).isoformat(timespec="microseconds")


def _stamp(version: Version) -> dict[str, str]:
    return {"lastUpdated": version.last_updated, "versionId": version.version_id}


def _one(versions: Iterator[Version]) -> Version | None:
    return next(versions, None)
