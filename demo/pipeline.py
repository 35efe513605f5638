"""Running the demo's DAG through Airflow, and watching it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from demo.airflow_api import FINISHED
from demo.playground import SOURCE

if TYPE_CHECKING:
    from demo.console import Console
    from demo.playground import Playground

DAG = "example_dataset_pipeline"
GROUP = "research"
DEADLINE = 600
# What a task passes through within a moment says nothing to a person.
_PASSING = frozenset({None, "scheduled", "queued", "up_for_retry", "up_for_reschedule"})


class DemoFailedError(RuntimeError):
    """Something that the demo promises did not hold."""


def run_dag(playground: Playground, console: Console) -> dict[str, Any]:
    """Run the DAG to its end, showing how far it is; returns what its task `deidentify` returned.

    :raises DemoFailedError: it failed, or took too long.
    """
    api = playground.airflow.api
    run_id = api.trigger(DAG)
    deadline = time.monotonic() + DEADLINE
    seen: dict[str, str | None] = {}
    while (state := api.run_state(DAG, run_id)) not in FINISHED:
        if time.monotonic() > deadline:
            raise DemoFailedError(f"the DAG run is still {state} after {DEADLINE} s")
        seen = _tell(api.task_states(DAG, run_id), seen, console)
        if seen.get(f"{GROUP}.deidentify") == "deferred":
            console.move(_how_far(playground))
        time.sleep(0.5)
    seen = _tell(api.task_states(DAG, run_id), seen, console)
    if state != "success":
        failed = [task for task, state in seen.items() if state == "failed"]
        logs = [playground.airflow.task_log(DAG, run_id, task.partition("[")[0]) for task in failed]
        raise DemoFailedError("\n".join([f"the DAG run ended as {state}", *(e for log in logs for e in _errors(log))]))
    return dict(api.xcom(DAG, run_id, f"{GROUP}.deidentify"))


def counters(operation: dict[str, Any]) -> tuple[int, int, int]:
    """What an operation has done, failed at and left; the API sends numbers as text and leaves zeros out."""
    counter = operation["metadata"].get("counter", {})
    return int(counter.get("success", 0)), int(counter.get("failure", 0)), int(counter.get("pending", 0))


def _tell(states: dict[str, str | None], before: dict[str, str | None], console: Console) -> dict[str, str | None]:
    """Show the tasks whose state is new, and return the states."""
    for task, state in states.items():
        if state != before.get(task) and state not in _PASSING:
            console.step(f"  {task.removeprefix(f'{GROUP}.'):<20} {state}")
    return states


def _how_far(playground: Playground) -> str:
    numbers = [counters(operation) for operation in playground.healthcare.deidentifications(SOURCE)]
    done, failed, pending = (sum(column) for column in zip(*numbers, strict=True)) if numbers else (0, 0, 0)
    return f"  {done} of {done + failed + pending} instances and resources done"


def _errors(log: str) -> list[str]:
    """The errors of a task's log."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [
        f"{detail['exc_type']}: {detail['exc_value']}"
        for line in lines
        if line.get("level") == "error"
        for detail in line.get("error_detail", [])
    ]
