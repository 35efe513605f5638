"""HealthcareOperationTrigger in a real event loop, against the emulator and its faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.hooks._client import SharedClient
from airflow_healthcare_deid.operation import OperationStatus
from airflow_healthcare_deid.triggers import operation as module
from airflow_healthcare_deid.triggers._event import restore_error, unflatten
from airflow_healthcare_deid.triggers.operation import HealthcareOperationTrigger
from tests.support.tasks import first_event, rebuilt
from tests.support.wing import DESTINATION, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from tests.support.emulator_admin import EmulatorAdmin

POLL = r"/operations/[0-9]+$"


def begin(hook: HealthcareHook) -> str:
    body = {"destinationDataset": str(DESTINATION), "config": {"dicom": {}}}
    return hook.deidentify_dataset(SOURCE, body).name


def trigger(name: str, **arguments: Any) -> HealthcareOperationTrigger:
    given: dict[str, Any] = {"started": time.time(), "poll_interval": 0.02, "max_poll_interval": 0.05}
    return HealthcareOperationTrigger(name, **given | arguments)


def test_one_event_at_the_end(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("polls", polls=3)
    name = begin(hook)
    event = first_event(trigger(name))
    assert (event["version"], event["status"], event["error"]) == (1, "finished", None)
    operation = unflatten(event["operation"])
    assert (operation.name, operation.status) == (name, OperationStatus.SUCCEEDED)
    assert operation == hook.get_operation(name)
    assert all(not isinstance(value, dict | list) for value in event["operation"].values())


def test_the_destinations_stores_come_with_the_end(
    hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_healthcare_deid.hooks.asynchronous.PAGE_SIZE", 2)
    for number in range(5):
        hook.create_dicom_store(SOURCE.dicom_store(f"images-{number}"))
    body = {"destinationDataset": str(DESTINATION), "config": {"dicom": {}, "fhir": {}}}
    name = hook.deidentify_dataset(SOURCE, body).name
    event = first_event(trigger(name, destination_dataset=str(DESTINATION)))
    assert event["stores"] == {
        "dicom_stores": [str(store) for store in hook.list_dicom_stores(DESTINATION)],
        "fhir_stores": [str(DESTINATION.fhir_store("records"))],
    }
    assert len(event["stores"]["dicom_stores"]) > 5


def test_stores_that_cannot_be_listed_do_not_hold_up_the_end(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook)
    admin.add_fault("GET", r"/fhirStores$", status=403)
    event = first_event(trigger(name, destination_dataset=str(DESTINATION)))
    assert (event["status"], event["stores"]) == ("finished", None)


def test_stores_of_an_operation_that_ended_badly_are_not_listed(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    name = begin(hook)
    hook.cancel_operation(name)
    event = first_event(trigger(name, destination_dataset=str(DESTINATION)))
    assert event["stores"] is None
    assert admin.requests("GET", r"Stores$") == []


def test_only_names_and_numbers_are_stored(hook: HealthcareHook) -> None:
    made = trigger("projects/p/locations/l/datasets/d/operations/1", impersonation_chain=["a@b", "c@d"])
    _, kwargs = made.serialize()
    assert json.loads(json.dumps(kwargs)) == kwargs
    assert rebuilt(made).serialize() == made.serialize()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_sat_out(status: int, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook)
    admin.add_fault("GET", POLL, status=status, count=3)
    assert first_event(trigger(name))["status"] == "finished"


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_connection_is_sat_out(drop: str, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook)
    admin.add_fault("GET", POLL, drop=drop, count=3)
    assert first_event(trigger(name))["status"] == "finished"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, "PermissionOrNotFoundError"),
        (404, "PermissionOrNotFoundError"),
        (401, "AuthenticationError"),
        (400, "RejectedRequestError"),
    ],
)
def test_a_failure_that_stays_is_told_with_its_type(
    status: int, kind: str, hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("manual")
    name = begin(hook)
    admin.add_fault("GET", POLL, status=status)
    event = first_event(trigger(name))
    assert (event["status"], event["error"]["type"], event["error"]["status"]) == ("error", kind, status)
    assert type(restore_error(event["error"])).__name__ == kind
    assert len(admin.requests("GET", POLL)) == 1


def test_without_a_deadline_an_outage_is_given_up_after_many_failures(
    hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_healthcare_deid.triggers._watch.MAX_FAILURES", 4)
    name = begin(hook)
    admin.add_fault("GET", POLL, status=503)
    event = first_event(trigger(name))
    assert (event["status"], event["error"]["type"]) == ("error", "TransientApiError")
    assert len(admin.requests("GET", POLL)) == 4


@pytest.mark.parametrize("cancel", [True, False])
def test_past_the_deadline(cancel: bool, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    admin.set_progression("manual")
    name = begin(hook)
    event = first_event(trigger(name, deadline=time.time() + 0.3, cancel_on_timeout=cancel))
    assert event["status"] == "timeout"
    assert unflatten(event["operation"]).name == name
    assert hook.get_operation(name).cancel_requested is cancel


def test_a_deadline_ends_an_outage(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook)
    admin.add_fault("GET", POLL, status=503)
    event = first_event(trigger(name, deadline=time.time() + 0.3, cancel_on_timeout=False))
    assert (event["status"], event["operation"]) == ("timeout", None)


# Many triggers, one client ---------------------------------------------------------------------------------------


async def run_together(triggers: list[HealthcareOperationTrigger]) -> list[Any]:
    async def run(one: HealthcareOperationTrigger) -> Any:
        async for event in one.run():
            return event.payload
        raise AssertionError

    events = await asyncio.gather(*(run(one) for one in triggers))
    assert not SharedClient._clients[asyncio.get_running_loop()]
    return events


def test_all_triggers_share_one_connection_lookup_and_one_session(
    hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = counted(monkeypatch, "airflow_healthcare_deid.hooks._client", "connection_extras")
    sessions = counted(monkeypatch, "airflow_healthcare_deid.hooks._client", "_open_session")
    admin.set_progression("polls", polls=200)
    name = begin(hook)
    events = asyncio.run(run_together([trigger(name) for _ in range(50)]))
    assert {event["status"] for event in events} == {"finished"}
    assert (len(lookups), len(sessions)) == (1, 1)


def counted(monkeypatch: pytest.MonkeyPatch, path: str, name: str) -> list[Any]:
    from importlib import import_module

    real = getattr(import_module(path), name)
    calls: list[Any] = []

    def counting(*args: Any) -> Any:
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(f"{path}.{name}", counting)
    return calls


# Killed ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def awaited(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Say whether a task still waits for the operation."""

    def answer(state: Any) -> None:
        async def is_awaited(*_: Any) -> bool:
            if isinstance(state, Exception):
                raise state
            return bool(state)

        monkeypatch.setattr(module, "is_awaited", is_awaited)

    return answer


@pytest.mark.parametrize(
    ("state", "cancel_on_kill", "cancelled"),
    [(False, True, True), (True, True, False), (False, False, False), (RuntimeError("no supervisor"), True, False)],
    ids=["user acted", "moved to another triggerer", "switched off", "unknown"],
)
def test_on_kill_cancels_only_what_a_user_stopped(
    state: Any,
    cancel_on_kill: bool,
    cancelled: bool,
    awaited: Callable[[Any], None],
    hook: HealthcareHook,
    admin: EmulatorAdmin,
) -> None:
    admin.set_progression("manual")
    name = begin(hook)
    awaited(state)
    asyncio.run(trigger(name, cancel_on_kill=cancel_on_kill).on_kill())
    assert hook.get_operation(name).cancel_requested is cancelled


def test_on_kill_of_an_operation_that_has_ended_is_quiet(
    awaited: Callable[[Any], None], hook: HealthcareHook, admin: EmulatorAdmin
) -> None:
    admin.set_progression("immediate")
    name = begin(hook)
    awaited(False)
    asyncio.run(trigger(name).on_kill())
    assert hook.get_operation(name).status is OperationStatus.SUCCEEDED


@pytest.mark.parametrize("has_on_kill", [True, False], ids=["3.3", "below 3.3"])
def test_a_cancelled_run_asks_for_itself_only_where_airflow_does_not(
    has_on_kill: bool,
    awaited: Callable[[Any], None],
    hook: HealthcareHook,
    admin: EmulatorAdmin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TRIGGER_HAS_ON_KILL", has_on_kill)
    admin.set_progression("manual")
    name = begin(hook)
    awaited(False)

    async def cancel() -> None:
        async def consume() -> None:
            async for _ in trigger(name).run():
                pass

        running = asyncio.create_task(consume())
        await asyncio.to_thread(wait_for_a_poll, admin)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert running.cancelled()

    asyncio.run(cancel())
    assert hook.get_operation(name).cancel_requested is not has_on_kill


def wait_for_a_poll(admin: EmulatorAdmin) -> None:
    for _ in range(1000):
        if admin.requests("GET", POLL):
            return
    raise AssertionError("the trigger did not ask")
