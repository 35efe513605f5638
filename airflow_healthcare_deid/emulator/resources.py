"""Datasets and the stores in them: DICOM stores and FHIR stores share one table and one set of rules."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.errors import already_exists, not_found, permission_denied
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_healthcare_deid.emulator.storage import Storage

StoreName = DicomStoreName | FhirStoreName

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    parent TEXT NOT NULL,
    owner INTEGER REFERENCES resources (key) ON DELETE CASCADE,
    body TEXT NOT NULL,
    policy TEXT
);
CREATE INDEX IF NOT EXISTS resources_of_parent ON resources (parent, collection, name);
"""

_KINDS = {"dicomStores": "DICOM store", "fhirStores": "FHIR store", "datasets": "dataset"}


class Resource(msgspec.Struct, frozen=True):
    """A dataset or a store as it stands.

    ``key`` is never used twice, so what hangs on it can't be inherited by a namesake created later.
    """

    key: int
    collection: str
    name: str
    body: dict[str, Any]
    policy: dict[str, Any] | None

    def message(self) -> dict[str, Any]:
        """Return the resource as the API shows it."""
        return {"name": self.name, **self.body}


def collection_of(name: DatasetName | StoreName) -> str:
    """Return ``datasets``, ``dicomStores`` or ``fhirStores``."""
    return str(name).split("/")[-2]


class Resources:
    """Creates, finds, changes and deletes datasets and stores."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.ensure(_SCHEMA)

    def create(self, name: DatasetName | StoreName, body: Mapping[str, Any]) -> Resource:
        """Create a dataset or a store.

        :raises ServiceError: 409 if it exists; 403 if the dataset a store belongs in does not.
        """
        collection = collection_of(name)
        owner = None
        if isinstance(name, DatasetName):
            parent = name.location_name
        else:
            parent = str(name.dataset_name)
            owner = self.dataset(name.dataset_name, f"healthcare.{collection}.create").key
        try:
            with self._storage.write() as db:
                db.execute(
                    "INSERT INTO resources (collection, name, parent, owner, body) VALUES (?, ?, ?, ?, ?)",
                    (collection, str(name), parent, owner, json.dumps(body)),
                )
        except sqlite3.IntegrityError:
            raise already_exists(_KINDS[collection], str(name)) from None
        return self._require(str(name))

    def find(self, name: DatasetName | StoreName) -> Resource | None:
        """Return a dataset or store, or None."""
        row = self._storage.read().execute("SELECT * FROM resources WHERE name = ?", (str(name),)).fetchone()
        return _resource(row) if row else None

    def by_key(self, key: int) -> Resource | None:
        """Return the resource that has this key, unless it was deleted."""
        row = self._storage.read().execute("SELECT * FROM resources WHERE key = ?", (key,)).fetchone()
        return _resource(row) if row else None

    def dataset(self, name: DatasetName, permission: str) -> Resource:
        """Return a dataset.

        :param permission: the IAM permission the call needs, such as ``healthcare.datasets.get``.
        :raises ServiceError: 403 if it does not exist.
        """
        found = self.find(name)
        if found is None:
            raise permission_denied(permission, str(name))
        return found

    def store(self, name: StoreName, permission: str) -> Resource:
        """Return a store.

        :raises ServiceError: 403 if its dataset does not exist, 404 if only the store does not.
        """
        found = self.find(name)
        if found is None:
            self.dataset(name.dataset_name, permission)
            raise not_found(_KINDS[collection_of(name)], str(name))
        return found

    def require(self, name: DatasetName | StoreName, permission: str) -> Resource:
        """Return a dataset or a store, or raise as `dataset` and `store` do."""
        return self.dataset(name, permission) if isinstance(name, DatasetName) else self.store(name, permission)

    def listing(self, parent: str, collection: str, after: str = "", limit: int = -1) -> list[Resource]:
        """Return the resources of a collection under a parent, by name.

        :param after: only names beyond this one.
        :param limit: at most so many; -1 is all.
        """
        rows = self._storage.read().execute(
            "SELECT * FROM resources WHERE parent = ? AND collection = ? AND name > ? ORDER BY name LIMIT ?",
            (parent, collection, after, limit),
        )
        return [_resource(row) for row in rows]

    def replace_body(self, resource: Resource, body: Mapping[str, Any]) -> Resource:
        """Put a new body in place of the old one."""
        with self._storage.write() as db:
            db.execute("UPDATE resources SET body = ? WHERE key = ?", (json.dumps(body), resource.key))
        return self._require(resource.name)

    def replace_policy(self, resource: Resource, policy: Mapping[str, Any]) -> None:
        """Put a new IAM policy in place of the old one."""
        with self._storage.write() as db:
            db.execute("UPDATE resources SET policy = ? WHERE key = ?", (json.dumps(policy), resource.key))

    def delete(self, resource: Resource) -> None:
        """Delete a dataset or store with all it holds: rows by cascade, then files."""
        owned = self._storage.read().execute("SELECT key FROM resources WHERE owner = ?", (resource.key,)).fetchall()
        with self._storage.write() as db:
            db.execute("DELETE FROM resources WHERE key = ?", (resource.key,))
        for key in (resource.key, *(row["key"] for row in owned)):
            self._storage.remove_blobs(key)

    def delete_all(self) -> None:
        """Delete every dataset with all it holds."""
        rows = self._storage.read().execute("SELECT * FROM resources WHERE collection = 'datasets'").fetchall()
        for row in rows:
            self.delete(_resource(row))

    def _require(self, name: str) -> Resource:
        row = self._storage.read().execute("SELECT * FROM resources WHERE name = ?", (name,)).fetchone()
        return _resource(row)


def _resource(row: sqlite3.Row) -> Resource:
    policy = json.loads(row["policy"]) if row["policy"] else None
    return Resource(row["key"], row["collection"], row["name"], json.loads(row["body"]), policy)
