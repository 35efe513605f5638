"""FHIR dates of any precision as intervals, and the comparison prefixes of search.

https://hl7.org/fhir/R4/search.html#date and https://hl7.org/fhir/R4/search.html#prefix
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_FORTY_HOURS = timedelta(hours=40)

PREFIXES = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
"""Prefixes that a date parameter may carry; none means ``eq``."""


class Interval(NamedTuple):
    """A span of time: from ``start`` up to, but without, ``end``."""

    start: datetime
    end: datetime


def parse_interval(text: str) -> Interval | None:
    """Read a FHIR date, dateTime or instant as the span its precision leaves open; None when it is none.

    A time without a zone is taken as UTC.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micro = int((fraction or "").ljust(6, "0")[:6] or 0)
    try:
        start = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), micro, UTC
        )
        start -= _offset(zone)
        return Interval(start, start + _width(start, month, day, hour, second, fraction))
    except (ValueError, OverflowError):
        return None


def parse_instant(text: str) -> datetime | None:
    """Read a time given at least to the second and with a zone; None for anything else."""
    match = _DATE.fullmatch(text)
    interval = parse_interval(text)
    if match is None or match.group(6) is None or match.group(8) is None or interval is None:
        return None
    return interval.start


def period(start: str | None, end: str | None) -> Interval | None:
    """Read a FHIR Period; a missing end leaves that side open, two missing ends are no period."""
    first = parse_interval(start) if start else None
    last = parse_interval(end) if end else None
    if first is None and last is None:
        return None
    return Interval(first.start if first else _EARLIEST, last.end if last else _LATEST)


def matches(prefix: str, wanted: Interval, value: Interval) -> bool:
    """Tell whether the resource's ``value`` satisfies ``prefix`` and the ``wanted`` interval."""
    match prefix:
        case "eq":
            return wanted.start <= value.start and value.end <= wanted.end
        case "ne":
            return not matches("eq", wanted, value)
        case "gt":
            return value.end > wanted.end
        case "lt":
            return value.start < wanted.start
        case "ge":
            return value.end > wanted.end or matches("eq", wanted, value)
        case "le":
            return value.start < wanted.start or matches("eq", wanted, value)
        case "sa":
            return value.start >= wanted.end
        case "eb":
            return value.end <= wanted.start
    margin = max(_FORTY_HOURS, (wanted.end - wanted.start) / 10)
    return value.start - margin < wanted.end and wanted.start < value.end + margin


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    hours, minutes = zone[1:].split(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset > timedelta(hours=14):
        raise ValueError
    return -offset if zone[0] == "-" else offset


def _width(
    start: datetime, month: str | None, day: str | None, hour: str | None, second: str | None, fraction: str | None
) -> timedelta:
    if month is None:
        return start.replace(year=start.year + 1) - start
    if day is None:
        following = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return following - start
    if hour is None:
        return timedelta(days=1)
    if second is None:
        return timedelta(minutes=1)
    return timedelta(seconds=1) if fraction is None else timedelta(milliseconds=1)
