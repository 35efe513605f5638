"""When to ask again how an operation is doing.

A pure function of elapsed time and progress, shared by the trigger, the sensor and the waiting worker. Each wait is a
tenth of the time elapsed, up to a cap, so the requests grow with the logarithm of the duration until the cap is reached
(at most 100 for 4 hours) and the end is noticed within about a tenth of it. Counters that say how much is left allow
longer waits on the way and call for shorter ones near the end. Google advises to start at about 10 seconds (Cloud
Healthcare API, "Best practices for long-running operations").
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.operation import Progress

GROWTH = 0.1
GROWTH_WITH_COUNTERS = 0.25
JITTER = 0.1


class PollSchedule(msgspec.Struct, frozen=True):
    """When to ask next.

    :param poll_interval: seconds before the first request, and the least between two.
    :param max_poll_interval: most seconds between two requests. Each wait then varies by a tenth of itself either way,
        so that many operations started at once are not asked for at once.
    """

    poll_interval: float = 10.0
    max_poll_interval: float = 300.0

    def __post_init__(self) -> None:
        if not 0 < self.poll_interval <= 86_400:
            raise InvalidRequestError("poll_interval", "must be above 0 and at most 86400 seconds")
        if self.max_poll_interval < self.poll_interval:
            raise InvalidRequestError("max_poll_interval", "is shorter than poll_interval", "Raise it")

    def next_delay(
        self,
        elapsed: float,
        progress: Progress | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> float:
        """Return how many seconds to wait before the next request.

        :param elapsed: seconds since the operation was created.
        :param progress: its counters, if known; once they say how much is left, the wait is half of that, but never
            more than a quarter of the time elapsed: they may be wrong.
        :param uniform: source of the jitter, for tests.
        """
        elapsed = max(elapsed, 0.0)
        delay = GROWTH * elapsed
        fraction = progress.fraction if progress else None
        if fraction:
            # At a steady rate the rest takes this long; asking at half of it homes in on the end.
            remaining = elapsed * (1 - fraction) / fraction
            delay = min(GROWTH_WITH_COUNTERS * elapsed, remaining / 2)
        delay = min(max(delay, self.poll_interval), self.max_poll_interval)
        return delay * uniform(1 - JITTER, 1 + JITTER)
