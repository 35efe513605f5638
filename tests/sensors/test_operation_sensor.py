"""HealthcareOperationSensor against the emulator: poked and deferred, judged by the same policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from airflow_healthcare_deid.errors import (
    InvalidResourceNameError,
    OperationCancelledError,
    OperationFailedError,
    PermissionOrNotFoundError,
    TooManyFailedResourcesError,
    TransientApiError,
)
from airflow_healthcare_deid.sensors import operation as module
from airflow_healthcare_deid.sensors.operation import HealthcareOperationSensor
from tests.support.tasks import run_task, task_context
from tests.support.wing import DESTINATION, SOURCE

if TYPE_CHECKING:
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.emulator_admin import EmulatorAdmin

BOTH_MODES = pytest.mark.parametrize("deferrable", [False, True], ids=["poke", "deferrable"])
POLL = r"/operations/[0-9]+$"


def begin(hook: HealthcareHook) -> str:
    return hook.deidentify_dataset(SOURCE, {"destinationDataset": str(DESTINATION), "config": {"dicom": {}}}).name


def sensor(name: str, **arguments: Any) -> HealthcareOperationSensor:
    given: dict[str, Any] = {
        "task_id": "watch",
        "operation_name": name,
        "poll_interval": 0.02,
        "max_poll_interval": 0.05,
    }
    return HealthcareOperationSensor(**given | arguments)


def watch(task: HealthcareOperationSensor) -> Any:
    return run_task(task, task_context(task))


@BOTH_MODES
def test_waits_for_the_end(deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("polls", polls=3)
    name = begin(hook)
    summary = watch(sensor(name, deferrable=deferrable))
    assert (summary["operation"], summary["status"]) == (name, "SUCCEEDED")
    assert (summary["source"], summary["destination"]) == (str(SOURCE), None)


@BOTH_MODES
@pytest.mark.parametrize(
    ("push", "error"),
    [
        ({"error": {"code": 13, "message": "internal"}}, OperationFailedError),
        ({"error": {"code": 1, "message": "cancelled"}}, OperationCancelledError),
        ({"done": True, "counter": {"success": 1, "failure": 1}}, TooManyFailedResourcesError),
    ],
)
def test_judges_as_the_operators_do(
    push: dict[str, Any], error: type[Exception], deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("manual")
    name = begin(hook)
    admin.advance(name, **push)
    with pytest.raises(error) as caught:
        watch(sensor(name, deferrable=deferrable))
    assert isinstance(caught.value, AirflowFailException) is (error is TooManyFailedResourcesError)


@BOTH_MODES
def test_a_failure_that_passes_is_sat_out(deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook)
    admin.add_fault("GET", POLL, status=503, count=2)
    assert watch(sensor(name, deferrable=deferrable))["status"] == "SUCCEEDED"


def test_an_outage_is_given_up_after_many_failures(
    hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FAILURES", 3)
    name = begin(hook)
    admin.add_fault("GET", POLL, status=503)
    with pytest.raises(TransientApiError):
        watch(sensor(name))


@BOTH_MODES
def test_an_operation_that_may_not_be_seen_fails(deferrable: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook)
    admin.add_fault("GET", POLL, status=403)
    with pytest.raises(PermissionOrNotFoundError, match=r"healthcare\.operations\.get"):
        watch(sensor(name, deferrable=deferrable))


@pytest.mark.parametrize("soft_fail", [False, True])
@BOTH_MODES
def test_past_the_timeout_the_operation_goes_on(
    deferrable: bool, soft_fail: bool, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("manual")
    name = begin(hook)
    error = AirflowSkipException if soft_fail else AirflowSensorTimeout
    with pytest.raises(error):
        watch(sensor(name, deferrable=deferrable, timeout=0.2, soft_fail=soft_fail))
    assert not hook.get_operation(name).cancel_requested


def test_the_trigger_does_not_cancel_what_the_sensor_did_not_start(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    task = sensor(begin(hook), deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(task_context(task))
    trigger = deferred.value.trigger
    assert (trigger.cancel_on_kill, trigger.cancel_on_timeout) == (False, False)


def test_a_malformed_name_is_refused_in_the_dag_file() -> None:
    with pytest.raises(InvalidResourceNameError, match="operation_name"):
        sensor("operations/1")


def test_a_template_is_not_judged_in_the_dag_file() -> None:
    sensor("{{ ti.xcom_pull('start')['operation'] }}")
