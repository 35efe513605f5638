"""Workers die at every step of a task, replies get lost, users act on tasks that wait, and time runs out.

All cases share one Airflow and run at the same time, each over a source dataset of its own. Every case says how many
operations the emulator has created by its end, and what became of each; none may be running.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.operation import OperationStatus
from demo.processes import wait_until
from tests.e2e.conftest import DAGS
from tests.e2e.impatience import IMPATIENT
from tests.support.emulator_admin import EmulatorAdmin
from tests.support.operation_runs import PATIENCE, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from demo.playground import Playground

CANCELLED, SUCCEEDED = OperationStatus.CANCELLED, OperationStatus.SUCCEEDED
AT_ONCE = 4
"""Cases that run at the same time: more would only wait for the processors."""


def worker_killed_before_the_request(run: Run) -> None:
    held = run.admin.add_fault("GET", run.destination_itself, hold=True, count=1)
    run.start().wait_for_request("GET", run.destination_itself)
    run.kill_worker()
    run.admin.release(held)
    run.wait_until_watched()
    run.finish()
    run.ends("success", SUCCEEDED)


def worker_killed_and_the_request_never_accepted(run: Run) -> None:
    run.admin.add_fault("POST", run.submission, delay=5, drop="before", count=1)
    run.start().wait_for_request("POST", run.submission)
    run.kill_worker()
    run.wait_until_watched()
    run.finish()
    run.ends("success", SUCCEEDED, submissions=2)


def worker_killed_before_the_reply(run: Run) -> None:
    held = run.admin.add_fault("POST", run.submission, hold=True, count=1)
    run.start()
    run.wait_for_operations(OperationStatus.RUNNING)
    run.kill_worker()
    run.admin.release(held)
    run.wait_until_watched()
    run.finish()
    run.ends("success", SUCCEEDED)


def worker_killed_before_the_reply_and_the_operation_ends_meanwhile(run: Run) -> None:
    held = run.admin.add_fault("POST", run.submission, hold=True, count=1)
    run.start()
    run.wait_for_operations(OperationStatus.RUNNING)
    run.kill_worker()
    run.admin.release(held)
    run.finish()
    run.ends("success", SUCCEEDED)


def worker_killed_while_it_waits(run: Run) -> None:
    run.start().wait_until_watched()
    run.kill_worker()
    looks = len(run.admin.requests("GET", run.look))
    run.wait_for_request("GET", run.look, count=looks + 2)
    run.finish()
    run.ends("success", SUCCEEDED)


def worker_killed_as_it_takes_over_from_the_trigger(run: Run) -> None:
    held = run.admin.add_fault("GET", run.destination_stores, hold=True, count=1)
    run.start().wait_until_deferred()
    run.finish()
    run.wait_for_request("GET", run.destination_stores)
    run.kill_worker()
    run.admin.release(held)
    run.ends("success", SUCCEEDED)


def reply_lost_after_the_request_was_accepted(run: Run) -> None:
    run.admin.add_fault("POST", run.submission, drop="after", count=1)
    run.start().wait_until_watched()
    run.finish()
    run.ends("success", SUCCEEDED)


def task_marked_failed(run: Run) -> None:
    run.start().wait_until_watched()
    run.mark("failed")
    run.ends("failed", CANCELLED)


def task_marked_failed_before_the_reply(run: Run) -> None:
    held = run.admin.add_fault("POST", run.submission, hold=True, count=1)
    run.start()
    run.wait_for_operations(OperationStatus.RUNNING)
    run.mark("failed")
    run.ends("failed", CANCELLED)
    run.admin.release(held)


def task_marked_success(run: Run) -> None:
    run.start().wait_until_watched()
    run.mark("success")
    run.ends("success", CANCELLED)


def task_cleared(run: Run) -> None:
    """Cancelled and run anew; or gone on with, where the next try is faster than the triggerer."""
    run.start().wait_until_watched()
    run.clear()
    wait_until(lambda: len(run.operations()) == 2 or run.log().count("as DEFERRED") == 2, PATIENCE, "the next try")
    run.finish()
    if len(run.operations()) == 1:
        run.ends("success", SUCCEEDED)
    else:
        run.ends("success", CANCELLED, SUCCEEDED, submissions=2)


def run_marked_failed_and_deleted(run: Run) -> None:
    run.start().wait_until_watched()
    run.delete()
    run.wait_for_operations(CANCELLED)


def deadline_passed(run: Run) -> None:
    run.start().ends("failed", CANCELLED)
    assert "had not ended" in run.log()


def execution_timeout_passed(run: Run) -> None:
    run.start().ends("failed", CANCELLED)


def execution_timeout_passed_before_the_reply(run: Run) -> None:
    held = run.admin.add_fault("POST", run.submission, hold=True, count=1)
    run.start().ends("failed", CANCELLED)
    run.admin.release(held)


CASES: dict[str, tuple[Callable[[Run], None], str]] = {
    f"{case.__name__}-{dag_id}": (case, dag_id)
    for case, *dag_ids in (
        # Those that take longest come first.
        (worker_killed_before_the_reply, "deferrable", "synchronous"),
        (worker_killed_before_the_reply_and_the_operation_ends_meanwhile, "deferrable"),
        (worker_killed_before_the_request, "deferrable", "synchronous"),
        (worker_killed_and_the_request_never_accepted, "deferrable", "synchronous"),
        (worker_killed_while_it_waits, "synchronous"),
        (worker_killed_as_it_takes_over_from_the_trigger, "deferrable"),
        (task_cleared, "deferrable", "synchronous"),
        (reply_lost_after_the_request_was_accepted, "deferrable", "synchronous"),
        (execution_timeout_passed, "deferrable_execution_timeout", "synchronous_execution_timeout"),
        (execution_timeout_passed_before_the_reply, "synchronous_execution_timeout"),
        (deadline_passed, "deferrable_timeout", "synchronous_timeout"),
        (task_marked_failed, "deferrable", "synchronous"),
        (task_marked_failed_before_the_reply, "deferrable"),
        (task_marked_success, "deferrable", "synchronous"),
        (run_marked_failed_and_deleted, "deferrable", "synchronous"),
    )
    for dag_id in dag_ids
}


@pytest.fixture(scope="module")
def dags_folder() -> Path:
    return DAGS / "durability"


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    return IMPATIENT


@pytest.fixture(scope="module")
def outcome(playground: Playground, request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    """Wait for the end of a case; those that were asked for are begun at the same time, a second try when it comes."""
    asked = [name for name in CASES if any(item.name == f"test_case[{name}]" for item in request.session.items)]

    def play(name: str) -> None:
        case, dag_id = CASES[name]
        with Run(playground, admin, dag_id) as run:
            case(run)

    with EmulatorAdmin(playground.emulator.url) as admin, ThreadPoolExecutor(AT_ONCE) as threads:
        admin.set_progression("manual", apiMethodName="Deidentify")
        begun = {name: threads.submit(play, name) for name in asked}
        yield lambda name: (begun.pop(name, None) or threads.submit(play, name)).result()
        threads.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, outcome: Callable[[str], None]) -> None:
    outcome(case)
