"""Dates in text: where they are, which day they mean, and the same form for another day.

Works on what people write (``03/14/2021``, ``Sunday, March 14th, 2021``, ``14-MAR-21``) and on what machines write
(``2021-03-14T10:00``, DICOM's ``20210314``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_MONTH = (
    r"(?P<mon>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
_WEEKDAY = r"(?:(?P<w>(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)\.?,?[ ]{1,3})?"
_DAY = r"(?P<d>\d{1,2})(?P<suffix>st|nd|rd|th)?"
_ANY_WEEKDAY = r"(?:(?i:mon|tues|wednes|thurs|fri|satur|sun)(?i:day),? )?"
_START = r"(?<![^\W_])(?<!\d[.,/-])"
_END = r"(?!\d)"
_TIME_DIGITS = r"(?=(?:[0-2]\d(?:[0-5]\d(?:[0-6]\d(?:\.\d{1,6})?)?)?)?(?!\d))"

# Most specific first: at one place the first form that gives a day of the calendar wins. Every repetition is bounded,
# so that a search is linear in the length of the text.
_COMPLETE = tuple(
    re.compile(_START + form, re.IGNORECASE)
    for form in (
        r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})" + _END,
        r"(?P<y>(?:1[89]|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])" + _TIME_DIGITS,
        r"(?P<a>\d{1,2})(?P<sep>[-/])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})" + _END,
        r"(?P<a>\d{1,2})(?P<sep>\.) ?(?P<b>\d{1,2})\. ?(?P<y>\d{4})" + _END,
        r"(?P<a>\d{2})(?P<sep>\.)(?P<b>\d{2})\.(?P<y>\d{2})(?!\.?\d)",
        r"(?P<y>\d{4})[-/ ]" + _MONTH + r"[-/ ](?P<d>\d{1,2})" + _END,
        _WEEKDAY + _DAY + r"(?: of)?[ ./-]{0,2}" + _MONTH + r"\.?[ ,./-]{0,2}(?P<y>\d{4}|\d{2})" + _END,
        _WEEKDAY + _MONTH + r"\.?[ /-]{0,2}" + _DAY + r"(?: ?, ?|[ /-]{1,2})(?P<y>\d{4})" + _END,
        _MONTH + r"\.?[ /-]" + _DAY + r"(?:, ?|[/-]|,? ')(?P<y>\d{2})" + _END,
    )
)
# A month, or a day without its year: a date for the reader, but none that can be shifted.
_PARTIAL = tuple(
    re.compile(_START + _ANY_WEEKDAY + form)
    for form in (
        r"(?i:" + _MONTH.replace("|may|", "|(?-i:May|MAY)|") + r")\.?,? ?(?:of )?(?:\d{4}|'\d{2})" + _END,
        r"(?i:"
        + _MONTH.replace("|may|", "|(?-i:May|MAY)|")
        + r")\.? (?:[0-2]?\d|3[01])(?:st|nd|rd|th)?(?!\.\d|[\d:/%]|\w)",
        r"(?:[0-2]?\d|3[01])(?:st|nd|rd|th)?(?: of)? (?i:" + _MONTH.replace("|may|", "|(?-i:May|MAY)|") + r")(?!\w)",
        r"(?:0?[1-9]|1[0-2])/(?:19|20)\d\d" + _END,
        r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?![\d-])",
        r"(?i:(?<=\bon )|(?<=\bdated )|(?<=\bsince )|(?<=\bof ))(?:0?[1-9]|1[0-2])/(?:[0-2]?\d|3[01])(?![\d/%])",
        r"(?i:(?<=\bborn )|(?<=\bborn in ))(?:1[89]|20)\d\d" + _END,
    )
)
_TIME_OF_DAY = re.compile(r"(?:[T ]?\d{1,2}(?::?\d{2}){0,2}(?:\.\d{1,9})?)?\s?(?:Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as it stands in a text.

    :param start: where it starts.
    :param end: where it ends, exclusive.
    :param days: the days it can mean, likeliest first; empty when the day is incomplete.
    """

    start: int
    end: int
    days: tuple[date, ...]


def find_dates(text: str) -> list[WrittenDate]:
    """Return the dates in a text, in order, none overlapping another."""
    found: list[WrittenDate] = []
    taken: set[int] = set()
    for written in _candidates(text):
        span = range(written.start, written.end)
        if taken.isdisjoint(span):
            taken.update(span)
            found.append(written)
    return sorted(found, key=lambda written: written.start)


def shift_date(written: str, days: int) -> str | None:
    """Return a date moved by some days, in the form it is written in, or None when it names no complete day.

    A time of day that follows the date stays as it is.

    :param written: the date, with nothing before it and at most a time of day behind it.
    :param days: how far to move it; negative for earlier.
    """
    for form in _COMPLETE:
        match = form.match(written)
        if match is None or not _TIME_OF_DAY.fullmatch(written, match.end()):
            continue
        for order in _orders(match):
            day = _day_of(match, order)
            if day is None:
                continue
            try:
                moved = day + timedelta(days=days)
            except OverflowError:
                return None
            return _rewritten(match, order, moved) + written[match.end() :]
    return None


def parse_date(written: str) -> tuple[date, ...]:
    """Return the days that a value can mean when it is a date and nothing else, likeliest first."""
    value = written.strip()
    for form in _COMPLETE:
        match = form.match(value)
        if match is not None and _TIME_OF_DAY.fullmatch(value, match.end()):
            days = _days_of(match)
            if days:
                return days
    return ()


def _candidates(text: str) -> Iterator[WrittenDate]:
    for form in _COMPLETE:
        for match in form.finditer(text):
            days = _days_of(match)
            if days:
                yield WrittenDate(match.start(), match.end(), days)
    for form in _PARTIAL:
        for match in form.finditer(text):
            yield WrittenDate(match.start(), match.end(), ())


def _orders(match: re.Match[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of (month group, day group) that a form allows, the likeliest first."""
    groups = match.re.groupindex
    if "a" not in groups:
        return (("mon" if "mon" in groups else "m", "d"),)
    # America writes 3/14/2021, continental Europe 14.3.2021.
    return (("b", "a"), ("a", "b")) if match["sep"] == "." else (("a", "b"), ("b", "a"))


def _days_of(match: re.Match[str]) -> tuple[date, ...]:
    days = (_day_of(match, order) for order in _orders(match))
    return tuple(dict.fromkeys(day for day in days if day is not None))


def _day_of(match: re.Match[str], order: tuple[str, str]) -> date | None:
    month_group, day_group = order
    written_month = match[month_group]
    month = _month_number(written_month) if month_group == "mon" else int(written_month)
    year = int(match["y"])
    if len(match["y"]) == 2:
        # Two digits name the past hundred years, give or take: a record speaks of what was.
        year += 1900 if year > _PIVOT else 2000
    try:
        return date(year, month, int(match[day_group]))
    except ValueError:
        return None


_PIVOT = 40


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3]))


def _rewritten(match: re.Match[str], order: tuple[str, str], day: date) -> str:
    month_group, day_group = order
    groups = match.groupdict()
    replaced = {
        "y": f"{day.year % 10 ** len(match['y']):0{len(match['y'])}d}",
        day_group: f"{day.day:0{len(match[day_group])}d}",
        month_group: _like(match["mon"], _MONTHS[day.month - 1])
        if month_group == "mon"
        else f"{day.month:0{len(match[month_group])}d}",
    }
    if groups.get("suffix"):
        replaced["suffix"] = _ordinal_suffix(day.day)
    if groups.get("w"):
        replaced["w"] = _like(match["w"], _WEEKDAYS[day.weekday()])
    text, position = "", match.start()
    for group in sorted(replaced, key=match.start):
        text += match.string[position : match.start(group)] + replaced[group]
        position = match.end(group)
    return text + match.string[position : match.end()]


def _like(model: str, name: str) -> str:
    """Return a name abbreviated and capitalized as the model is; "May" passes for the abbreviation that it also is."""
    if model.lower() not in (*_MONTHS, *_WEEKDAYS) or len(model) == 3:
        name = name[:3]
    if model.isupper():
        return name.upper()
    return name if model.islower() else name.capitalize()


def _ordinal_suffix(number: int) -> str:
    if number in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
