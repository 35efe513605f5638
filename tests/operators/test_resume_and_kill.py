"""What happens beside the trigger's event: a trigger that breaks down, a deadline of Airflow's, a killed worker."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_healthcare_deid.errors import OperationTimeoutError, PermissionOrNotFoundError
from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
from airflow_healthcare_deid.operators._memory import Memory
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.version_compat import deferral_errors
from tests.support.tasks import DictStore, first_event, run_task, task_context
from tests.support.wing import DESTINATION, SOURCE

if TYPE_CHECKING:
    from tests.support.emulator_admin import EmulatorAdmin

STORES = pytest.mark.parametrize("store", [DictStore(), None], ids=["3.3", "below 3.3"])


def operator(**arguments: Any) -> DeidentifyDatasetOperator:
    given: dict[str, Any] = {
        "task_id": "deidentify",
        "source_dataset": str(SOURCE),
        "destination_dataset": str(DESTINATION),
        "config": {"dicom": {}},
        "poll_interval": 0.02,
        "deferrable": True,
    }
    return DeidentifyDatasetOperator(**given | arguments)


def defer(task: DeidentifyDatasetOperator, context: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    return deferred.value


FAIL = "__fail__"


@STORES
def test_a_trigger_that_breaks_down_is_replaced_by_the_worker(store: DictStore | None, hook: HealthcareHook) -> None:
    task = operator()
    context = task_context(task, store)
    name = defer(task, context).trigger.operation_name
    summary = task.resume_execution(FAIL, {"error": "Trigger failure", "traceback": ["Traceback"]}, context)
    assert (summary["operation"], summary["status"]) == (name, "SUCCEEDED")


@STORES
def test_an_event_about_another_operation_counts_for_nothing(store: DictStore | None, hook: HealthcareHook) -> None:
    """SQLite gives the id of a deleted trigger again, and the trigger of an earlier try may answer under it."""
    task = operator()
    context = task_context(task, store)
    deferred = defer(task, context)
    event = first_event(deferred.trigger)
    event["operation"] |= {"name": f"{SOURCE}/operations/1", "error_code": 13}
    summary = task.resume_execution(deferred.method_name, {**(deferred.kwargs or {}), "event": event}, context)
    assert (summary["operation"], summary["status"]) == (deferred.trigger.operation_name, "SUCCEEDED")


@STORES
def test_past_airflows_own_deadline_the_operation_is_cancelled(
    store: DictStore | None, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("manual")
    task = operator()
    context = task_context(task, store)
    name = defer(task, context).trigger.operation_name
    with pytest.raises(OperationTimeoutError, match="deadline"):
        task.resume_execution(FAIL, {"error": "Trigger timeout"}, context)
    assert hook.get_operation(name).cancel_requested


def test_a_deferral_that_failed_before_there_was_an_operation_stays_failed(connection: None) -> None:
    task = operator()
    with pytest.raises(deferral_errors()):
        task.resume_execution(FAIL, {"error": "Trigger failure"}, task_context(task, DictStore()))


def test_an_operation_that_may_not_be_seen_any_more_fails_with_its_type(
    hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.add_fault("GET", r"/operations/[0-9]+$", status=403)
    task = operator()
    with pytest.raises(PermissionOrNotFoundError, match="may still be running"):
        run_task(task, task_context(task, DictStore()))


def test_the_deadline_is_absolute_and_survives_a_retry(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    store = DictStore()
    first = operator(timeout=timedelta(hours=1), retries=2)
    deadline = defer(first, task_context(first, store)).trigger.deadline
    second = operator(timeout=timedelta(hours=1), retries=2)
    assert defer(second, task_context(second, store, try_number=2)).trigger.deadline == deadline


def test_the_execution_timeout_counts_while_the_task_is_deferred(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    task = operator(execution_timeout=timedelta(minutes=5), timeout=timedelta(hours=1))
    deferred = defer(task, task_context(task, DictStore()))
    assert deferred.timeout is not None
    assert timedelta(minutes=5) < deferred.timeout < timedelta(minutes=10)


def test_without_a_deadline_the_deferral_has_none(hook: HealthcareHook) -> None:
    task = operator()
    deferred = defer(task, task_context(task, DictStore()))
    assert (deferred.timeout, deferred.trigger.deadline) == (None, None)


@pytest.mark.parametrize("cancel_on_kill", [True, False])
def test_a_killed_worker_cancels(cancel_on_kill: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    task = operator(cancel_on_kill=cancel_on_kill)
    name = defer(task, task_context(task, DictStore())).trigger.operation_name
    task.on_kill()
    assert hook.get_operation(name).cancel_requested is cancel_on_kill


class Killed(BaseException):
    """What Airflow raises in a task whose ``execution_timeout`` has passed, or that it ends."""


@pytest.mark.parametrize("step", ["start_operation", "save"], ids=["before the reply", "before it is remembered"])
@pytest.mark.parametrize("cancel_on_kill", [True, False])
def test_a_worker_killed_as_the_operation_begins_cancels_it(
    step: str, cancel_on_kill: bool, hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.set_progression("manual", apiMethodName="Deidentify")
    owner: Any = HealthcareHook if step == "start_operation" else Memory
    real = getattr(owner, step)

    def dying(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        if any(o.api_method_name and "Deidentify" in o.api_method_name for o in hook.list_operations(SOURCE)):
            raise Killed
        return result

    monkeypatch.setattr(owner, step, dying)
    task = operator(cancel_on_kill=cancel_on_kill)
    with pytest.raises(Killed):
        task.execute(task_context(task, DictStore()))
    task.on_kill()
    [operation] = [o for o in hook.list_operations(SOURCE) if "Deidentify" in str(o.api_method_name)]
    assert operation.cancel_requested is cancel_on_kill


def test_a_worker_killed_before_the_request_is_accepted_cancels_nothing(
    hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_: Any) -> Any:
        raise Killed

    monkeypatch.setattr(HealthcareHook, "start_operation", dying)
    task = operator()
    with pytest.raises(Killed):
        task.execute(task_context(task, DictStore()))
    task.on_kill()
    assert admin.requests("POST", ":cancel$") == []


def test_a_worker_killed_amid_doubt_cancels_nothing_of_others(
    hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.set_progression("manual", apiMethodName="Deidentify")
    real = HealthcareHook.start_operation

    def dying(self: HealthcareHook, *args: Any) -> Any:
        real(self, *args)
        body = {"destinationDataset": f"{DESTINATION}-of-somebody-else", "config": {}}
        real(self, "datasets.deidentify", str(SOURCE), body)
        raise Killed

    monkeypatch.setattr(HealthcareHook, "start_operation", dying)
    task = operator()
    with pytest.raises(Killed):
        task.execute(task_context(task, DictStore()))
    task.on_kill()
    assert admin.requests("POST", ":cancel$") == []


def test_a_worker_killed_before_there_is_an_operation_is_quiet(connection: None) -> None:
    operator().on_kill()
