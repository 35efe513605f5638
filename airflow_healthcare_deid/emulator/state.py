"""All parts of one running emulator, as routes and jobs see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator.bigquery import Warehouse
from airflow_healthcare_deid.emulator.dicomweb.reader import Reader
from airflow_healthcare_deid.emulator.faults import FaultBook, RequestLog
from airflow_healthcare_deid.emulator.fhir.repository import FhirRepository
from airflow_healthcare_deid.emulator.instances import Instances
from airflow_healthcare_deid.emulator.jobs.runner import JobRunner
from airflow_healthcare_deid.emulator.jobs.workers import Workers
from airflow_healthcare_deid.emulator.operations import Operations
from airflow_healthcare_deid.emulator.progression import Progression
from airflow_healthcare_deid.emulator.resources import Resources
from airflow_healthcare_deid.emulator.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from starlette.requests import Request


class State:
    """The parts.

    :param data_dir: where to keep everything; None for a temporary directory.
    :param clock: tells the time, with its zone.
    """

    def __init__(self, data_dir: Path | None, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.storage = Storage(data_dir)
        self.resources = Resources(self.storage)
        self.operations = Operations(self.storage, clock)
        self.instances = Instances(self.storage, clock)
        self.fhir = FhirRepository(self.storage, clock)
        self.faults = FaultBook()
        self.requests = RequestLog(clock)
        self.workers = Workers()
        # Apart from those of the jobs: no request waits until text in the pixels of a hundred frames is found.
        self.request_workers = Workers()
        self.reader = Reader(self.request_workers)
        self.jobs = JobRunner(self)

    def reset(self) -> None:
        """Forget every dataset with all it holds, every fault and the log of requests."""
        self.faults.remove()
        self.operations.progression = Progression()
        self.resources.delete_all()
        Warehouse(self.storage.directory).clear()
        self.requests.clear()

    def close(self) -> None:
        """Stop all work, then let go of files and processes."""
        self.faults.release_all()
        # In this order: what the end of a worker makes fail must not be counted as a failure.
        self.jobs.interrupt()
        self.workers.stop()
        self.request_workers.stop()
        self.jobs.stop()
        self.storage.close()


def state_of(request: Request) -> State:
    """Return the state of the emulator that serves a request."""
    state: State = request.app.state.emulator
    return state
