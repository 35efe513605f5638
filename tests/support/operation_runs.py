"""A run of a DAG whose one task starts one operation, with what the emulator saw of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from demo.playground import SOURCE
from demo.processes import end, wait_until
from tests.support.airflow_runs import wait_for_run, wait_for_task

if TYPE_CHECKING:
    from demo.playground import Playground
    from tests.support.emulator_admin import EmulatorAdmin

TASK = "deidentify"


@dataclass
class Run:
    """One run of one of the DAGs, and what the emulator saw of it."""

    playground: Playground
    admin: EmulatorAdmin
    dag_id: str
    run_id: str
    earlier: frozenset[str]

    @property
    def operations(self) -> list[dict[str, Any]]:
        """The operations that were created since this run began."""
        return [o for o in self.playground.healthcare.deidentifications(SOURCE) if o["name"] not in self.earlier]

    @property
    def cancelled(self) -> list[bool]:
        return [o.get("error", {}).get("code") == 1 for o in self.operations]

    def wait_for(self, *states: str) -> str:
        return wait_for_task(self.playground.airflow, self.dag_id, self.run_id, TASK, *states, timeout=120)

    def wait_until_watched(self) -> None:
        """Wait until the trigger or the worker has looked at the operation."""
        wait_until(lambda: bool(self.operations), 60, "an operation")
        path = f"{self.operations[0]['name'].rpartition('/')[2]}$"
        wait_until(lambda: bool(self.admin.requests("GET", path)), 60, "a look at the operation")

    def kill_worker(self) -> None:
        """SIGKILL for the processes that run a task at this moment."""
        killed = self.playground.airflow.task_processes()
        assert killed
        end(killed)

    def finish(self) -> None:
        """Let every operation of the run end."""
        for operation in self.operations:
            if not operation.get("done"):
                self.admin.advance(operation["name"], done=True)

    def ends_as(self, state: str) -> None:
        assert wait_for_run(self.playground.airflow, self.dag_id, self.run_id, timeout=180) == state


@dataclass
class Starter:
    """Starts runs, and remembers them."""

    playground: Playground
    admin: EmulatorAdmin

    runs: list[Run] = field(default_factory=list)

    def __call__(self, dag_id: str) -> Run:
        """Start a run that has a destination of its own."""
        earlier = frozenset(o["name"] for o in self.playground.healthcare.deidentifications(SOURCE))
        run_id = self.playground.airflow.api.trigger(dag_id, {"destination": f"copy-{uuid.uuid4().hex[:8]}"})
        self.runs.append(Run(self.playground, self.admin, dag_id, run_id, earlier))
        return self.runs[-1]
