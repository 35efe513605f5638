"""An operation is asked to stop until the service has heard it, or until there is no more time to ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.errors import TransientApiError
from airflow_healthcare_deid.hooks._backoff import CANCEL_ATTEMPTS, CANCEL_MAX_WAIT
from airflow_healthcare_deid.hooks.asynchronous import HealthcareAsyncHook
from airflow_healthcare_deid.triggers.operation import KILL_TIMEOUT
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.emulator_admin import EmulatorAdmin

CANCEL = ":cancel$"
FAULTS: list[dict[str, Any]] = [{"status": 503, "retryAfter": 600}, {"drop": "before"}, {"drop": "after"}]


@pytest.fixture(params=["worker", "trigger"])
def cancel(
    request: pytest.FixtureRequest, hook: HealthcareHook, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], bool]:
    """Ask for a cancellation, from a worker and from a trigger."""
    if request.param == "worker":
        return hook.cancel_operation

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def ask(name: str) -> bool:
        async with HealthcareAsyncHook() as asynchronous:
            return await asynchronous.cancel_operation(name)

    monkeypatch.setattr(HealthcareAsyncHook, "_sleep", staticmethod(sleep))
    return lambda name: asyncio.run(ask(name))


def begin(hook: HealthcareHook, admin: EmulatorAdmin) -> str:
    admin.set_progression("manual")
    return hook.deidentify_dataset(SOURCE, {"destinationDataset": str(SOURCE) + "-copy", "config": {"dicom": {}}}).name


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_failure_that_passes_does_not_leave_it_running(
    fault: dict[str, Any], cancel: Callable[[str], bool], hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    name = begin(hook, admin)
    admin.add_fault("POST", CANCEL, count=CANCEL_ATTEMPTS - 1, **fault)
    cancel(name)
    assert len(admin.requests("POST", CANCEL)) <= CANCEL_ATTEMPTS
    assert hook.get_operation(name).cancel_requested


def test_an_outage_is_given_up_before_the_worker_or_trigger_is_killed(
    cancel: Callable[[str], bool], hook: HealthcareHook, admin: EmulatorAdmin, waits: list[float]
) -> None:
    name = begin(hook, admin)
    admin.add_fault("POST", CANCEL, status=503, retryAfter=600)
    with pytest.raises(TransientApiError):
        cancel(name)
    assert len(admin.requests("POST", CANCEL)) == CANCEL_ATTEMPTS
    assert 0 < sum(waits) <= (CANCEL_ATTEMPTS - 1) * CANCEL_MAX_WAIT < KILL_TIMEOUT
