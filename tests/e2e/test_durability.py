"""What dies, and what must not: each test counts the operations that the emulator created."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.playground import Playground
from demo.processes import wait_until
from tests.support.operation_runs import TASK, Starter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.emulator_admin import EmulatorAdmin
    from tests.support.operation_runs import Run

START = ":deidentify$"
# A worker that was killed is noticed by its missing heartbeats, a stalled triggerer too: within seconds here.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
}


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    with Playground(Path(__file__).parent / "dags", environment=IMPATIENT) as playground:
        playground.load_samples(lambda _: None)
        playground.connect()
        yield playground


@pytest.fixture
def start(playground: Playground, admin: EmulatorAdmin) -> Iterator[Starter]:
    admin.set_progression("manual", apiMethodName="Deidentify")
    starter = Starter(playground, admin)
    yield starter
    for run in starter.runs:
        run.finish()


def test_triggerer_killed_and_restarted(start: Starter) -> None:
    run = start("deferrable")
    run.wait_for("deferred")
    run.wait_until_watched()
    triggerer = start.playground.airflow.components["triggerer"]
    triggerer.kill()
    triggerer.start()
    run.finish()
    run.ends_as("success")
    assert run.cancelled == [False]


def test_scheduler_restarted_while_the_task_is_deferred(start: Starter) -> None:
    run = start("deferrable")
    run.wait_for("deferred")
    start.playground.airflow.components["scheduler"].restart()
    run.finish()
    run.ends_as("success")
    assert run.cancelled == [False]


def test_emulator_killed_and_restarted_while_the_task_is_deferred(start: Starter) -> None:
    run = start("deferrable")
    run.wait_for("deferred")
    run.wait_until_watched()
    start.playground.emulator.kill()
    start.playground.emulator.start()
    run.finish()
    run.ends_as("success")
    assert run.cancelled == [False]


def test_reply_lost_after_the_operation_was_accepted(start: Starter, admin: EmulatorAdmin) -> None:
    admin.add_fault("POST", START, drop="after", count=1)
    run = start("deferrable")
    run.wait_for("deferred")
    run.finish()
    run.ends_as("success")
    assert run.cancelled == [False]


@pytest.mark.parametrize("state", ["failed", "success"])
def test_task_marked_while_deferred_cancels_its_operation(start: Starter, state: str) -> None:
    run = start("deferrable")
    run.wait_for("deferred")
    run.wait_until_watched()
    start.playground.airflow.api.set_task_state("deferrable", run.run_id, TASK, state)
    wait_until(lambda: run.cancelled == [True], 60, "the operation cancelled")
    run.ends_as(state)
    assert len(run.operations) == 1


def test_task_cleared_while_deferred_cancels_its_operation_and_starts_anew(start: Starter) -> None:
    run = start("deferrable")
    run.wait_for("deferred")
    run.wait_until_watched()
    start.playground.airflow.api.clear_task("deferrable", run.run_id, TASK)
    wait_until(lambda: sorted(run.cancelled) == [False, True], 90, "a second operation in place of the first")
    run.finish()
    run.ends_as("success")
    assert len(run.operations) == 2


def test_run_marked_failed_and_deleted_while_its_task_is_deferred_cancels_the_operation(start: Starter) -> None:
    run = start("deferrable")
    run.wait_for("deferred")
    run.wait_until_watched()
    api = start.playground.airflow.api
    api.set_run_state("deferrable", run.run_id, "failed")
    api.delete_run("deferrable", run.run_id)
    wait_until(lambda: run.cancelled == [True], 60, "the operation cancelled")


def test_worker_killed_before_the_request(start: Starter, admin: EmulatorAdmin) -> None:
    fault = admin.add_fault("GET", "datasets/copy-", hold=True, count=1)
    run = start("deferrable")
    wait_until(lambda: bool(start.playground.airflow.task_processes()), 60, "a worker")
    run.wait_for("running")
    run.kill_worker()
    admin.release(fault)
    wait_until(lambda: bool(run.operations), 90, "an operation")
    run.finish()
    run.ends_as("success")
    assert run.cancelled == [False]


@pytest.mark.parametrize("mode", ["deferrable", "synchronous"])
def test_worker_killed_while_the_reply_is_held_back(start: Starter, admin: EmulatorAdmin, mode: str) -> None:
    fault = admin.add_fault("POST", START, hold=True, count=1)
    run = start(mode)
    wait_until(lambda: bool(run.operations), 60, "an operation")
    run.kill_worker()
    admin.release(fault)
    run.finish()
    run.ends_as("success")
    assert run.cancelled == [False]


def test_worker_killed_while_it_waits(start: Starter) -> None:
    run = start("synchronous")
    run.wait_until_watched()
    run.kill_worker()
    run.finish()
    run.ends_as("success")
    assert run.cancelled == [False]


def trigger_starts(run: Run) -> int:
    return run.playground.airflow.task_log(run.dag_id, run.run_id, TASK).count(") starting")


def test_triggerer_stalled_so_that_another_takes_over(start: Starter) -> None:
    run = start("deferrable")
    run.wait_for("deferred")
    run.wait_until_watched()
    airflow = start.playground.airflow
    airflow.components["triggerer"].pause()
    second = airflow.add_triggerer()
    try:
        wait_until(lambda: trigger_starts(run) == 2, 90, "the second triggerer")
        airflow.components["triggerer"].resume()
        run.finish()
        run.ends_as("success")
    finally:
        airflow.components["triggerer"].resume()
        second.stop()
        airflow.components["triggerer"].restart()
    assert run.cancelled == [False]
