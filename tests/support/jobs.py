"""Jobs that are stopped half way."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator.jobs.context import JobContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator.operations import OperationRecord
    from airflow_healthcare_deid.emulator.state import State


class StopsAfter(JobContext):
    """A context whose emulator stops, or whose operation is cancelled, after some resources.

    :param after: how many resources; it stops with the batch that has the last of them.
    :param error: what stops it then.
    """

    def __init__(self, state: State, record: OperationRecord, after: int, error: BaseException) -> None:
        super().__init__(state, record, threading.Event())
        self._left = after
        self._error = error

    @contextmanager
    def finishing(self) -> Iterator[dict[str, bool]]:
        """Count down."""
        with super().finishing() as done:
            yield done
        self._left -= len(done)

    def check(self) -> None:
        """Stop here, if it is time."""
        if self._left <= 0:
            raise self._error
