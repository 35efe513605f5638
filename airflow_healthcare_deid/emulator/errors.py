"""Errors as Google's HTTP APIs answer them.

Envelope: https://cloud.google.com/apis/design/errors#http_mapping. Which status means what in this API:
the Cloud Healthcare API's client samples and conformance statement.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from airflow_healthcare_deid.errors import HealthcareDeidError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Code(IntEnum):
    """``google.rpc.Code``."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


_HTTP_STATUS = {
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}

_CODE_OF_STATUS = {
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    405: Code.UNIMPLEMENTED,
    409: Code.ALREADY_EXISTS,
    429: Code.RESOURCE_EXHAUSTED,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    503: Code.UNAVAILABLE,
}


class ServiceError(HealthcareDeidError):
    """An answer other than success, in Google's envelope; also how an operation fails.

    :param code: Google's canonical code.
    :param message: one sentence without any value of a patient's record.
    :param details: ``error.details``, messages with an ``@type``.
    :param http_status: the HTTP status, where it is not the one Google maps the code to.
    """

    def __init__(
        self, code: Code, message: str, details: Sequence[Mapping[str, Any]] = (), *, http_status: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.http_status = http_status or _HTTP_STATUS.get(code, 500)

    def status(self) -> dict[str, Any]:
        """Return the ``google.rpc.Status`` that a failed operation carries."""
        return {"code": int(self.code), "message": self.message, **self._details()}

    def response(self) -> JSONResponse:
        """Return the HTTP answer."""
        return error_response(self.http_status, self.message, self.code, self._details())

    def _details(self) -> dict[str, Any]:
        return {"details": [dict(detail) for detail in self.details]} if self.details else {}


def error_response(
    http_status: int, message: str, code: Code | None = None, extra: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return Google's envelope for an HTTP status."""
    if code is None:
        code = _CODE_OF_STATUS.get(http_status, Code.INVALID_ARGUMENT if http_status < 500 else Code.INTERNAL)
    error = {"code": http_status, "message": message, "status": code.name, **(extra or {})}
    return JSONResponse({"error": error}, status_code=http_status)


def invalid(message: str, *, field: str | None = None) -> ServiceError:
    """Return a 400 INVALID_ARGUMENT, with the field at fault in ``BadRequest`` details if it is known."""
    details = []
    if field is not None:
        violation = {"field": field, "description": message}
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    return ServiceError(Code.INVALID_ARGUMENT, message, details)


def permission_denied(permission: str, resource: str) -> ServiceError:
    """Return the 403 with which the service masks what does not exist."""
    return ServiceError(
        Code.PERMISSION_DENIED,
        f"Permission {permission} denied on resource {resource} (or it may be malformed or not exist).",
    )


def not_found(what: str, name: str) -> ServiceError:
    """Return a 404 for something missing inside a dataset that exists."""
    return ServiceError(Code.NOT_FOUND, f"{what} not found: {name}")


def already_exists(what: str, name: str) -> ServiceError:
    """Return a 409."""
    return ServiceError(Code.ALREADY_EXISTS, f"already exists: {what} {name}")


def unimplemented(message: str) -> ServiceError:
    """Return a 501 for what the service has and this emulator has not."""
    return ServiceError(Code.UNIMPLEMENTED, message)
