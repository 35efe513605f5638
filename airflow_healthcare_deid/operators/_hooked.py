"""What operators and sensors have in common: who asks whom, and how a step of a task ends."""

from __future__ import annotations

from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_healthcare_deid.endpoint import resolve_endpoint
from airflow_healthcare_deid.errors import (
    AmbiguousSubmissionError,
    ConflictError,
    HealthcareDeidError,
    InvalidRequestError,
    RejectedRequestError,
    TooManyFailedResourcesError,
    ValidationFailedError,
)
from airflow_healthcare_deid.operators._literals import is_template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook

M = TypeVar("M", bound="Callable[..., Any]")

FINAL_ERRORS = (
    AmbiguousSubmissionError,
    ConflictError,
    InvalidRequestError,
    RejectedRequestError,
    TooManyFailedResourcesError,
    ValidationFailedError,
)
"""What another try cannot mend."""


class Hooked:
    """A task that calls the service through one hook."""

    gcp_conn_id: str
    impersonation_chain: str | Sequence[str] | None
    quota_project_id: str | None
    api_endpoint: str | None

    @cached_property
    def hook(self) -> HealthcareHook:
        """The hook, built when first needed; importing it takes a second."""
        from airflow_healthcare_deid.hooks.healthcare import HealthcareHook

        return HealthcareHook(
            self.gcp_conn_id,
            self.impersonation_chain,
            quota_project_id=self.quota_project_id,
            api_endpoint=self.api_endpoint,
        )


def check_literal_endpoint(address: object) -> None:
    """Check an ``api_endpoint`` that stands in a DAG file.

    :raises InvalidEndpointError: if it is malformed, or would send credentials in the clear.
    """
    if isinstance(address, str) and not is_template(address):
        resolve_endpoint(address)


def task_step(method: M) -> M:
    """Let a method of a task end well: connections are closed, and final errors fail the task at once.

    A final error keeps its type and is an ``AirflowFailException`` as well, so that Airflow does not try again.
    """

    @wraps(method)
    def step(self: Hooked, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except FINAL_ERRORS as error:
            if isinstance(error, AirflowFailException):
                raise
            raise _final(error).with_traceback(error.__traceback__) from None
        finally:
            if "hook" in self.__dict__:
                self.hook.close()

    return cast("M", step)


def _final(error: HealthcareDeidError) -> HealthcareDeidError:
    kind = type(error)
    if kind not in _final_kinds:
        members: dict[str, Any] = {"__doc__": kind.__doc__, "__module__": kind.__module__}
        _final_kinds[kind] = type(kind.__name__, (kind, AirflowFailException), members)
    final = _final_kinds[kind].__new__(_final_kinds[kind], *error.args)
    final.__dict__.update(error.__dict__)
    return final


_final_kinds: dict[type[HealthcareDeidError], type[HealthcareDeidError]] = {}
