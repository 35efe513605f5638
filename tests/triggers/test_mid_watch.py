"""What may change while a trigger watches: the token, its source, the caller's rights, the clock, the operation."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
from airflow_healthcare_deid.triggers.operation import HealthcareOperationTrigger
from tests.support.identity import fingerprint
from tests.support.tasks import rebuilt
from tests.support.wing import DESTINATION, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.emulator_admin import EmulatorAdmin
    from tests.support.identity import TokenServer

LOOK = r"/operations/[0-9]+$"
DAY = 24 * 3600


def begin(hook: HealthcareHook, admin: EmulatorAdmin) -> str:
    """Start an operation that goes on until it is told to end."""
    admin.set_progression("manual", apiMethodName="Deidentify")
    return hook.deidentify_dataset(SOURCE, {"destinationDataset": str(DESTINATION), "config": {}}).name


@pytest.fixture
def secure_hook(secure: EmulatorAdmin) -> Iterator[HealthcareHook]:
    hook = HealthcareHook()
    hook.create_dataset(SOURCE)
    yield hook
    hook.close()


def watched(name: str, admin: EmulatorAdmin, change: Callable[[], Any], **arguments: Any) -> dict[str, Any]:
    """Return the trigger's event if, after its second look, something changes."""
    ended = threading.Event()

    def after_two_looks() -> None:
        while len(admin.requests("GET", LOOK)) < 2:
            assert not ended.is_set(), "the trigger ended before its second look"
        change()

    async def watch() -> dict[str, Any]:
        given = {"started": time.time(), "poll_interval": 0.05, "max_poll_interval": 0.1, **arguments}
        changing = asyncio.create_task(asyncio.to_thread(after_two_looks))
        async for event in rebuilt(HealthcareOperationTrigger(name, **given)).run():
            ended.set()
            await changing
            return dict(event.payload)
        raise AssertionError

    return asyncio.run(watch())


def test_an_expired_token_is_renewed(secure_hook: HealthcareHook, secure: EmulatorAdmin, tokens: TokenServer) -> None:
    name = begin(secure_hook, secure)
    tokens.issued.clear()

    def expire() -> None:
        secure.add_fault("GET", LOOK, status=401, count=1)
        while len(tokens.issued) < 2:
            pass
        secure.advance(name, done=True)

    assert watched(name, secure, expire)["status"] == "finished"
    asked = [request["authorization"] for request in secure.requests("GET", LOOK)]
    assert list(dict.fromkeys(asked)) == [fingerprint(token) for token in tokens.issued]
    assert len(tokens.issued) == 2


def test_a_token_server_that_is_out_of_order_for_a_while_is_sat_out(
    secure_hook: HealthcareHook, secure: EmulatorAdmin, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    name = begin(secure_hook, secure)

    def fail_for_a_while() -> None:
        tokens.answer = 503
        asked = tokens.asked
        secure.add_fault("GET", LOOK, status=401, count=1)
        while tokens.asked < asked + 2:
            pass
        tokens.answer = None
        secure.advance(name, done=True)

    assert watched(name, secure, fail_for_a_while)["status"] == "finished"


def test_a_token_that_is_refused_for_good_is_told_with_its_type(
    secure_hook: HealthcareHook, secure: EmulatorAdmin, tokens: TokenServer
) -> None:
    name = begin(secure_hook, secure)

    def revoke() -> None:
        tokens.answer = 400
        secure.add_fault("GET", LOOK, status=401)

    event = watched(name, secure, revoke)
    assert (event["status"], event["error"]["type"]) == ("error", "AuthenticationError")


@pytest.mark.parametrize("status", [403, 404], ids=["permission withdrawn", "operation vanished"])
def test_what_will_not_pass_is_told_with_its_type(status: int, hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook, admin)
    event = watched(name, admin, lambda: admin.add_fault("GET", LOOK, status=status))
    assert (event["status"], event["error"]["type"], event["error"]["status"]) == (
        "error",
        "PermissionOrNotFoundError",
        status,
    )
    # What was seen last is told too.
    assert event["operation"]["name"] == name


def test_a_dataset_that_is_deleted_with_its_operations(hook: HealthcareHook, admin: EmulatorAdmin) -> None:
    name = begin(hook, admin)
    event = watched(name, admin, lambda: hook.delete_dataset(SOURCE))
    assert (event["status"], event["error"]["type"]) == ("error", "PermissionOrNotFoundError")


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["ahead", "back"])
def test_a_clock_that_jumps_neither_ends_the_wait_nor_prolongs_it(
    jump: int, hook: HealthcareHook, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = begin(hook, admin)
    real = time.time
    deadline = real() + 3600

    # The emulator runs in this process, and the service's clock does not jump.
    monkeypatch.setattr("uvicorn.server.time", SimpleNamespace(time=real))

    def leap() -> None:
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        looks = len(admin.requests("GET", LOOK))
        while len(admin.requests("GET", LOOK)) < looks + 2:
            pass
        admin.advance(name, done=True)

    assert watched(name, admin, leap, deadline=deadline)["status"] == "finished"
