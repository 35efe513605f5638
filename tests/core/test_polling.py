from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.errors import InvalidRequestError
from airflow_healthcare_deid.operation import Progress
from airflow_healthcare_deid.polling import GROWTH, JITTER, PollSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600.0
RESOURCES = 1_000_000
SHAPES: dict[str, Callable[[float], float]] = {
    "steady": lambda time: time,
    "faster and faster": lambda time: time**3,
    "slower and slower": math.sqrt,
    "late start": lambda time: max(0.0, (time - 0.3) / 0.7),
}


def _watch(
    duration: float, uniform: Callable[[float, float], float], shape: Callable[[float], float] | None = None
) -> tuple[int, float]:
    """Simulate watching an operation; return the number of requests and how late its end was seen, as a share."""
    schedule, elapsed, requests, progress = PollSchedule(), 0.0, 0, None
    while elapsed < duration:
        elapsed += schedule.next_delay(elapsed, progress, uniform)
        requests += 1
        if shape:
            done = int(RESOURCES * shape(min(elapsed / duration, 1.0)))
            progress = Progress(success=done, pending=RESOURCES - done)
    return requests, (elapsed - duration) / duration


def _durations(source: random.Random) -> list[float]:
    """Return durations of 30 s to 24 h, log-uniform."""
    return [math.exp(source.uniform(math.log(30), math.log(24 * HOUR))) for _ in range(500)]


def test_four_hours_cost_at_most_a_hundred_requests() -> None:
    source = random.Random(6)
    assert max(_watch(4 * HOUR, source.uniform)[0] for _ in range(100)) <= 100


def test_the_end_is_seen_at_most_five_per_cent_late_on_average() -> None:
    source = random.Random(6)
    assert statistics.mean(_watch(duration, source.uniform)[1] for duration in _durations(source)) <= 0.05


@pytest.mark.parametrize("shape", SHAPES)
def test_counters_that_move_save_requests_and_time(shape: str) -> None:
    source = random.Random(6)
    durations = _durations(source)
    blind, seen = (
        [_watch(duration, source.uniform, progress) for duration in durations] for progress in (None, SHAPES[shape])
    )
    for figure in (0, 1):
        assert statistics.mean(run[figure] for run in seen) < statistics.mean(run[figure] for run in blind)


@given(st.floats(30, 24 * HOUR), st.randoms(use_true_random=False))
def test_requests_grow_with_the_logarithm_until_the_cap(duration: float, source: random.Random) -> None:
    schedule = PollSchedule()
    linear, capped = schedule.poll_interval / GROWTH, schedule.max_poll_interval / GROWTH
    slowest = 1 - JITTER
    allowed = min(duration, linear) / (schedule.poll_interval * slowest)
    allowed += max(0.0, math.log(min(duration, capped) / linear)) / math.log(1 + GROWTH * slowest)
    allowed += max(0.0, duration - capped) / (schedule.max_poll_interval * slowest)
    assert _watch(duration, source.uniform)[0] <= allowed + 3


@given(
    st.floats(-HOUR, 1e9),
    st.none() | st.builds(Progress, *[st.integers(0, 10**9)] * 3),
    st.floats(0.1, 60),
    st.floats(60, HOUR),
)
def test_a_wait_stays_between_its_bounds(elapsed: float, progress: Progress | None, low: float, high: float) -> None:
    delay = PollSchedule(low, high).next_delay(elapsed, progress)
    assert low * (1 - JITTER) <= delay <= high * (1 + JITTER)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((0,), "poll_interval"),
        ((-1,), "poll_interval"),
        ((float("nan"),), "poll_interval"),
        ((86_401, 100_000), "poll_interval"),
        ((10, 5), "max_poll_interval"),
    ],
)
def test_senseless_intervals_are_refused(arguments: tuple[float, ...], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        PollSchedule(*arguments)
    assert caught.value.field == field
