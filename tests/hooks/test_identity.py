"""Whose token reaches the service, how often one is fetched, and where none goes.

The emulator serves https here, as a host that the connection names; tokens come from a token server on this machine.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.errors import AuthenticationError, TransientApiError
from airflow_healthcare_deid.hooks.healthcare import HealthcareAsyncHook, HealthcareHook
from tests.support.emulator_admin import EmulatorAdmin
from tests.support.identity import connect, fingerprint
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_healthcare_deid.emulator import Emulator
    from tests.support.identity import TokenServer

POLL = r"/operations/[0-9]+$"


def operation(**arguments: Any) -> str:
    hook = HealthcareHook(**arguments)
    try:
        return hook.create_dataset(SOURCE).name
    finally:
        hook.close()


async def polled(name: str, times: int = 1, **arguments: Any) -> None:
    async with HealthcareAsyncHook(**arguments) as hook:
        await asyncio.gather(*(hook.get_operation(name) for _ in range(times)))


def test_worker_and_trigger_send_the_connections_token(secure: EmulatorAdmin, tokens: TokenServer) -> None:
    asyncio.run(polled(operation()))
    [created] = secure.requests("POST", "/datasets$")
    [asked] = secure.requests("GET", POLL)
    assert [created["authorization"], asked["authorization"]] == [fingerprint(token) for token in tokens.issued]


def test_worker_and_trigger_act_as_the_last_of_the_chain(
    secure: EmulatorAdmin, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth.iam._IAM_ENDPOINT", tokens.lending_url)
    chain = ["between@demo-project.iam.gserviceaccount.com", "last@demo-project.iam.gserviceaccount.com"]
    asyncio.run(polled(operation(impersonation_chain=chain), impersonation_chain=chain))
    assert [loan["account"] for loan in tokens.lent] == [chain[1], chain[1]]
    assert [loan["delegates"] for loan in tokens.lent] == [chain[:1], chain[:1]]
    # The tokens of the connection's own account only serve to borrow the others.
    own_worker, lent_worker, own_trigger, lent_trigger = tokens.issued
    [created] = secure.requests("POST", "/datasets$")
    [asked] = secure.requests("GET", POLL)
    assert [created["authorization"], asked["authorization"]] == [fingerprint(lent_worker), fingerprint(lent_trigger)]
    assert len({own_worker, own_trigger}) == 2


def test_the_quota_project_is_named(secure: EmulatorAdmin) -> None:
    name = operation()
    asyncio.run(polled(name, quota_project_id="billing-project"))
    assert secure.requests("GET", POLL)[0]["quotaProject"] == "billing-project"


def test_requests_say_who_asks(secure: EmulatorAdmin) -> None:
    asyncio.run(polled(operation()))
    for request in [*secure.requests("POST", "/datasets$"), *secure.requests("GET", POLL)]:
        assert request["userAgent"].startswith("airflow-healthcare-deid/")


def test_many_requests_need_one_token(secure: EmulatorAdmin, tokens: TokenServer) -> None:
    name = operation()
    tokens.issued.clear()
    asyncio.run(polled(name, times=100))
    assert len(tokens.issued) == 1


def test_a_refused_token_is_renewed(secure: EmulatorAdmin, tokens: TokenServer) -> None:
    name = operation()
    tokens.issued.clear()
    secure.add_fault("GET", POLL, status=401, count=1)
    asyncio.run(polled(name))
    asked = [request["authorization"] for request in secure.requests("GET", POLL)]
    assert asked == [fingerprint(token) for token in tokens.issued]
    assert len(set(asked)) == 2


def test_a_token_that_stays_refused_fails(secure: EmulatorAdmin, tokens: TokenServer) -> None:
    name = operation()
    secure.add_fault("GET", POLL, status=401)
    with pytest.raises(AuthenticationError) as caught:
        asyncio.run(polled(name))
    assert caught.value.status == 401
    assert len(secure.requests("GET", POLL)) == 2


def test_a_worker_renews_a_refused_token_once_too(secure: EmulatorAdmin, tokens: TokenServer) -> None:
    secure.add_fault("POST", "/datasets$", status=401, count=1)
    operation()
    assert len(tokens.issued) == 2


@pytest.mark.parametrize(("status", "kind"), [(400, AuthenticationError), (503, TransientApiError)])
def test_a_token_that_cannot_be_had(
    status: int, kind: type[Exception], secure: EmulatorAdmin, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    name = operation()
    tokens.answer = status
    with pytest.raises(kind) as caught:
        asyncio.run(polled(name))
    assert not getattr(caught.value, "sent", True)
    with pytest.raises(kind):
        operation()


def test_no_token_goes_over_plain_http(
    emulator: Emulator, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, tokens, healthcare_api_endpoint=emulator.url)
    asyncio.run(polled(operation()))
    with EmulatorAdmin(emulator.url) as admin:
        requests = [*admin.requests("POST", "/v1/"), *admin.requests("GET", "/v1/")]
    assert len(requests) >= 2
    assert {request["authorization"] for request in requests} == {None}
    assert tokens.issued == []


def test_an_entry_of_netrc_does_not_replace_the_token(
    secure: EmulatorAdmin, tokens: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    operation()
    assert secure.requests("POST", "/datasets$")[0]["authorization"] == fingerprint(tokens.issued[0])
