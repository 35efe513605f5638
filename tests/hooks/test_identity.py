"""Whose token reaches the service, how often one is fetched, and where none goes.

The emulator serves https here, as a host that the connection names; tokens come from a token server on this machine.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.emulator import Emulator
from airflow_healthcare_deid.errors import AuthenticationError, TransientApiError
from airflow_healthcare_deid.hooks.healthcare import HealthcareAsyncHook, HealthcareHook
from tests.support.emulator_admin import EmulatorAdmin
from tests.support.identity import TokenServer, fingerprint
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL = r"/operations/[0-9]+$"


@pytest.fixture(scope="module")
def secure_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Emulator, Path]]:
    import trustme

    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key, trusted = folder / "chain.pem", folder / "key.pem", folder / "ca.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    with Emulator(tls=(str(chain), str(key))) as emulator:
        yield emulator, trusted


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    # Newer versions of google-auth ask Google where an account may be used, behind the scenes.
    switch = (
        "google.auth.credentials.CredentialsWithRegionalAccessBoundary._is_regional_access_boundary_lookup_required"
    )
    monkeypatch.setattr(switch, lambda _: False, raising=False)
    with TokenServer() as server:
        yield server


@pytest.fixture
def secure(
    secure_emulator: tuple[Emulator, Path], tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmulatorAdmin]:
    """A connection with a key, to an emulator that the connection names."""
    emulator, trusted = secure_emulator
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    connect(monkeypatch, tokens, healthcare_api_endpoint=emulator.url)
    with EmulatorAdmin(emulator.url, trusted) as admin:
        admin.reset()
        yield admin


def connect(monkeypatch: pytest.MonkeyPatch, tokens: TokenServer, **extra: Any) -> None:
    given = {"project": "demo-project", "keyfile_dict": json.dumps(tokens.key_file()), **extra}
    value = json.dumps({"conn_type": "google_cloud_platform", "extra": given})
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", value)


def operation() -> str:
    hook = HealthcareHook()
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
