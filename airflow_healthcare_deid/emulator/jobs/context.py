"""What a job sees of the emulator while it works."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.emulator.operations import cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from airflow_healthcare_deid.emulator.operations import OperationRecord
    from airflow_healthcare_deid.emulator.state import State

_CHECK_INTERVAL = 0.05


class InterruptedWork(BaseException):
    """The emulator is stopping: leave everything as it is."""


class JobContext:
    """The operation a job works for, with its progress.

    :param state: the emulator's parts: ``state.storage``, ``state.resources``, ``state.workers`` and so on.
    :param record: the operation.
    :param stopping: set when the emulator stops.
    """

    def __init__(self, state: State, record: OperationRecord, stopping: Event) -> None:
        self.state = state
        self.record = record
        self.payload: dict[str, Any] = record.payload or {}
        self._stopping = stopping
        self._counter = state.operations.live_counter(record)
        self._next_check = 0.0
        self._resume()

    def _resume(self) -> None:
        rows = self.state.storage.read().execute(
            "SELECT item, succeeded FROM operation_items WHERE operation = ?", (self.record.number,)
        )
        self.finished_items = {row["item"]: bool(row["succeeded"]) for row in rows}
        succeeded = sum(self.finished_items.values())
        self._counter.update(success=succeeded, failure=len(self.finished_items) - succeeded)

    def expect(self, resources: int) -> None:
        """Add to the resources still to do (``pending``); those finished before a restart are not among them."""
        self._counter["pending"] += resources

    @contextmanager
    def finishing(self) -> Iterator[dict[str, bool]]:
        """Open a transaction that finishes some resources: what is written for them, and that they are finished.

        So a kill at any moment leaves both or neither. Yields what to fill: whether a resource succeeded, by what
        identifies it within this operation.
        """
        done: dict[str, bool] = {}
        with self.state.storage.write() as db:
            yield done
            db.executemany(
                "INSERT OR REPLACE INTO operation_items (operation, item, succeeded) VALUES (?, ?, ?)",
                [(self.record.number, item, succeeded) for item, succeeded in done.items()],
            )
        counter, succeeded = self._counter, sum(done.values())
        # In one step, so that whoever looks meanwhile sees numbers that add up.
        dict.update(
            counter,
            success=counter["success"] + succeeded,
            failure=counter["failure"] + len(done) - succeeded,
            pending=counter["pending"] - len(done),
        )

    def fails_by_decree(self, item: str) -> bool:
        """Tell whether the progression's ``failShare`` wants this resource to fail."""
        return self.record.progression.fails(self.record.id, item)

    def check(self) -> None:
        """Stop here if the operation was cancelled or ended from outside, or the emulator stops; cheap to call often.

        :raises ServiceError: CANCELLED.
        """
        if self._stopping.is_set():
            raise InterruptedWork
        if time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + _CHECK_INTERVAL
        now = self.state.operations.by_number(self.record.number)
        if now.cancel_requested or now.end_time is not None:
            raise cancelled()
