"""Watching an operation without doing any I/O: when to ask, what an answer or a failure means, when to give up.

The trigger and the waiting worker run the same watch, the one on an event loop and the other in a thread.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_healthcare_deid.errors import TransientApiError
from airflow_healthcare_deid.hooks._backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.errors import ApiError
    from airflow_healthcare_deid.operation import Operation
    from airflow_healthcare_deid.polling import PollSchedule

MAX_FAILURES = 20
"""Passing failures in a row that are sat out where no deadline is set; they last about half an hour."""


class ServiceClock:
    """The service's time, carried on by a clock that does not jump.

    Deadlines are the service's: a worker or triggerer whose clock is set forward must not give up early.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steady = steady
        self._offset = wall() - steady()

    def heard(self, server_time: datetime | None) -> None:
        """Set the clock by an answer of the service."""
        if server_time is not None:
            self._offset = server_time.timestamp() - self._steady()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._offset + self._steady()


class OperationWatch:
    """What is known of an operation while it runs.

    :param schedule: when to ask next.
    :param started: when the operation was started, in seconds since the epoch.
    :param deadline: when to give up, in seconds since the epoch; None for never.
    """

    def __init__(
        self,
        schedule: PollSchedule,
        started: float,
        deadline: float | None = None,
        clock: ServiceClock | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.operation: Operation | None = None
        self._schedule = schedule
        self._started = started
        self._deadline = deadline
        self._clock = clock or ServiceClock()
        self._uniform = uniform
        self._backoff = Backoff(schedule.poll_interval, schedule.max_poll_interval, uniform)

    def first_delay(self) -> float:
        """Seconds before the first request.

        A watch that starts late, because its triggerer was restarted, asks soon; but not all at the same moment.
        """
        interval = self._schedule.poll_interval
        elapsed = self._clock.now() - self._started
        if 0 <= elapsed < interval:
            return self._until_deadline(self._schedule.next_delay(elapsed, uniform=self._uniform) - elapsed)
        return self._until_deadline(self._uniform(0, interval))

    def is_news(self, operation: Operation) -> bool:
        """Tell whether an answer differs from the last one in what a reader of the log cares for."""
        return self.operation is None or operation.progress != self.operation.progress or operation.done

    def saw(self, operation: Operation, server_time: datetime | None) -> float:
        """Take in an answer and return how many seconds to wait before the next request."""
        self._clock.heard(server_time)
        self._backoff.reset()
        self.operation = operation
        if operation.create_time is not None:
            self._started = operation.create_time.timestamp()
        elapsed = self._clock.now() - self._started
        return self._until_deadline(self._schedule.next_delay(elapsed, operation.progress, self._uniform))

    def failed(self, error: ApiError) -> float:
        """Take in a failure and return how many seconds to wait before the next request.

        :raises ApiError: the failure itself, if it will not pass or has lasted too long.
        """
        if not isinstance(error, TransientApiError):
            raise error
        delay = self._backoff.after(error)
        if self._deadline is None and self._backoff.failures >= MAX_FAILURES:
            raise error
        return self._until_deadline(delay)

    @property
    def overdue(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and self._clock.now() >= self._deadline

    def _until_deadline(self, delay: float) -> float:
        if self._deadline is not None:
            delay = min(delay, self._deadline - self._clock.now())
        return max(delay, 0.0)


def epoch(moment: datetime | None) -> float:
    """Return a moment, by default now, in seconds since the epoch."""
    return (moment or datetime.now(UTC)).timestamp()
