"""From what came back over HTTP to the error it means; shared by the synchronous and the asynchronous client."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.errors import ApiError, TransientApiError, api_error
from airflow_healthcare_deid.operation import Operation
from airflow_healthcare_deid.resource_names import OperationName

if TYPE_CHECKING:
    from airflow_healthcare_deid.endpoint import Endpoint
    from airflow_healthcare_deid.hooks._methods import Method

USER_AGENT_PRODUCT = "airflow-healthcare-deid"
NOT_JSON = "what came back is no JSON object; a proxy may have answered"
NOT_AN_OPERATION = "what came back is no operation; a proxy may have answered"


def user_agent() -> str:
    """Return how requests introduce themselves."""
    import airflow

    from airflow_healthcare_deid import __version__

    return f"{USER_AGENT_PRODUCT}/{__version__} airflow/{airflow.__version__}"


def error_from_response(
    method: Method, resource: str, status: int, content: bytes, retry_after: str | None
) -> ApiError:
    """Return the error that an HTTP answer means.

    :param method: what was called.
    :param resource: on which resource.
    :param status: the HTTP status.
    :param content: the body, in Google's error envelope if all went as usual.
    :param retry_after: the ``Retry-After`` header.
    """
    said, reason = _envelope(content)
    message = f"{method.name} on {resource} was answered {status} {reason or ''}".rstrip()
    if said:
        message = f"{message}: {said}"
    if status == HTTPStatus.FORBIDDEN:
        message += (
            f". Either the permission is missing (needed: {method.permission}), or the resource does not exist: "
            "the service answers 403 for both"
        )
    elif status == HTTPStatus.NOT_FOUND:
        message += (
            f". Either the resource does not exist, or it is hidden from this caller (needed: {method.permission})"
        )
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        message += ". Redirects are not followed, so that no token leaves; api_endpoint names no Healthcare API"
    elif status == HTTPStatus.UNAUTHORIZED:
        message += ". The credentials of the connection were refused"
    return api_error(status, message, reason=reason, retry_after=_seconds(retry_after))


def no_answer(method: Method, resource: str, endpoint: Endpoint, problem: str, *, sent: bool) -> TransientApiError:
    """Return the error of a request that got no answer.

    :param problem: what went wrong on the way, such as the name of the exception.
    :param sent: whether the request may have reached the service.
    """
    message = f"{method.name} on {resource}: no answer from {endpoint.url} ({problem})"
    if endpoint.loopback:
        message += ". Start the emulator with: python -m airflow_healthcare_deid.emulator --port <port>"
    return TransientApiError(message, sent=sent)


def read_operation(method: Method, resource: str, endpoint: Endpoint, answer: dict[str, Any]) -> Operation:
    """Return the operation that an answer shows.

    :raises TransientApiError: if it shows none; whether one was started is not known then.
    """
    try:
        operation = Operation.from_dict(answer)
        OperationName.parse(operation.name)
        return operation
    except (AttributeError, KeyError, TypeError, ValueError):
        raise no_answer(method, resource, endpoint, NOT_AN_OPERATION, sent=True) from None


@lru_cache(maxsize=8)
def server_time(date: str | None) -> datetime | None:
    """Return the service's clock from a ``Date`` header; whole seconds, so hundreds of answers carry the same."""
    if not date:
        return None
    try:
        time = parsedate_to_datetime(date)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _envelope(content: bytes) -> tuple[str, str | None]:
    """Read ``{"error": {"message", "status"}}``; anything else, such as a proxy's page, is not repeated."""
    try:
        error: Any = json.loads(content)["error"]
        return str(error.get("message", "")).rstrip("."), error.get("status")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", None


def _seconds(retry_after: str | None) -> float | None:
    """Read ``Retry-After``: seconds or a date (RFC 9110, section 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    until = server_time(retry_after)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0) if until else None
