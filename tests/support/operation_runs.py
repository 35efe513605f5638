"""Runs of a DAG whose one task starts one operation, with what the emulator saw of each."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING

from airflow_healthcare_deid.operation import Operation, OperationStatus
from airflow_healthcare_deid.resource_names import DatasetName
from demo.healthcare import HealthcareClient
from demo.playground import SOURCE
from demo.processes import end, wait_until
from demo.samples import Sample
from tests.emulator.dicom_files import instance
from tests.support.airflow_runs import wait_for_dag, wait_for_run, wait_for_task

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from demo.playground import Playground
    from tests.support.emulator_admin import EmulatorAdmin

TASK = "deidentify"
PATIENCE = 180.0
"""Seconds; two Airflows may share two processors."""
_acting = threading.Lock()
"""Held by whoever changes something: Airflow's API server locks up when several do so at once over SQLite."""


class Run:
    """One run of one of the DAGs, over a source dataset of its own: runs side by side do not see each other.

    Made first, so that faults can be set for what it will request, and then started. At its end as a context manager
    whatever still runs for it is let go.
    """

    def __init__(self, playground: Playground, admin: EmulatorAdmin, dag_id: str) -> None:
        number = uuid.uuid4().hex[:8]
        self.airflow = playground.airflow
        self.admin = admin
        self.dag_id = dag_id
        self.run_id = ""
        self.source = DatasetName(SOURCE.project, SOURCE.location, f"source-{number}")
        self.destination = DatasetName(SOURCE.project, SOURCE.location, f"copy-{number}")
        self._healthcare = HealthcareClient(playground.emulator.url)
        store = self.source.dicom_store("images")
        self._healthcare.create_dicom_store(store)
        self._healthcare.store_instances(store, [Sample("ct", instance()), Sample("ct", instance())])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if error is not None:
                error.add_note(f"{self.dag_id} {self.run_id}:\n{self.log()[-6000:]}")
                self.finish()
        finally:
            self._healthcare.close()

    # What it will request, as regular expressions for faults ----------------------------------------------------------

    @property
    def submission(self) -> str:
        return f"/{self.source.dataset}:deidentify$"

    @property
    def look(self) -> str:
        return f"/{self.source.dataset}/operations/[0-9]+$"

    @property
    def destination_itself(self) -> str:
        return f"/{self.destination.dataset}$"

    @property
    def destination_stores(self) -> str:
        return f"/{self.destination.dataset}/dicomStores$"

    # What it does -----------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        wait_for_dag(self.airflow, self.dag_id)
        conf = {"source": str(self.source), "destination": str(self.destination)}
        with _acting:
            self.run_id = self.airflow.api.trigger(self.dag_id, conf)
        return self

    def wait_for(self, *states: str) -> None:
        wait_for_task(self.airflow, self.dag_id, self.run_id, TASK, *states, timeout=PATIENCE)

    def wait_for_request(self, method: str, path: str, count: int = 1) -> None:
        """Wait until the emulator has received a request."""
        found = f"{count} of {method} {path}"
        wait_until(lambda: len(self.admin.requests(method, path)) >= count, PATIENCE, found)

    def wait_until_watched(self) -> None:
        """Wait until the trigger, or the worker, has looked at the operation twice."""
        self.wait_for_request("GET", self.look, count=2)

    def wait_until_deferred(self) -> None:
        """Wait until a trigger watches the operation."""
        self.wait_for("deferred")
        self.wait_until_watched()

    def kill_worker(self) -> None:
        """SIGKILL for the two processes that run the task at this moment: the task and its supervisor."""
        task = self.airflow.api.task_instance(self.dag_id, self.run_id, TASK)["id"]
        end([process for process in self.airflow.task_processes() if task in " ".join(process.cmdline())])

    def mark(self, state: str) -> None:
        with _acting:
            self.airflow.api.set_task_state(self.dag_id, self.run_id, TASK, state)

    def clear(self) -> None:
        with _acting:
            self.airflow.api.clear_task(self.dag_id, self.run_id, TASK)

    def delete(self) -> None:
        """Delete the run; Airflow wants it ended first."""
        with _acting:
            self.airflow.api.set_run_state(self.dag_id, self.run_id, "failed")
            self.airflow.api.delete_run(self.dag_id, self.run_id)

    def log(self) -> str:
        return self.airflow.task_log(self.dag_id, self.run_id, TASK)

    # What came of it --------------------------------------------------------------------------------------------------

    def operations(self) -> list[Operation]:
        """The operations on the source dataset, oldest first."""
        found = [Operation.from_dict(message) for message in self._healthcare.deidentifications(self.source)]
        return sorted(found, key=lambda operation: str(operation.create_time))

    def submissions(self) -> int:
        """How many requests to start an operation the emulator received."""
        return len(self.admin.requests("POST", self.submission))

    def statuses(self) -> list[OperationStatus]:
        return [operation.status for operation in self.operations()]

    def wait_for_operations(self, *statuses: OperationStatus) -> None:
        """Wait until the operations on the source dataset are these."""
        deadline = time.monotonic() + PATIENCE
        while self.statuses() != list(statuses):
            if time.monotonic() > deadline:
                raise TimeoutError(f"operations are {self.statuses()} and not {list(statuses)} after {PATIENCE:.0f} s")
            time.sleep(0.2)

    def finish(self) -> None:
        """Let every operation of the run end."""
        for operation in self.operations():
            if not operation.done:
                self.admin.advance(operation.name, done=True)

    def ends(self, state: str, *statuses: OperationStatus, submissions: int = 1) -> None:
        """Wait for the end of the run, and see how it ended, with which operations, and that nothing runs on.

        :param statuses: what became of each operation, the oldest first.
        :param submissions: how many requests to start one the emulator remembers.
        """
        assert wait_for_run(self.airflow, self.dag_id, self.run_id, timeout=2 * PATIENCE) == state
        self.wait_for_operations(*statuses)
        assert OperationStatus.RUNNING not in statuses
        assert self.submissions() == submissions
