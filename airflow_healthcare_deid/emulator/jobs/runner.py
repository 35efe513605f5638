"""Runs jobs in threads, a few at a time; what needs much computing goes on to worker processes."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator.errors import Code, ServiceError
from airflow_healthcare_deid.emulator.jobs import find_job
from airflow_healthcare_deid.emulator.jobs.context import InterruptedWork, JobContext

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.operations import OperationRecord
    from airflow_healthcare_deid.emulator.state import State

logger = logging.getLogger(__name__)

_CONCURRENT_JOBS = 4


class JobRunner:
    """Does the work of operations."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._stopping = Event()
        self._threads = ThreadPoolExecutor(_CONCURRENT_JOBS, thread_name_prefix="healthcare-emulator-job")

    def submit(self, record: OperationRecord) -> Future[None]:
        """Start the work of an operation, or queue it behind that of earlier ones."""
        return self._threads.submit(self._run, record)

    def resume(self) -> None:
        """Take up the work that the last stop or crash left unfinished."""
        for record in self._state.operations.unfinished_work():
            self.submit(record)

    def interrupt(self) -> None:
        """Have all work stop at its next step; `resume` can take it up later."""
        self._stopping.set()

    def stop(self) -> None:
        """Interrupt all work and wait until it stands still."""
        self.interrupt()
        self._threads.shutdown(cancel_futures=True)

    def _run(self, record: OperationRecord) -> None:
        operations = self._state.operations
        try:
            context = JobContext(self._state, record, self._stopping)
            context.check()
            response = find_job(record.kind)(context)
        except InterruptedWork:
            return
        except ServiceError as error:
            operations.end_work(record, {"error": error.status()}, now=error.code is Code.CANCELLED)
        except Exception as error:  # noqa: BLE001  (a job must end, whatever went wrong in it)
            if self._stopping.is_set():  # the workers have stopped before this job has
                return
            # The type alone: the text of an exception from a parser may hold a patient's data.
            logger.error("Operation %s: unexpected %s", record.name, type(error).__name__)
            failure = ServiceError(Code.INTERNAL, f"Unexpected {type(error).__name__} in the emulator.")
            operations.end_work(record, {"error": failure.status()})
        else:
            operations.end_work(record, {"response": response})
