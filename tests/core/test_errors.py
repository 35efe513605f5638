from __future__ import annotations

import pickle
import re

import pytest

from airflow_healthcare_deid import errors
from airflow_healthcare_deid.errors import (
    AmbiguousSubmissionError,
    ApiError,
    AuthenticationError,
    ConfigError,
    ConflictError,
    HealthcareDeidError,
    OperationFailedError,
    PermissionOrNotFoundError,
    RejectedRequestError,
    TransientApiError,
    api_error,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, TransientApiError) for status in (408, 425, 429, 500, 502, 503, 504)),
        (401, AuthenticationError),
        (403, PermissionOrNotFoundError),
        (404, PermissionOrNotFoundError),
        (409, ConflictError),
        *((status, RejectedRequestError) for status in (400, 412, 413, 501)),
    ],
)
def test_a_status_has_one_class_of_error(status: int, kind: type[ApiError]) -> None:
    error = api_error(status, "GET x: no", reason="WHY", retry_after=2.5)
    assert type(error) is kind
    assert (error.status, error.reason, error.retry_after, error.sent) == (status, "WHY", 2.5, True)


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("dicom.keepList", "is wrong", "Mend it"),
        TransientApiError("gone", status=503, retry_after=1.0, sent=False),
        OperationFailedError("failed", operation_name="projects/p"),
        AmbiguousSubmissionError("which?", candidates=["a", "b"]),
    ],
)
def test_an_error_survives_the_way_between_processes(error: HealthcareDeidError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("field", "is wrong", "Mend it"), "field: is wrong. Mend it"),
        (("field", "is wrong"), "field: is wrong"),
        (("", "All is wrong", ""), "All is wrong"),
    ],
)
def test_a_request_error_names_field_problem_and_way_out(parts: tuple[str, ...], text: str) -> None:
    error = ConfigError(*parts)
    assert str(error) == text
    assert error.path == parts[0]
    assert isinstance(error, ValueError)


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = re.findall(r"^\W*(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    real = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert sorted(drawn) == sorted(real)
