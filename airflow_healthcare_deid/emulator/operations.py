"""Long-running operations: what is known of each, and what a client may see of it.

Rules: discovery document (``Operation``, ``OperationMetadata``, ``ProgressCounter``, ``CancelOperationRequest``) and
Cloud Healthcare API, "Manage long-running operations": an operation lives under the dataset it reads, and stays
for 30 days after its end.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.errors import Code, ServiceError, not_found
from airflow_healthcare_deid.emulator.progression import Mode, Progression
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from airflow_healthcare_deid.emulator.resources import Resource
    from airflow_healthcare_deid.emulator.storage import Storage
    from airflow_healthcare_deid.resource_names import OperationName

METADATA_TYPE = "type.googleapis.com/google.cloud.healthcare.v1.OperationMetadata"
_COUNTERS = ("success", "failure", "pending", "secondarySuccess", "secondaryFailure")

# `payload` is what the work needs, keys included: it goes when the work ends.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS operations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    dataset INTEGER NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
    name TEXT NOT NULL UNIQUE,
    method TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT,
    progression TEXT NOT NULL,
    looks INTEGER NOT NULL DEFAULT 0,
    released INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    counter TEXT NOT NULL DEFAULT '{}',
    outcome TEXT,
    create_time TEXT NOT NULL,
    work_end_time TEXT,
    end_time TEXT
);
CREATE INDEX IF NOT EXISTS operations_of_dataset ON operations (dataset, number);
CREATE INDEX IF NOT EXISTS operations_by_end ON operations (end_time);
CREATE TABLE IF NOT EXISTS operation_items (
    operation INTEGER NOT NULL REFERENCES operations (number) ON DELETE CASCADE,
    item TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    PRIMARY KEY (operation, item)
) WITHOUT ROWID;
"""


class OperationRecord(msgspec.Struct, kw_only=True):
    """An operation as it is kept."""

    number: int
    id: str
    dataset: int
    name: str
    method: str
    kind: str
    payload: dict[str, Any] | None
    progression: Progression
    looks: int
    released: bool
    cancel_requested: bool
    counter: dict[str, int]
    outcome: dict[str, Any] | None
    create_time: datetime
    work_end_time: datetime | None
    end_time: datetime | None

    def message(self) -> dict[str, Any]:
        """Return the ``Operation`` as the API shows it: zero counters left out, numbers as strings."""
        done = self.end_time is not None
        metadata: dict[str, Any] = {
            "@type": METADATA_TYPE,
            "apiMethodName": self.method,
            "createTime": timestamp(self.create_time),
        }
        if self.end_time is not None:
            metadata["endTime"] = timestamp(self.end_time)
        metadata["logsUrl"] = self._logs_url()
        counter = {key: str(self.counter[key]) for key in _COUNTERS if self.counter.get(key)}
        if done:
            counter.pop("pending", None)
        if self.cancel_requested:
            metadata["cancelRequested"] = True
        if counter or done:
            metadata["counter"] = counter
        message: dict[str, Any] = {"name": self.name, "metadata": metadata}
        return {**message, "done": True, **(self.outcome or {})} if done else message

    def _logs_url(self) -> str:
        project = self.name.split("/")[1]
        query = f"operation.id%3D%22{self.id}%22"
        return f"https://console.cloud.google.com/logs/query;query={query}?project={project}"


class Operations:
    """The book of operations.

    :param clock: tells the time, with its zone.
    """

    def __init__(self, storage: Storage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock
        self._live: dict[int, Counter[str]] = {}
        self._live_lock = threading.Lock()
        self.progression = Progression()
        storage.ensure(_SCHEMA)

    def create(
        self,
        dataset: Resource,
        method: str,
        kind: str,
        payload: Mapping[str, Any] | None = None,
        outcome: Mapping[str, Any] | None = None,
    ) -> OperationRecord:
        """Enter a new operation.

        :param dataset: the dataset it reads.
        :param method: its ``apiMethodName``.
        :param kind: which job does the work, a key of `airflow_healthcare_deid.emulator.jobs.JOBS`.
        :param payload: what that job needs to know, kept until the work has ended.
        :param outcome: ``{"response": …}`` if the work was done before.
        """
        number = secrets.randbits(63) | 1 << 62
        now = self._clock()
        with self._storage.write() as db:
            cursor = db.execute(
                "INSERT INTO operations (id, dataset, name, method, kind, payload, progression, create_time,"
                " outcome, work_end_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(number),
                    dataset.key,
                    f"{dataset.name}/operations/{number}",
                    method,
                    kind,
                    json.dumps(payload) if payload is not None else None,
                    msgspec.json.encode(self.progression.for_method(method)).decode(),
                    now.isoformat(),
                    json.dumps(outcome) if outcome is not None else None,
                    now.isoformat() if outcome is not None else None,
                ),
            )
        return self.by_number(cursor.lastrowid or 0)

    def by_number(self, number: int) -> OperationRecord:
        """Return an operation by its internal number."""
        record = self._read(number)
        if record is None:
            raise ServiceError(Code.NOT_FOUND, "the operation is gone with its dataset")
        return self._seen(record)

    def by_id(self, identifier: str) -> OperationRecord:
        """Return an operation by its id alone, wherever it lives."""
        row = self._storage.read().execute("SELECT * FROM operations WHERE id = ?", (identifier,)).fetchone()
        if row is None:
            raise not_found("operation", identifier)
        return self._seen(_record(row))

    def get(self, name: OperationName, *, look: bool = False) -> OperationRecord:
        """Return an operation.

        :param look: whether this counts as a client's look, which mode ``polls`` counts.
        :raises ServiceError: 404 if there is none of that name, or its 30 days are over.
        """
        self._expire()
        row = self._storage.read().execute("SELECT * FROM operations WHERE name = ?", (str(name),)).fetchone()
        if row is None:
            raise not_found("operation", str(name))
        record = self._seen(_record(row))
        if look and record.end_time is None and record.progression.mode is Mode.POLLS:
            with self._storage.write() as db:
                db.execute("UPDATE operations SET looks = looks + 1 WHERE number = ?", (record.number,))
        return record

    def listing(self, dataset: Resource, before: int | None = None, limit: int = -1) -> list[OperationRecord]:
        """Return the operations of a dataset, newest first.

        :param before: only those whose internal number is lower.
        """
        self._expire()
        rows = self._storage.read().execute(
            "SELECT * FROM operations WHERE dataset = ? AND number < ? ORDER BY number DESC LIMIT ?",
            (dataset.key, before if before is not None else 2**62, limit),
        )
        return [self._seen(_record(row)) for row in rows]

    def unfinished_work(self) -> list[OperationRecord]:
        """Return the operations whose work has not ended, oldest first: what a restart takes up again."""
        rows = self._storage.read().execute("SELECT * FROM operations WHERE outcome IS NULL ORDER BY number")
        return [_record(row) for row in rows]

    def request_cancel(self, record: OperationRecord) -> None:
        """Ask for the end of an operation; if its work has ended but may not be seen yet, it ends here and now."""
        with self._storage.write() as db:
            db.execute("UPDATE operations SET cancel_requested = 1 WHERE number = ?", (record.number,))
            now = self._read(record.number)
            if now is not None and now.outcome is not None:
                self._finish(db, record.number, {"error": cancelled().status()})

    def advance(
        self,
        record: OperationRecord,
        *,
        done: bool,
        error: Mapping[str, Any] | None = None,
        counter: Mapping[str, int] | None = None,
    ) -> OperationRecord:
        """Push an operation from outside: show these counters, end with this error, or let its end be seen."""
        with self._storage.write() as db:
            if counter is not None:
                db.execute(
                    "UPDATE operations SET counter = ? WHERE number = ?", (json.dumps(dict(counter)), record.number)
                )
            if error is not None:
                self._finish(db, record.number, {"error": dict(error)})
            elif done:
                db.execute("UPDATE operations SET released = 1 WHERE number = ?", (record.number,))
        return self.by_number(record.number)

    def live_counter(self, record: OperationRecord) -> Counter[str]:
        """Return the counter that the running work of an operation moves; kept in memory until the work ends."""
        with self._live_lock:
            return self._live.setdefault(record.number, Counter())

    def end_work(self, record: OperationRecord, outcome: Mapping[str, Any], *, now: bool = False) -> None:
        """Note that the work has ended.

        :param outcome: ``{"response": …}`` or ``{"error": …}``.
        :param now: whether the end may be seen at once whatever the progression says, as after a cancel.
        """
        with self._live_lock:
            live = dict(self._live.get(record.number, {}))
        counter = {key: value for key, value in live.items() if key != "pending"}
        with self._storage.write() as db:
            db.execute(
                "UPDATE operations SET outcome = ?, payload = NULL, work_end_time = ?,"
                " counter = CASE WHEN counter = '{}' THEN ? ELSE counter END WHERE number = ? AND outcome IS NULL",
                (json.dumps(outcome), self._clock().isoformat(), json.dumps(counter), record.number),
            )
            db.execute("DELETE FROM operation_items WHERE operation = ?", (record.number,))
            current = self._read(record.number)
            if current is not None and current.cancel_requested:  # too late for the work to notice it
                self._finish(db, record.number, {"error": cancelled().status()})
            elif now:
                self._finish(db, record.number, outcome)
        with self._live_lock:  # only now: until the end is written, a look must still see the counters
            self._live.pop(record.number, None)

    def _seen(self, record: OperationRecord) -> OperationRecord:
        """Fill in live counters, and let the end be seen when its time has come."""
        if record.end_time is not None:
            return record
        if record.outcome is None:
            with self._live_lock:
                live = self._live.get(record.number)
                if live is not None:
                    record.counter = record.counter or dict(live)
                    return record
            # Not begun yet, or ended since the row was read.
            record = self._read(record.number) or record
            if record.outcome is None:
                return record
        if self._may_end(record):
            with self._storage.write() as db:
                self._finish(db, record.number, record.outcome)
            return self._read(record.number) or record
        return record

    def _read(self, number: int) -> OperationRecord | None:
        row = self._storage.read().execute("SELECT * FROM operations WHERE number = ?", (number,)).fetchone()
        return _record(row) if row else None

    def _may_end(self, record: OperationRecord) -> bool:
        progression = record.progression
        if self._clock() < record.create_time + timedelta(seconds=progression.min_seconds):
            return False
        if progression.mode is Mode.POLLS:
            return record.looks >= progression.polls
        return progression.mode is not Mode.MANUAL or record.released

    def _finish(self, db: sqlite3.Connection, number: int, outcome: Mapping[str, Any]) -> None:
        now = self._clock().isoformat()
        db.execute(
            "UPDATE operations SET outcome = ?, payload = NULL, end_time = ?,"
            " work_end_time = COALESCE(work_end_time, ?) WHERE number = ? AND end_time IS NULL",
            (json.dumps(outcome), now, now, number),
        )

    def _expire(self) -> None:
        days = load_rules("service")["operation_retention_days"]["value"]
        horizon = (self._clock() - timedelta(days=days)).isoformat()
        old = self._storage.read().execute("SELECT 1 FROM operations WHERE end_time < ? LIMIT 1", (horizon,)).fetchone()
        if old:
            with self._storage.write() as db:
                db.execute("DELETE FROM operations WHERE end_time < ?", (horizon,))


def cancelled() -> ServiceError:
    """Return what a cancelled operation carries."""
    return ServiceError(Code.CANCELLED, "The operation was cancelled.")


def timestamp(time: datetime) -> str:
    """Return a time as Google writes it: UTC, with a Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _record(row: sqlite3.Row) -> OperationRecord:
    values = dict(row)
    for key in ("payload", "counter", "outcome"):
        values[key] = json.loads(values[key]) if values[key] is not None else None
    values["progression"] = msgspec.json.decode(values["progression"], type=Progression)
    for key in ("released", "cancel_requested"):
        values[key] = bool(values[key])
    for key in ("create_time", "work_end_time", "end_time"):
        values[key] = datetime.fromisoformat(values[key]) if values[key] else None
    return OperationRecord(**values)
