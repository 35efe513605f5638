"""How long to wait after a passing failure."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.errors import ApiError

FIRST_DELAY = 1.0
MAX_DELAY = 120.0
MAX_RETRY_AFTER = 600.0


class Backoff:
    """Counts failures in a row; each wait is twice the last, with full jitter, and never shorter than asked for.

    :param first_delay: most seconds of the first wait.
    :param max_delay: most seconds of any wait that the service did not ask for.
    """

    def __init__(
        self,
        first_delay: float = FIRST_DELAY,
        max_delay: float = MAX_DELAY,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.failures = 0
        self._first_delay = first_delay
        self._max_delay = max_delay
        self._uniform = uniform

    def after(self, error: ApiError) -> float:
        """Count a failure and return how many seconds to wait."""
        self.failures += 1
        ceiling = min(self._first_delay * 2 ** min(self.failures - 1, 20), self._max_delay)
        delay = self._uniform(ceiling / 2, ceiling)
        return max(delay, min(error.retry_after or 0.0, MAX_RETRY_AFTER))

    def reset(self) -> None:
        """Forget the failures: an answer came."""
        self.failures = 0
