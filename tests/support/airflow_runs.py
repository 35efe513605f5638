"""Waiting for what happens inside a real Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.airflow_api import FINISHED
from demo.processes import wait_until

if TYPE_CHECKING:
    from demo.local_airflow import LocalAirflow


def wait_for_task(
    airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str, *states: str, timeout: float = 60
) -> str:
    """Wait until the task is in one of the states; returns it.

    :raises TimeoutError: the task stayed in another one; the message says in which.
    """
    seen: list[str | None] = [None]

    def arrived() -> bool:
        seen[0] = airflow.api.task_states(dag_id, run_id).get(task_id)
        return seen[0] in states

    try:
        wait_until(arrived, timeout, "")
    except TimeoutError:
        raise TimeoutError(f"{dag_id}.{task_id} is {seen[0]} and not {' or '.join(states)} after {timeout} s") from None
    return str(seen[0])


def wait_for_dag(airflow: LocalAirflow, dag_id: str, timeout: float = 120) -> None:
    """Wait until the file of the DAG was parsed, which may be a while after Airflow is ready.

    :raises TimeoutError: it was not; what is wrong with the files is in the message.
    """
    try:
        wait_until(lambda: dag_id in airflow.api.dag_ids(), timeout, "")
    except TimeoutError:
        raise TimeoutError(f"no DAG {dag_id} after {timeout} s: {airflow.api.import_errors()}") from None


def wait_for_run(airflow: LocalAirflow, dag_id: str, run_id: str, timeout: float = 120) -> str:
    """Wait until the run has ended; returns `success` or `failed`."""
    wait_until(lambda: airflow.api.run_state(dag_id, run_id) in FINISHED, timeout, f"the end of {dag_id} {run_id}")
    return airflow.api.run_state(dag_id, run_id)
