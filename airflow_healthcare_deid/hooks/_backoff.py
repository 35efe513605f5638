"""How long to wait after a passing failure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from airflow_healthcare_deid.errors import ApiError

FIRST_DELAY = 1.0
MAX_DELAY = 120.0
MAX_RETRY_AFTER = 600.0
CANCEL_ATTEMPTS = 4
CANCEL_MAX_WAIT = 4.0
"""Seconds. Who cancels is often about to be killed, and must have asked by then."""


class Backoff:
    """Counts failures in a row; each wait is twice the last, with full jitter, and never shorter than asked for.

    :param first_delay: most seconds of the first wait.
    :param max_delay: most seconds of any wait that the service did not ask for.
    :param max_retry_after: most seconds of one that it did ask for.
    """

    def __init__(
        self,
        first_delay: float = FIRST_DELAY,
        max_delay: float = MAX_DELAY,
        uniform: Callable[[float, float], float] = random.uniform,
        max_retry_after: float = MAX_RETRY_AFTER,
    ) -> None:
        self.failures = 0
        self._first_delay = first_delay
        self._max_delay = max_delay
        self._uniform = uniform
        self._max_retry_after = max_retry_after

    @classmethod
    def for_cancelling(cls) -> Self:
        """Return the waits between attempts to cancel an operation."""
        return cls(max_delay=CANCEL_MAX_WAIT, max_retry_after=CANCEL_MAX_WAIT)

    def after(self, error: ApiError) -> float:
        """Count a failure and return how many seconds to wait."""
        self.failures += 1
        ceiling = min(self._first_delay * 2 ** min(self.failures - 1, 20), self._max_delay)
        delay = self._uniform(ceiling / 2, ceiling)
        return max(delay, min(error.retry_after or 0.0, self._max_retry_after))

    def reset(self) -> None:
        """Forget the failures: an answer came."""
        self.failures = 0
