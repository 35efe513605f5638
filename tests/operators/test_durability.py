"""Exactly one operation: crashes at each step, lost replies, and tries that find what earlier ones left.

A crash is a ``BaseException`` that nothing catches, followed by another try with the same memory.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_healthcare_deid.errors import (
    AmbiguousSubmissionError,
    ConflictError,
    OperationFailedError,
    PermissionOrNotFoundError,
    TransientApiError,
)
from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.operators.base import HealthcareOperationOperator
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator, DeidentifyDicomStoreOperator
from tests.support.tasks import DictStore, run_task, task_context
from tests.support.wing import DESTINATION, SOURCE

if TYPE_CHECKING:
    from tests.support.emulator_admin import EmulatorAdmin

BOTH_MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])
OTHER = SOURCE.location_name + "/datasets/other"


class Crash(BaseException):
    """The worker is gone."""


def operator(**arguments: Any) -> DeidentifyDatasetOperator:
    given: dict[str, Any] = {
        "task_id": "deidentify",
        "source_dataset": str(SOURCE),
        "destination_dataset": str(DESTINATION),
        "config": {"dicom": {}},
        "poll_interval": 0.02,
        "max_poll_interval": 0.1,
        "retries": 3,
    }
    return DeidentifyDatasetOperator(**given | arguments)


def attempt(task: Any, store: DictStore | None, number: int = 1, **arguments: Any) -> Any:
    return run_task(task, task_context(task, store, try_number=number, **arguments))


def operations(hook: HealthcareHook) -> list[str]:
    return [o.name for o in hook.list_operations(SOURCE) if (o.api_method_name or "").endswith("DeidentifyDataset")]


def crash_at(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, before: bool, times: int = 1) -> None:
    """Let the worker die before or after a method does its work."""
    real = getattr(owner, name)
    left = [times]

    def dying(*args: Any, **kwargs: Any) -> Any:
        if not left[0]:
            return real(*args, **kwargs)
        left[0] -= 1
        if not before:
            real(*args, **kwargs)
        raise Crash

    monkeypatch.setattr(owner, name, dying)


@BOTH_MODES
@pytest.mark.parametrize(
    ("owner", "step", "before"),
    [
        (HealthcareHook, "dataset_exists", True),
        (DictStore, "set", True),
        (DictStore, "set", False),
        (HealthcareHook, "start_operation", True),
        (HealthcareHook, "start_operation", False),
        (HealthcareOperationOperator, "_judge", True),
        (HealthcareOperationOperator, "_tell", True),
        (DictStore, "delete", True),
    ],
    ids=[
        "before looking",
        "before the intent",
        "after the intent",
        "before the request",
        "after the request",
        "before judging",
        "while telling",
        "before forgetting",
    ],
)
def test_a_crash_at_any_step_ends_with_one_operation(
    owner: type,
    step: str,
    before: bool,
    deferrable: bool,
    hook: HealthcareHook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = DictStore()
    crash_at(monkeypatch, owner, step, before=before)
    with pytest.raises(Crash):
        attempt(operator(deferrable=deferrable), store)
    summary = attempt(operator(deferrable=deferrable), store, 2)
    assert [summary["operation"]] == operations(hook)
    assert summary["status"] == "SUCCEEDED"
    assert store.values == {}


def test_a_crash_after_remembering_goes_on_with_the_same(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("polls", polls=3)
    store = DictStore()
    name = started(operator(deferrable=True), store)
    assert attempt(operator(deferrable=True), store, 2)["operation"] == name
    assert operations(hook) == [name]


def test_a_reply_lost_after_the_work_is_found_again(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.add_fault("POST", ":deidentify$", drop="after", count=1)
    summary = attempt(operator(), DictStore())
    assert [summary["operation"]] == operations(hook)
    assert len(admin.requests("POST", ":deidentify$")) == 1


@pytest.mark.parametrize("behavior", [{"drop": "before"}, {"status": 503}, {"status": 500}, {"status": 429}])
def test_a_request_that_was_not_accepted_is_sent_again(
    behavior: dict[str, Any], hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.add_fault("POST", ":deidentify$", count=2, **behavior)
    summary = attempt(operator(), DictStore())
    assert [summary["operation"]] == operations(hook)
    assert len(admin.requests("POST", ":deidentify$")) == 3


def test_a_service_that_stays_away_fails_the_try_but_leaves_the_intent(
    hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    store = DictStore()
    admin.add_fault("POST", ":deidentify$", status=503)
    with pytest.raises(TransientApiError) as caught:
        attempt(operator(), store)
    assert not isinstance(caught.value, AirflowFailException)
    assert store.values
    admin.remove_faults()
    assert attempt(operator(), store, 2)["status"] == "SUCCEEDED"
    assert len(operations(hook)) == 1


def test_an_operation_of_somebody_else_is_not_adopted(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    """Two runs of a backfill use one source at the same minute, and the reply to one is lost."""
    admin.add_fault("POST", ":deidentify$", drop="after", count=1)
    monkey = operator(destination_dataset=OTHER)

    def meanwhile(*_: Any) -> None:
        if len(operations(hook)) == 1:
            attempt(monkey, DictStore())

    task = operator()
    task._sleep = meanwhile
    with pytest.raises(AmbiguousSubmissionError) as caught:
        attempt(task, DictStore())
    assert isinstance(caught.value, AirflowFailException)
    assert sorted(caught.value.candidates) == sorted(operations(hook))
    assert "HealthcareOperationSensor" in str(caught.value)
    assert len(operations(hook)) == 2


def test_an_intent_whose_destination_somebody_made_fails_closed(
    hook: HealthcareHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DictStore()
    crash_at(monkeypatch, HealthcareHook, "start_operation", before=True)
    with pytest.raises(Crash):
        attempt(operator(), store)
    hook.create_dataset(DESTINATION)
    with pytest.raises(AmbiguousSubmissionError, match="Candidates: none"):
        attempt(operator(if_destination_exists="replace"), store, 2)


def test_operations_that_cannot_be_listed_fail_closed(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.add_fault("POST", ":deidentify$", drop="after", count=1)
    admin.add_fault("GET", "/operations$", status=403)
    with pytest.raises(AmbiguousSubmissionError, match=r"healthcare\.operations\.list"):
        attempt(operator(), DictStore())


@BOTH_MODES
@pytest.mark.parametrize("code", [13, 1], ids=["failed", "cancelled"])
def test_what_a_failed_operation_left_is_deleted_before_the_next_try(
    code: int, deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    store = DictStore()
    admin.set_progression("manual")
    name = started(operator(deferrable=True), store)
    admin.advance(name, error={"code": code, "message": "stopped"})
    assert hook.dataset_exists(DESTINATION)
    admin.set_progression("work")
    summary = attempt(operator(deferrable=deferrable), store, 2)
    assert summary["status"] == "SUCCEEDED"
    assert summary["operation"] != name
    assert len(operations(hook)) == 2


def started(task: Any, store: DictStore | None, **arguments: Any) -> str:
    """Begin an operation and leave the task deferred."""
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(task_context(task, store, **arguments))
    return str(deferred.value.trigger.operation_name)


def test_a_succeeded_operation_whose_destination_is_gone_does_not_count(
    hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    store = DictStore()
    name = started(operator(deferrable=True), store)
    wait_until_done(hook, name)
    hook.delete_dataset(DESTINATION)
    assert attempt(operator(), store, 2)["operation"] != name


def wait_until_done(hook: HealthcareHook, name: str) -> None:
    for _ in range(1000):
        if hook.get_operation(name).status is not OperationStatus.RUNNING:
            return
    raise AssertionError("the operation did not end")


def test_a_cancelled_operation_is_waited_for_before_the_next_begins(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    store = DictStore()
    admin.set_progression("manual")
    name = started(operator(deferrable=True), store)
    admin.set_progression("work")
    hook.cancel_operation(name)
    summary = attempt(operator(), store, 2)
    assert summary["operation"] != name
    assert hook.get_operation(name).status is OperationStatus.CANCELLED


def test_another_request_does_not_take_over_a_running_operation(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    store = DictStore()
    admin.set_progression("manual")
    name = started(operator(deferrable=True), store)
    with pytest.raises(AmbiguousSubmissionError, match="still running") as caught:
        attempt(operator(destination_dataset=OTHER), store, 2)
    assert caught.value.candidates == (name,)


def test_an_operation_that_is_no_longer_kept_is_forgotten(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    store = DictStore()
    started(operator(deferrable=True), store)
    admin.add_fault("GET", r"/operations/[0-9]+$", status=404, count=1)
    with pytest.raises(ConflictError):
        attempt(operator(), store, 2)


def test_a_remembered_operation_that_may_not_be_seen_fails_the_try(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    store = DictStore()
    started(operator(deferrable=True), store)
    admin.add_fault("GET", r"/operations/[0-9]+$", status=403, count=1)
    with pytest.raises(PermissionOrNotFoundError, match=r"healthcare\.operations\.get"):
        attempt(operator(), store, 2)
    assert store.values


# Below Airflow 3.3 nothing outlives a try ------------------------------------------------------------------------


RUN_START = datetime.now(UTC) - timedelta(hours=1)


def test_without_memory_a_retry_adopts_what_the_first_try_began(hook: HealthcareHook) -> None:
    name = started(operator(deferrable=True), None, run_start=RUN_START)
    summary = attempt(operator(), None, 2, run_start=RUN_START)
    assert summary["operation"] == name
    assert operations(hook) == [name]


def test_without_memory_a_cleared_task_runs_anew(hook: HealthcareHook) -> None:
    attempt(operator(), None, run_start=RUN_START)
    hook.delete_dataset(DESTINATION)
    # Airflow raises max_tries by the tries used, so this is the first try of the second life.
    attempt(operator(), None, 2, max_tries=4, run_start=RUN_START)
    assert len(operations(hook)) == 2


def test_without_memory_a_cleared_task_does_not_take_an_old_result(hook: HealthcareHook) -> None:
    attempt(operator(), None, run_start=RUN_START)
    with pytest.raises(ConflictError):
        attempt(operator(), None, 2, max_tries=4, run_start=RUN_START)


def test_without_memory_what_a_failed_operation_left_is_deleted_at_once_if_a_retry_follows(
    hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("manual")
    task = operator(deferrable=True)
    context = task_context(task, None, run_start=RUN_START)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    admin.advance(deferred.value.trigger.operation_name, error={"code": 13, "message": "internal"})
    with pytest.raises(OperationFailedError):
        run_from(deferred.value, task, context)
    assert not hook.dataset_exists(DESTINATION)
    admin.set_progression("work")
    assert attempt(operator(), None, 2, run_start=RUN_START)["status"] == "SUCCEEDED"


def test_without_memory_a_dead_operation_is_no_proof_and_nothing_is_deleted(
    hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("manual")
    name = started(operator(deferrable=True), None, run_start=RUN_START)
    admin.advance(name, error={"code": 13, "message": "internal"})
    with pytest.raises(AmbiguousSubmissionError):
        attempt(operator(), None, 2, run_start=RUN_START)
    assert hook.dataset_exists(DESTINATION)


def run_from(deferred: TaskDeferred, task: Any, context: Any) -> Any:
    from tests.support.tasks import first_event

    kwargs = {**(deferred.kwargs or {}), "event": first_event(deferred.trigger)}
    return task.resume_execution(deferred.method_name, kwargs, context)


# Where the destination proves nothing ----------------------------------------------------------------------------


def store_operator(**arguments: Any) -> DeidentifyDicomStoreOperator:
    given: dict[str, Any] = {
        "task_id": "deidentify",
        "source_store": str(SOURCE.dicom_store("images")),
        "destination_store": str(SOURCE.dicom_store("clean")),
        "config": {"dicom": {}},
        "poll_interval": 0.02,
        "retries": 3,
    }
    return DeidentifyDicomStoreOperator(**given | arguments)


@pytest.fixture
def clean_store(hook: HealthcareHook) -> None:
    hook.create_dicom_store(SOURCE.dicom_store("clean"))


@pytest.mark.usefixtures("clean_store")
def test_a_store_is_deidentified(hook: HealthcareHook) -> None:
    task = store_operator()
    context = task_context(task, DictStore())
    assert run_task(task, context)["status"] == "SUCCEEDED"
    assert context["ti"].xcoms["dicom_stores"] == [str(SOURCE.dicom_store("clean"))]


@pytest.mark.usefixtures("clean_store")
def test_for_a_store_no_candidate_means_submit(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.add_fault("POST", ":deidentify$", drop="before", count=1)
    assert attempt(store_operator(), DictStore())["status"] == "SUCCEEDED"


@pytest.mark.usefixtures("clean_store")
def test_for_a_store_a_candidate_means_fail_closed(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.add_fault("POST", ":deidentify$", drop="after", count=1)
    with pytest.raises(AmbiguousSubmissionError) as caught:
        attempt(store_operator(), DictStore())
    assert len(caught.value.candidates) == 1


def test_a_missing_destination_store_is_found_out_before_the_request(
    hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    with pytest.raises(PermissionOrNotFoundError, match="clean"):
        attempt(store_operator(), DictStore())
    assert admin.requests("POST", ":deidentify$") == []
