"""When a watch asks, and when it gives up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_healthcare_deid.errors import PermissionOrNotFoundError, TransientApiError
from airflow_healthcare_deid.operation import Operation, Progress
from airflow_healthcare_deid.polling import PollSchedule
from airflow_healthcare_deid.triggers._watch import MAX_FAILURES, OperationWatch, ServiceClock

START = 1_000_000.0
NAME = "projects/p/locations/l/datasets/d/operations/1"


class Clocks:
    """A wall clock and a steady one."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 50.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def clock(self) -> ServiceClock:
        return ServiceClock(lambda: self.wall, lambda: self.steady)


def longest(_: float, high: float) -> float:
    return high


def watch(clocks: Clocks, **arguments: Any) -> OperationWatch:
    given: dict[str, Any] = {"started": START, "clock": clocks.clock(), "uniform": lambda low, high: (low + high) / 2}
    return OperationWatch(PollSchedule(10, 300), **given | arguments)


def running(success: int = 0, pending: int = 0) -> Operation:
    return Operation(
        name=NAME, create_time=datetime.fromtimestamp(START, UTC), progress=Progress(success=success, pending=pending)
    )


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def test_the_first_look_comes_after_the_interval() -> None:
    clocks = Clocks()
    clocks.pass_time(2)
    assert watch(clocks).first_delay() == pytest.approx(8)


def test_a_watch_that_starts_late_looks_soon_but_not_at_once() -> None:
    clocks = Clocks()
    clocks.pass_time(5000)
    assert watch(clocks).first_delay() == 5
    assert watch(clocks, uniform=longest).first_delay() == 10


def test_looks_grow_rarer() -> None:
    clocks = Clocks()
    one = watch(clocks)
    assert one.saw(running(), at(1000)) == pytest.approx(100)


def test_a_wall_clock_that_jumps_ahead_does_not_end_the_wait() -> None:
    clocks = Clocks()
    one = watch(clocks, deadline=START + 3600)
    one.saw(running(), at(60))
    clocks.wall += 86_400
    assert not one.overdue
    clocks.pass_time(3600)
    assert one.overdue


def test_no_wait_reaches_past_the_deadline() -> None:
    one = watch(Clocks(), deadline=START + 1003)
    assert one.saw(running(), at(1000)) == pytest.approx(3)


def test_failures_grow_rarer_and_respect_what_the_service_asks() -> None:
    one = watch(Clocks())
    delays = [one.failed(TransientApiError("busy")) for _ in range(4)]
    assert delays == [7.5, 15, 30, 60]
    assert one.failed(TransientApiError("busy", retry_after=500)) == 500


def test_an_answer_ends_the_count_of_failures() -> None:
    one = watch(Clocks())
    for _ in range(3 * MAX_FAILURES):
        one.failed(TransientApiError("busy"))
        one.saw(running(), at(1))


def test_failures_are_bounded_without_a_deadline_only() -> None:
    one = watch(Clocks())
    for _ in range(MAX_FAILURES - 1):
        one.failed(TransientApiError("busy"))
    with pytest.raises(TransientApiError):
        one.failed(TransientApiError("busy"))
    bounded = watch(Clocks(), deadline=START + 1e6)
    for _ in range(5 * MAX_FAILURES):
        bounded.failed(TransientApiError("busy"))


def test_a_failure_that_stays_is_raised() -> None:
    with pytest.raises(PermissionOrNotFoundError):
        watch(Clocks()).failed(PermissionOrNotFoundError("no", status=403))


def test_news_is_what_changes() -> None:
    one = watch(Clocks())
    assert one.is_news(running(1, 9))
    one.saw(running(1, 9), at(1))
    assert not one.is_news(running(1, 9))
    assert one.is_news(running(2, 8))
