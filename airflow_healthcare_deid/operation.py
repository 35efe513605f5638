"""What a long-running operation is: a snapshot of its state, its progress, and the verdict on its end.

Shapes: ``Operation``, ``OperationMetadata`` and ``ProgressCounter`` of the discovery document. Rules of judgement:
Cloud Healthcare API, "Best practices for long-running operations": ``error`` first, then ``counter.failure``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import msgspec

from airflow_healthcare_deid.errors import (
    InvalidRequestError,
    OperationCancelledError,
    OperationFailedError,
    TooManyFailedResourcesError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CANCELLED_CODE = 1
"""``google.rpc.Code.CANCELLED``, the ``error.code`` of an operation after a successful cancel."""


UNKNOWN_CODE = 2
"""``google.rpc.Code.UNKNOWN``, taken for an error that names no code."""


class OperationStatus(StrEnum):
    """Where an operation stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Progress(msgspec.Struct, frozen=True):
    """Counters of an operation, in resources (DICOM instances, FHIR resources).

    The service sends them as strings and leaves out those that are zero.
    """

    success: int = 0
    failure: int = 0
    pending: int = 0
    secondary_success: int = 0
    secondary_failure: int = 0

    @classmethod
    def from_dict(cls, counter: Mapping[str, Any] | None) -> Self:
        """Read a ``ProgressCounter``; what is absent counts as zero."""
        counter = counter or {}
        return cls(
            success=int(counter.get("success", 0)),
            failure=int(counter.get("failure", 0)),
            pending=int(counter.get("pending", 0)),
            secondary_success=int(counter.get("secondarySuccess", 0)),
            secondary_failure=int(counter.get("secondaryFailure", 0)),
        )

    @property
    def processed(self) -> int:
        """Resources dealt with so far, well or badly."""
        return self.success + self.failure

    @property
    def fraction(self) -> float | None:
        """Share of the known resources dealt with, or None while no number of pending ones is known."""
        total = self.processed + self.pending
        return self.processed / total if self.pending and total else None

    def __str__(self) -> str:
        parts = [f"{self.success} succeeded", f"{self.failure} failed"]
        if self.pending:
            parts.append(f"{self.pending} pending")
        if self.secondary_success or self.secondary_failure:
            parts.append(f"secondary: {self.secondary_success} succeeded, {self.secondary_failure} failed")
        return ", ".join(parts)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One look at an operation."""

    name: str
    done: bool = False
    api_method_name: str | None = None
    create_time: datetime | None = None
    end_time: datetime | None = None
    logs_url: str | None = None
    cancel_requested: bool = False
    progress: Progress = Progress()
    error_code: int | None = None
    error_message: str | None = None

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """Read an ``Operation`` as the service sends it; metadata, ``done`` and counters may be missing."""
        metadata = body.get("metadata") or {}
        error = body.get("error")
        return cls(
            name=body["name"],
            done=bool(body.get("done", False)),
            api_method_name=metadata.get("apiMethodName"),
            create_time=_timestamp(metadata.get("createTime")),
            end_time=_timestamp(metadata.get("endTime")),
            logs_url=metadata.get("logsUrl"),
            cancel_requested=bool(metadata.get("cancelRequested", False)),
            progress=Progress.from_dict(metadata.get("counter")),
            error_code=None if error is None else int(error.get("code", UNKNOWN_CODE)),
            error_message=None if error is None else error.get("message"),
        )

    @property
    def status(self) -> OperationStatus:
        """Where it stands; a partial success is still ``SUCCEEDED``, the counters tell."""
        if not self.done:
            return OperationStatus.RUNNING
        if self.error_code is None:
            return OperationStatus.SUCCEEDED
        return OperationStatus.CANCELLED if self.error_code == CANCELLED_CODE else OperationStatus.FAILED

    @property
    def duration(self) -> float | None:
        """Seconds from creation to the end, once both are known."""
        if self.create_time is None or self.end_time is None:
            return None
        return (self.end_time - self.create_time).total_seconds()


class FailurePolicy(msgspec.Struct, frozen=True):
    """How many resources an operation may lose and still count as a success.

    :param max_failed_resources: most resources that may fail; None sets no number.
    :param max_failed_ratio: largest share of the resources that may fail, 0 to 1; None sets no share.
    """

    max_failed_resources: int | None = 0
    max_failed_ratio: float | None = None

    def __post_init__(self) -> None:
        if self.max_failed_resources is not None and self.max_failed_resources < 0:
            raise InvalidRequestError("max_failed_resources", "is negative", "Use 0 or more, or None for no limit")
        if self.max_failed_ratio is not None and not 0 <= self.max_failed_ratio <= 1:
            raise InvalidRequestError("max_failed_ratio", "is not between 0 and 1", "Use a share such as 0.01")

    def check(self, operation: Operation) -> None:
        """Judge a finished operation.

        :raises OperationCancelledError: if it was cancelled.
        :raises OperationFailedError: if it carries another error.
        :raises TooManyFailedResourcesError: if it lost more resources than allowed.
        """
        name = operation.name
        if operation.status is OperationStatus.CANCELLED:
            raise OperationCancelledError(f"Operation {name} was cancelled{_account(operation)}", operation_name=name)
        if operation.status is OperationStatus.FAILED:
            said = f" with code {operation.error_code}: {operation.error_message or 'no message'}"
            raise OperationFailedError(f"Operation {name} failed{said}{_account(operation)}", operation_name=name)
        failed = operation.progress.failure + operation.progress.secondary_failure
        if self._exceeded(operation.progress, failed):
            raise TooManyFailedResourcesError(
                f"Operation {name} finished, but {failed} resources failed and are missing from the destination; "
                f"allowed: {self}{_account(operation)}",
                operation_name=name,
            )

    def _exceeded(self, progress: Progress, failed: int) -> bool:
        if self.max_failed_resources is not None and failed > self.max_failed_resources:
            return True
        total = progress.processed + progress.secondary_success + progress.secondary_failure
        # A quotient of integers rounds as the literal share does (29 of 100 is 0.29); a product need not.
        return self.max_failed_ratio is not None and failed > 0 and failed / total > self.max_failed_ratio

    def __str__(self) -> str:
        limits = []
        if self.max_failed_resources is not None:
            limits.append(f"max_failed_resources={self.max_failed_resources}")
        if self.max_failed_ratio is not None:
            limits.append(f"max_failed_ratio={self.max_failed_ratio}")
        return " and ".join(limits) or "any number"


def _account(operation: Operation) -> str:
    logs = f" Logs: {operation.logs_url}" if operation.logs_url else ""
    return f" ({operation.progress}).{logs}"


def _timestamp(text: str | None) -> datetime | None:
    """Read a time of the service; one that cannot be read is as good as none, and no reason to lose the operation."""
    try:
        return msgspec.convert(text, datetime) if text else None
    except msgspec.ValidationError:
        return None
