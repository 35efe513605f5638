"""The index of DICOM instances: one row each, with the attributes that searches look at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from airflow_healthcare_deid.emulator.dicomweb.attributes import Level
    from airflow_healthcare_deid.emulator.storage import Storage

# `summary` is DICOM JSON of what a search answers by default, so that most searches open no file.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store INTEGER NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
    study TEXT NOT NULL,
    series TEXT NOT NULL,
    sop TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    size INTEGER NOT NULL,
    header_size INTEGER NOT NULL,
    patient_name TEXT NOT NULL,
    patient_words TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    accession_number TEXT NOT NULL,
    referring_physician_name TEXT NOT NULL,
    study_date TEXT NOT NULL,
    modality TEXT NOT NULL,
    summary TEXT NOT NULL,
    create_time TEXT NOT NULL,
    UNIQUE (store, study, series, sop)
);
CREATE INDEX IF NOT EXISTS instances_in_order ON instances (store, number);
"""


class Identity(NamedTuple):
    """Which instance of a store.

    :param number: its place in the order of arrival, over all stores; never used twice.
    """

    number: int
    study: str
    series: str
    sop: str

    @property
    def uids(self) -> tuple[str, str, str]:
        """Study, series and instance: what identifies it in a store."""
        return self[1:]


class InstanceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the index knows of an instance, read from its file.

    :param patient_words: the words of ``patient_name``, as `words_of_name` writes them.
    :param header_size: bytes without the pixel data.
    :param summary: DICOM JSON text of the attributes a search answers by default.
    """

    study: str
    series: str
    sop: str
    transfer_syntax: str
    size: int
    header_size: int
    patient_name: str = ""
    patient_words: str = ""
    patient_id: str = ""
    accession_number: str = ""
    referring_physician_name: str = ""
    study_date: str = ""
    modality: str = ""
    summary: str = "{}"

    @property
    def attributes(self) -> dict[str, Any]:
        """The summary, by eight-digit tag."""
        read: dict[str, Any] = msgspec.json.decode(self.summary)
        return read

    @property
    def uids(self) -> tuple[str, str, str]:
        """Study, series and instance: what identifies it in a store."""
        return self.study, self.series, self.sop


class Size(msgspec.Struct, frozen=True):
    """How much a store, study or series holds."""

    studies: int
    series: int
    instances: int
    header_bytes: int
    pixel_bytes: int


_IDENTITY = ("study", "series", "sop")
_FIELDS = InstanceRecord.__struct_fields__
_INSERT, _REPLACE = (
    f"INSERT OR {clash} INTO instances (store, create_time, {', '.join(_FIELDS)})"  # noqa: S608  (columns of ours)
    f" VALUES ({', '.join('?' * (2 + len(_FIELDS)))})"
    for clash in ("IGNORE", "REPLACE")
)


class Instances:
    """The instances of all DICOM stores; a store is named by the key of its `Resource`."""

    def __init__(self, storage: Storage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock
        storage.ensure(_SCHEMA)

    def add(self, store: int, arrivals: Sequence[tuple[InstanceRecord, Path]], *, replace: bool = False) -> list[bool]:
        """Take files into a store; they are moved, not copied.

        :param arrivals: what the index keeps of each file, and where it is.
        :param replace: whether they take the place of instances with the same UIDs.
        :return: for each, whether it was taken; False if there was such an instance and it was left alone.
        """
        now, insert = self._clock().isoformat(), _REPLACE if replace else _INSERT
        with self._storage.write() as db:
            taken = [
                db.execute(insert, (store, now, *msgspec.structs.astuple(record))).rowcount > 0
                for record, _ in arrivals
            ]
            # Only now: if the store is gone, the rows fail and no file has moved.
            for (record, file), new in zip(arrivals, taken, strict=True):
                if new:
                    self._storage.keep(file, self.path(store, *record.uids))
        return taken

    def path(self, store: int, study: str, series: str, sop: str) -> Path:
        """Return where the file of an instance is, if there is such an instance."""
        return self._storage.blob_path(store, study, series, sop)

    def identities(self, store: int) -> Iterator[Identity]:
        """Yield the instances of a store in the order of their arrival, without what the index knows of them."""
        last = 0
        while rows := self._page(store, (), last, columns=", ".join(Identity._fields)):
            yield from (Identity(*row) for row in rows)
            last = rows[-1]["number"]

    def each(self, store: int, uids: Sequence[str] = ()) -> Iterator[InstanceRecord]:
        """Yield the instances of a store, study, series, or the one instance, in the order of their arrival.

        :param uids: study, series and instance UID, as many as are given.
        """
        last = 0
        while rows := self._page(store, uids, last):
            for row in rows:
                yield _record(row)
            last = rows[-1]["number"]

    def holds(self, store: int, uids: Sequence[str]) -> bool:
        """Tell whether a store has any instance of a study, series or instance."""
        return bool(self._page(store, uids, 0, limit=1))

    def search(
        self,
        store: int,
        level: Level,
        uids: Sequence[str],
        conditions: Iterable[tuple[str, Sequence[str]]],
        limit: int,
        offset: int,
    ) -> list[InstanceRecord]:
        """Return one instance for each study, series or instance that matches, oldest first.

        :param conditions: SQL conditions on columns of the index, with their values.
        """
        where, values = _within(store, uids)
        for condition, parameters in conditions:
            where += f" AND {condition}"
            values += tuple(parameters)
        group = ", ".join(_IDENTITY[: {"studies": 1, "series": 2, "instances": 3}[level]])
        rows = self._storage.read().execute(
            "SELECT * FROM instances WHERE number IN"  # noqa: S608  (columns of ours; values are bound)
            f" (SELECT MIN(number) AS first FROM instances WHERE {where} GROUP BY {group}"
            "  ORDER BY first LIMIT ? OFFSET ?) ORDER BY number",
            (*values, limit, offset),
        )
        return [_record(row) for row in rows]

    def modalities(self, store: int, study: str) -> list[str]:
        """Return the modalities in a study."""
        rows = self._storage.read().execute(
            "SELECT DISTINCT modality FROM instances WHERE store = ? AND study = ? AND modality != '' ORDER BY 1",
            (store, study),
        )
        return [row["modality"] for row in rows]

    def remove(self, store: int, record: InstanceRecord) -> None:
        """Remove an instance and its file."""
        with self._storage.write() as db:
            db.execute("DELETE FROM instances WHERE store = ? AND study = ? AND series = ? AND sop = ?",
                       (store, *record.uids))  # fmt: skip
        self.path(store, *record.uids).unlink(missing_ok=True)

    def size(self, store: int, uids: Sequence[str] = ()) -> Size:
        """Count what a store, study or series holds."""
        where, values = _within(store, uids)
        row = self._storage.read().execute(
            "SELECT COUNT(DISTINCT study), COUNT(DISTINCT study || ' ' || series), COUNT(*),"  # noqa: S608
            f" COALESCE(SUM(header_size), 0), COALESCE(SUM(size - header_size), 0) FROM instances WHERE {where}",
            values,
        )
        return Size(*row.fetchone())

    def _page(
        self, store: int, uids: Sequence[str], after: int, limit: int = 500, columns: str = "*"
    ) -> list[sqlite3.Row]:
        where, values = _within(store, uids)
        # The order of a whole store comes from its index; a part of it is found by its UIDs and sorted.
        number = "+number" if uids else "number"
        return self._storage.read().execute(
            f"SELECT {columns} FROM instances WHERE {where} AND {number} > ? ORDER BY {number} LIMIT ?",  # noqa: S608
            (*values, after, limit),
        ).fetchall()  # fmt: skip


def words_of_name(name: str) -> str:
    """Return the words of a person's name in lower case, each with a space before it: what a fuzzy search looks at."""
    return "".join(f" {word}" for word in re.split(r"[\^=,\s]+", name.casefold()) if word)


def _within(store: int, uids: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
    columns = _IDENTITY[: len(uids)]
    return " AND ".join(["store = ?", *(f"{column} = ?" for column in columns)]), (store, *uids)


def _record(row: sqlite3.Row) -> InstanceRecord:
    return InstanceRecord(**{name: row[name] for name in _FIELDS})
