"""Airflow's components and the emulator die, stall and come back while a task waits; its one operation goes on.

Every case says how many operations the emulator has created by its end, and what became of each.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from airflow_healthcare_deid.operation import OperationStatus
from demo.local_airflow import TASKS_SERVER
from demo.processes import wait_until
from tests.e2e.conftest import DAGS
from tests.e2e.impatience import IMPATIENT
from tests.support.airflow_runs import wait_for_dag, wait_for_run, wait_for_task
from tests.support.operation_runs import PATIENCE, TASK, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from demo.playground import Playground
    from demo.processes import ManagedProcess
    from tests.support.emulator_admin import EmulatorAdmin

SUCCEEDED = OperationStatus.SUCCEEDED
FAULTS: list[dict[str, Any]] = [
    *({"status": status} for status in (429, 500, 502, 503, 504)),
    {"drop": "before"},
    {"drop": "after"},
    {"delay": 1},
]


@pytest.fixture(scope="module")
def dags_folder() -> Path:
    return DAGS / "durability"


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    return IMPATIENT


@pytest.fixture
def components(playground: Playground) -> dict[str, ManagedProcess]:
    return playground.airflow.components


@pytest.fixture
def runs(playground: Playground, admin: EmulatorAdmin) -> Iterator[dict[str, Run]]:
    """A run that waits in the triggerer, and one that waits in a worker."""
    admin.set_progression("manual", apiMethodName="Deidentify")
    with Run(playground, admin, "deferrable") as deferrable, Run(playground, admin, "synchronous") as synchronous:
        runs = {run.dag_id: run.start() for run in (deferrable, synchronous)}
        for run in runs.values():
            run.wait_until_watched()
        yield runs


def goes_on(run: Run, submissions: int = 1) -> None:
    """Wait until the operation is looked at again, let it end, and see that it was the only one.

    :param submissions: how many requests to start one the emulator remembers.
    """
    looks = len(run.admin.requests("GET", run.look))
    run.wait_for_request("GET", run.look, count=looks + 2)
    run.finish()
    run.ends("success", SUCCEEDED, submissions=submissions)


def test_triggerer_killed_and_restarted(runs: dict[str, Run], components: dict[str, ManagedProcess]) -> None:
    components["triggerer"].kill()
    components["triggerer"].start()
    for run in runs.values():
        goes_on(run)


def test_triggerer_stalled_so_that_another_takes_over(
    runs: dict[str, Run], components: dict[str, ManagedProcess], playground: Playground
) -> None:
    run = runs["deferrable"]
    components["triggerer"].pause()
    second = playground.airflow.add_triggerer()
    try:
        wait_until(lambda: run.log().count(") starting") == 2, PATIENCE, "the second triggerer's start")
        components["triggerer"].resume()
        # The first one finds that its trigger is another's now, and is told to stop it as if a user had acted.
        wait_until(lambda: "still waits" in run.log(), PATIENCE, "the first triggerer's leave")
        for run in runs.values():
            goes_on(run)
    finally:
        components["triggerer"].resume()
        second.stop()
        del components[second.name]


def test_triggerer_stalled_while_the_task_is_cleared(
    runs: dict[str, Run], components: dict[str, ManagedProcess]
) -> None:
    """The next try finds the operation running and goes on with it; the triggerer, which hears late, lets it."""
    run = runs["deferrable"]
    components["triggerer"].pause()
    try:
        run.clear()
        wait_until(lambda: run.log().count("as DEFERRED") == 2, PATIENCE, "the second try deferred")
    finally:
        components["triggerer"].resume()
    wait_until(lambda: "still waits" in run.log(), PATIENCE, "the end of the first try's trigger")
    for run in runs.values():
        goes_on(run)


def test_scheduler_killed_with_its_workers_and_restarted(
    runs: dict[str, Run], components: dict[str, ManagedProcess]
) -> None:
    components["scheduler"].kill()
    components["scheduler"].start()
    for run in runs.values():
        goes_on(run)


def test_emulator_killed_and_restarted(runs: dict[str, Run], playground: Playground) -> None:
    playground.emulator.kill()
    playground.emulator.start()
    for run in runs.values():
        # What it had remembered of requests died with it; its operations did not.
        goes_on(run, submissions=0)


def test_api_servers_killed_and_restarted(
    runs: dict[str, Run], components: dict[str, ManagedProcess], playground: Playground
) -> None:
    for name in ("api-server", TASKS_SERVER):
        components[name].kill()
        components[name].start()
    playground.airflow.wait_until_ready()
    goes_on(runs["deferrable"])
    # Airflow itself gives up a worker that cannot reach it for as long as heartbeats may fail.
    runs["synchronous"].finish()


def test_mapped_tasks_while_a_tenth_of_all_requests_fails(playground: Playground, admin: EmulatorAdmin) -> None:
    """All of them end as they should; the one that a user marks as failed is the only one that is cancelled."""
    admin.set_progression("manual", apiMethodName="Deidentify")
    airflow = playground.airflow
    with ExitStack() as stack:
        runs = [stack.enter_context(Run(playground, admin, "mapped")) for _ in range(5)]
        requests = [f"{run.source.dataset}(:deidentify|/operations/[0-9]+)|{run.destination.dataset}" for run in runs]
        for fault in FAULTS:
            admin.add_fault("", f"/({'|'.join(requests)})$", probability=0.1 / len(FAULTS), **fault)
        wait_for_dag(airflow, "mapped")
        run_id = airflow.api.trigger("mapped", {"pairs": [[str(run.source), str(run.destination)] for run in runs]})
        for run in runs:
            run.wait_until_watched()
        wait_for_task(airflow, "mapped", run_id, f"{TASK}[2]", "deferred", timeout=PATIENCE)
        path = f"/dags/mapped/dagRuns/{quote(run_id, safe='')}/taskInstances/{TASK}/2"
        airflow.api.request("PATCH", path, {"new_state": "failed"})
        marked = runs.pop(2)
        marked.wait_for_operations(OperationStatus.CANCELLED)
        for run in runs:
            run.finish()
        assert wait_for_run(airflow, "mapped", run_id, timeout=2 * PATIENCE) == "failed"
        states = airflow.api.task_states("mapped", run_id)
        assert [states[f"{TASK}[{index}]"] for index in range(5)] == [
            "failed" if index == 2 else "success" for index in range(5)
        ]
        assert [run.statuses() for run in runs] == [[SUCCEEDED]] * 4
