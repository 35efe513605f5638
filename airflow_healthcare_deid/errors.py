"""Every error this package raises.

HealthcareDeidError
├── InvalidRequestError          what the user asked for is wrong; no retry can mend it
│   ├── InvalidResourceNameError     a resource name or id
│   ├── ConfigError                  a field of a request or of a DeidentifyConfig
│   └── InvalidEndpointError         the address of the service
├── ApiError                     the service answered with an error, or did not answer
│   ├── TransientApiError            408, 425, 429, 5xx, a lost connection: try again
│   ├── AuthenticationError          401, or no usable credentials
│   ├── PermissionOrNotFoundError    403 or 404: Google masks one as the other
│   ├── ConflictError                409: the thing is there already
│   └── RejectedRequestError         any other 4xx: the request itself is wrong
├── ValidationFailedError        data that should be de-identified is not, or that could not be shown
└── OperationError               an operation ended, or may have ended, without the result asked for
    ├── OperationFailedError         it carries an error
    ├── OperationCancelledError      somebody cancelled it
    ├── TooManyFailedResourcesError  it finished, but lost more resources than allowed
    ├── OperationTimeoutError        it did not finish before the deadline
    └── AmbiguousSubmissionError     a request may have been accepted, and which operation it started cannot be proven

Messages hold resource names, field names and counts, never a value of a patient's record, a key or a token.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that Google lists as retryable (Cloud Healthcare API, "Best practices for request latency")."""


class HealthcareDeidError(Exception):
    """Base of all errors of this package."""


class InvalidRequestError(HealthcareDeidError, ValueError):
    """What the user asked for cannot be sent.

    :param field: the field or argument at fault, as the user wrote it, for example ``dicom.keepList.tags[3]``.
    :param problem: what is wrong with its value, without the value where that could be secret.
    :param way_out: what to write instead.
    """

    def __init__(self, field: str, problem: str, way_out: str = "") -> None:
        self.field = field
        self.problem = problem
        self.way_out = way_out
        super().__init__(field, problem, way_out)

    def __str__(self) -> str:
        text = f"{self.field}: {self.problem}" if self.field else self.problem
        return f"{text}. {self.way_out}" if self.way_out else text


class InvalidResourceNameError(InvalidRequestError):
    """A resource name or a part of it is malformed."""


class ConfigError(InvalidRequestError):
    """A field of a request or of its ``DeidentifyConfig`` is wrong."""

    @property
    def path(self) -> str:
        """Path of the field inside the config or request, in Google's spelling."""
        return self.field


class InvalidEndpointError(InvalidRequestError):
    """The address of the service is malformed, or would send credentials in the clear."""


class ApiError(HealthcareDeidError):
    """The service answered a request with an error, or could not be reached.

    :param message: what happened, with what the service said of it.
    :param status: the HTTP status, or None when no answer arrived.
    :param reason: Google's status name, such as ``PERMISSION_DENIED``.
    :param retry_after: seconds the service asked to wait before the next try, if it did.
    :param sent: whether the request may have reached the service, so that it may have had its effect.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str | None = None,
        retry_after: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        self.sent = sent


class TransientApiError(ApiError):
    """A passing failure: the same request may succeed later."""


class AuthenticationError(ApiError):
    """The credentials are missing, expired beyond refresh, or refused."""


class PermissionOrNotFoundError(ApiError):
    """The caller may not do this, or the resource does not exist; Google answers 403 for both."""


class ConflictError(ApiError):
    """The resource to create exists already."""


class RejectedRequestError(ApiError):
    """The service refuses the request as it stands."""


class ValidationFailedError(HealthcareDeidError):
    """A validation found what a de-identification should not have left."""


class OperationError(HealthcareDeidError):
    """An operation did not bring the result asked for.

    :param message: what happened, with the operation, its counters and its logs URL.
    :param operation_name: full name of the operation, if one is known.
    """

    def __init__(self, message: str, *, operation_name: str | None = None) -> None:
        super().__init__(message)
        self.operation_name = operation_name


class OperationFailedError(OperationError):
    """The operation ended with an error."""


class OperationCancelledError(OperationError):
    """The operation was cancelled; what it had written by then stays."""


class TooManyFailedResourcesError(OperationError):
    """The operation finished, but more resources failed than the failure policy allows."""


class OperationTimeoutError(OperationError):
    """The operation did not finish before the deadline."""


class AmbiguousSubmissionError(OperationError):
    """A request may have been accepted, and which operation it started cannot be proven.

    :param candidates: names of the operations that may be the one.
    """

    def __init__(self, message: str, *, candidates: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


def api_error(status: int, message: str, *, reason: str | None = None, retry_after: float | None = None) -> ApiError:
    """Return the error class that an HTTP status calls for.

    :param status: the HTTP status of the answer.
    :param message: what was asked and what the service said.
    :param reason: Google's status name from the error envelope.
    :param retry_after: seconds from the ``Retry-After`` header.
    """
    kind: type[ApiError] = RejectedRequestError
    if status in TRANSIENT_STATUSES:
        kind = TransientApiError
    elif status == HTTPStatus.UNAUTHORIZED:
        kind = AuthenticationError
    elif status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        kind = PermissionOrNotFoundError
    elif status == HTTPStatus.CONFLICT:
        kind = ConflictError
    return kind(message, status=status, reason=reason, retry_after=retry_after)
