from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_healthcare_deid.errors import (
    InvalidRequestError,
    OperationCancelledError,
    OperationFailedError,
    TooManyFailedResourcesError,
)
from airflow_healthcare_deid.operation import FailurePolicy, Operation, OperationStatus, Progress

NAME = "projects/p/locations/l/datasets/d/operations/42"
FINISHED = {
    "name": NAME,
    "metadata": {
        "@type": "type.googleapis.com/google.cloud.healthcare.v1.OperationMetadata",
        "apiMethodName": "google.cloud.healthcare.v1.dataset.DatasetService.DeidentifyDataset",
        "createTime": "2026-11-23T10:00:00.123456789Z",
        "endTime": "2026-11-23T10:01:30Z",
        "logsUrl": "https://console.cloud.google.com/logs/query/x",
        "counter": {"success": "9", "failure": "1"},
    },
    "done": True,
    "response": {},
}


def _operation(**body: Any) -> Operation:
    return Operation.from_dict({"name": NAME, "done": True, **body})


def _counted(success: int, failure: int = 0, **more: int) -> Operation:
    return _operation(metadata={"counter": {"success": str(success), "failure": str(failure), **more}})


def test_a_finished_operation_is_read() -> None:
    operation = Operation.from_dict(FINISHED)
    assert operation.status is OperationStatus.SUCCEEDED
    assert operation.progress == Progress(success=9, failure=1)
    assert operation.create_time is not None
    assert operation.create_time.replace(microsecond=0) == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert operation.duration == pytest.approx(89.9, abs=0.1)
    assert operation.logs_url == FINISHED["metadata"]["logsUrl"]  # type: ignore[index]


def test_a_bare_name_is_a_running_operation() -> None:
    operation = Operation.from_dict({"name": NAME})
    assert operation.status is OperationStatus.RUNNING
    assert operation.progress == Progress()
    assert operation.duration is None


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, OperationStatus.SUCCEEDED),
        ({}, OperationStatus.FAILED),
        ({"message": "no code"}, OperationStatus.FAILED),
        ({"code": 7, "message": "denied"}, OperationStatus.FAILED),
        ({"code": 1}, OperationStatus.CANCELLED),
    ],
)
def test_an_error_decides_over_the_status(error: Any, status: OperationStatus) -> None:
    assert _operation(error=error).status is status


def test_an_unreadable_time_does_not_lose_the_operation() -> None:
    assert _operation(metadata={"createTime": "yesterday"}).create_time is None


@pytest.mark.parametrize(
    ("counter", "fraction"),
    [
        ({}, None),
        ({"success": "3"}, None),
        ({"pending": "4"}, 0.0),
        ({"success": "2", "failure": "1", "pending": "9"}, 0.25),
    ],
)
def test_the_fraction_is_known_once_pending_resources_are(counter: dict[str, str], fraction: float | None) -> None:
    assert Progress.from_dict(counter).fraction == fraction


def test_progress_reads_as_a_sentence() -> None:
    counter = {"success": "2", "failure": "1", "pending": "9", "secondarySuccess": "5"}
    assert str(Progress.from_dict(counter)) == "2 succeeded, 1 failed, 9 pending, secondary: 5 succeeded, 0 failed"


@pytest.mark.parametrize(
    ("policy", "operation"),
    [
        (FailurePolicy(), _counted(0)),
        (FailurePolicy(), _counted(10)),
        (FailurePolicy(max_failed_resources=1), _counted(9, 1)),
        (FailurePolicy(max_failed_resources=None), _counted(0, 10)),
        (FailurePolicy(max_failed_resources=None, max_failed_ratio=0.29), _counted(71, 29)),
        (FailurePolicy(max_failed_resources=None, max_failed_ratio=0.0), _counted(0)),
    ],
)
def test_failures_within_the_policy_pass(policy: FailurePolicy, operation: Operation) -> None:
    policy.check(operation)


@pytest.mark.parametrize(
    ("policy", "operation"),
    [
        (FailurePolicy(), _counted(1000, 1)),
        (FailurePolicy(), _counted(1000, secondaryFailure=1)),
        (FailurePolicy(max_failed_resources=5, max_failed_ratio=0.1), _counted(1000, 6)),
        (FailurePolicy(max_failed_resources=5, max_failed_ratio=0.1), _counted(10, 5)),
        (FailurePolicy(max_failed_resources=None, max_failed_ratio=0.28), _counted(71, 29)),
        (FailurePolicy(max_failed_resources=None, max_failed_ratio=0.0), _counted(10**9, 1)),
    ],
)
def test_more_failures_are_refused_with_the_counts(policy: FailurePolicy, operation: Operation) -> None:
    with pytest.raises(TooManyFailedResourcesError, match=r"\d+ failed") as caught:
        policy.check(operation)
    assert caught.value.operation_name == NAME
    assert str(policy) in str(caught.value)


@pytest.mark.parametrize(("code", "kind"), [(1, OperationCancelledError), (13, OperationFailedError)])
def test_an_error_is_refused_by_any_policy_and_says_how_far_it_came(code: int, kind: type[Exception]) -> None:
    operation = Operation.from_dict({**FINISHED, "error": {"code": code, "message": "stopped"}})
    with pytest.raises(kind, match=r"9 succeeded, 1 failed.*logs/query"):
        FailurePolicy(max_failed_resources=None).check(operation)


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"max_failed_resources": -1}, "max_failed_resources"),
        ({"max_failed_ratio": 1.1}, "max_failed_ratio"),
        ({"max_failed_ratio": float("nan")}, "max_failed_ratio"),
    ],
)
def test_a_senseless_policy_is_refused(limits: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        FailurePolicy(**limits)
    assert caught.value.field == field
