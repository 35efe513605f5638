"""Where requests go, and whether credentials go with them."""

from __future__ import annotations

import pytest

from airflow_healthcare_deid.endpoint import resolve_endpoint
from airflow_healthcare_deid.errors import InvalidEndpointError

EMULATOR = {"HEALTHCARE_EMULATOR_HOST": "http://127.0.0.1:8085"}


def test_google_is_the_default() -> None:
    endpoint = resolve_endpoint(environ={})
    assert (endpoint.url, endpoint.credentials) == ("https://healthcare.googleapis.com", True)


def test_another_universe() -> None:
    endpoint = resolve_endpoint(environ={"GOOGLE_CLOUD_UNIVERSE_DOMAIN": "example.cloud"})
    assert (endpoint.url, endpoint.credentials) == ("https://healthcare.example.cloud", True)


def test_the_argument_comes_before_the_connection_before_the_environment() -> None:
    extras = {"healthcare_api_endpoint": "https://b.example"}
    assert resolve_endpoint("https://a.example", extras, EMULATOR).url == "https://a.example"
    assert resolve_endpoint(None, extras, EMULATOR).url == "https://b.example"
    assert resolve_endpoint(None, {}, EMULATOR).url == "http://127.0.0.1:8085"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.8.9.1", "http://a.localhost"]
)
def test_plain_http_to_this_machine_gets_no_credentials(address: str) -> None:
    endpoint = resolve_endpoint(address, environ={})
    assert (endpoint.url, endpoint.credentials, endpoint.loopback) == (address, False, True)


@pytest.mark.parametrize(
    "address",
    [
        "http://healthcare.googleapis.com",
        "http://10.0.0.1:80",
        "http://127.0.0.1.example.com",
        "http://localhost.evil.org",
    ],
)
def test_plain_http_to_another_machine_is_refused(address: str) -> None:
    with pytest.raises(InvalidEndpointError, match="plain http"):
        resolve_endpoint(address, environ={})
    with pytest.raises(InvalidEndpointError, match="HEALTHCARE_EMULATOR_HOST"):
        resolve_endpoint(None, None, {"HEALTHCARE_EMULATOR_HOST": address})


@pytest.mark.parametrize(
    "address",
    [
        "ftp://127.0.0.1",
        "healthcare.googleapis.com",
        "https://",
        "https://user:pw@example.com",
        "https://example.com/v1",
        "https://example.com?x=1",
        "https://example.com:99999",
        "https://[::1",
    ],
)
def test_a_malformed_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidEndpointError, match="api_endpoint"):
        resolve_endpoint(address, environ={})


def test_an_emulator_host_may_leave_out_the_scheme() -> None:
    endpoint = resolve_endpoint(None, None, {"HEALTHCARE_EMULATOR_HOST": "localhost:8085"})
    assert endpoint.url == "http://localhost:8085"


@pytest.mark.parametrize(
    ("address", "credentials"),
    [
        ("https://healthcare.googleapis.com", True),
        ("https://us-healthcare.googleapis.com", True),
        ("https://evilgoogleapis.com", False),
        ("https://googleapis.com.evil.org", False),
        ("https://127.0.0.1:1", False),
    ],
)
def test_only_what_was_named_on_purpose_or_is_googles_gets_credentials(address: str, credentials: bool) -> None:
    assert resolve_endpoint(None, None, {"HEALTHCARE_EMULATOR_HOST": address}).credentials is credentials
    assert resolve_endpoint(address, environ={}).credentials


def test_a_message_never_repeats_credentials() -> None:
    with pytest.raises(InvalidEndpointError) as caught:
        resolve_endpoint("https://user:hunter2@example.com", environ={})
    assert "hunter2" not in str(caught.value)
