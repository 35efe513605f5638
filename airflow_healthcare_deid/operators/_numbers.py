"""Numbers that may come out of a template as text."""

from __future__ import annotations

import math
from datetime import timedelta

from airflow_healthcare_deid.errors import InvalidRequestError
from airflow_healthcare_deid.operation import FailurePolicy
from airflow_healthcare_deid.polling import PollSchedule


def number(field: str, value: float | str) -> float:
    """Read a number.

    :param field: the argument it came in, for messages.
    :raises InvalidRequestError: if it is none.
    """
    try:
        read = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        read = math.nan
    if not math.isfinite(read):
        raise InvalidRequestError(field, f"{value!r} is no number", "Write one, without a unit")
    return read


def whole_number(field: str, value: float | str | None) -> int | None:
    """Read a whole number, or None."""
    if value is None or value == "None":
        return None
    read = number(field, value)
    if not read.is_integer():
        raise InvalidRequestError(field, f"{value!r} is no whole number")
    return int(read)


def seconds(field: str, value: timedelta | float | str | None) -> float | None:
    """Read a length of time, or None."""
    if value is None or value == "None":
        return None
    read = value.total_seconds() if isinstance(value, timedelta) else number(field, value)
    if read <= 0:
        raise InvalidRequestError(field, "is not above 0", "Give seconds or a timedelta, or None for no limit")
    return read


def poll_schedule(poll_interval: float | str, max_poll_interval: float | str) -> PollSchedule:
    """Return the schedule that two arguments describe."""
    return PollSchedule(number("poll_interval", poll_interval), number("max_poll_interval", max_poll_interval))


def failure_policy(max_failed_resources: int | str | None, max_failed_ratio: float | str | None) -> FailurePolicy:
    """Return the policy that two arguments describe."""
    return FailurePolicy(
        max_failed_resources=whole_number("max_failed_resources", max_failed_resources),
        max_failed_ratio=None if max_failed_ratio in (None, "None") else number("max_failed_ratio", max_failed_ratio),
    )
