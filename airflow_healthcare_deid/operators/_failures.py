"""Which errors Airflow should not retry."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_healthcare_deid.errors import (
    AmbiguousSubmissionError,
    ConflictError,
    HealthcareDeidError,
    InvalidRequestError,
    RejectedRequestError,
    TooManyFailedResourcesError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FINAL_ERRORS = (
    AmbiguousSubmissionError,
    ConflictError,
    InvalidRequestError,
    RejectedRequestError,
    TooManyFailedResourcesError,
)
"""What another try cannot mend."""


@contextmanager
def final_errors_fail() -> Iterator[None]:
    """Make final errors fail the task at once; they keep their type and are an ``AirflowFailException`` as well."""
    try:
        yield
    except FINAL_ERRORS as error:
        if isinstance(error, AirflowFailException):
            raise
        raise _final(error).with_traceback(error.__traceback__) from None


def _final(error: HealthcareDeidError) -> HealthcareDeidError:
    kind = _final_kind(type(error))
    final = kind.__new__(kind, *error.args)
    final.__dict__.update(error.__dict__)
    return final


def _final_kind(kind: type[HealthcareDeidError]) -> type[HealthcareDeidError]:
    if kind not in _final_kinds:
        members = {"__doc__": kind.__doc__, "__module__": kind.__module__}
        _final_kinds[kind] = type(kind.__name__, (kind, AirflowFailException), members)
    return _final_kinds[kind]


_final_kinds: dict[type[HealthcareDeidError], type[HealthcareDeidError]] = {}
