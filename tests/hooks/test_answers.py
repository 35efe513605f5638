"""From an answer to the error it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from airflow_healthcare_deid.endpoint import Endpoint
from airflow_healthcare_deid.errors import ApiError, PermissionOrNotFoundError, RejectedRequestError, TransientApiError
from airflow_healthcare_deid.hooks._answers import error_from_response, no_answer, server_time
from airflow_healthcare_deid.hooks._backoff import MAX_RETRY_AFTER, Backoff
from airflow_healthcare_deid.hooks._methods import METHODS
from airflow_healthcare_deid.hooks._transport import may_have_been_sent

METHOD = METHODS["datasets.get"]
NAME = "projects/p/locations/l/datasets/d"


def error(status: int, content: bytes = b"", retry_after: str | None = None) -> ApiError:
    return error_from_response(METHOD, NAME, status, content, retry_after)


def test_googles_envelope_is_read() -> None:
    content = b'{"error": {"code": 400, "message": "Bad tag.", "status": "INVALID_ARGUMENT"}}'
    caught = error(400, content)
    assert isinstance(caught, RejectedRequestError)
    assert caught.reason == "INVALID_ARGUMENT"
    assert str(caught) == f"datasets.get on {NAME} was answered 400 INVALID_ARGUMENT: Bad tag"


@pytest.mark.parametrize("content", [b"", b"<html>secret</html>", b"[]", b"null", b'{"error": "text"}'])
def test_anything_else_is_not_repeated(content: bytes) -> None:
    assert "secret" not in str(error(403, content))
    assert isinstance(error(403, content), PermissionOrNotFoundError)


def test_retry_after_in_both_forms() -> None:
    assert error(429, retry_after="17").retry_after == 17
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (error(503, retry_after=date).retry_after or 0) <= 60
    assert error(503, retry_after=format_datetime(datetime(2000, 1, 1, tzinfo=UTC), usegmt=True)).retry_after == 0
    assert error(503, retry_after="soon").retry_after is None


def test_the_services_clock() -> None:
    assert server_time("Mon, 23 Nov 2026 13:00:00 GMT") == datetime(2026, 11, 23, 13, tzinfo=UTC)
    assert server_time("yesterday") is None
    assert server_time(None) is None


def test_only_an_emulator_is_to_be_started() -> None:
    far = no_answer(METHOD, NAME, Endpoint("https://healthcare.googleapis.com"), "Timeout", sent=True)
    assert "emulator" not in str(far)


def test_a_connection_that_was_never_made_carried_nothing() -> None:
    refused = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    assert not may_have_been_sent(RequestsConnectionError(MaxRetryError(None, "/", refused)))  # type: ignore[arg-type]
    assert may_have_been_sent(RequestsConnectionError(ProtocolError("dropped", ConnectionResetError())))


def test_backoff_doubles_within_bounds_and_obeys_within_reason() -> None:
    backoff = Backoff(1, 8, uniform=lambda low, high: high)
    passing = TransientApiError("busy")
    assert [backoff.after(passing) for _ in range(6)] == [1, 2, 4, 8, 8, 8]
    assert backoff.after(TransientApiError("busy", retry_after=30)) == 30
    assert backoff.after(TransientApiError("busy", retry_after=1e6)) == MAX_RETRY_AFTER
    backoff.reset()
    assert backoff.after(passing) == 1
