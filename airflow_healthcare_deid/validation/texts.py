"""Text, prepared for a search: without case and accents, with its words, dates and runs of digits picked out."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIN_PHONE_DIGITS, MAX_PHONE_DIGITS = 7, 15

Date = tuple[int, int, int]
"""Year, month and day."""

# Letters that Unicode does not take apart into a plain one and an accent; apostrophes belong to no word.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
    | dict.fromkeys("'`\u00b4\u02bc\u2018\u2019")
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES = (
    re.compile(r"(?<!\d)(?P<y>\d{4})[-./ ]?(?P<m>\d{2})[-./ ]?(?P<d>\d{2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<y>\d{4})[-./](?P<m>\d{1,2})[-./](?P<d>\d{1,2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})\d{2,6}(?!\d)"),
)
_DATES_EITHER_WAY = (
    re.compile(r"(?<!\d)(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4})"),
    re.compile(r"(?<![\d/-])(\d{1,2})[-/](\d{1,2})[-/](\d{2})(?![\d/-])"),
    re.compile(r"(?<![\d.])(\d{2})\.(\d{2})\.(\d{2})(?![\d.])"),
)
_NAMED_DATE = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.,-]+([a-z]{3,9})[\s.,-]+(\d{4})")
_NAMED_DATE_US = re.compile(r"([a-z]{3,9})[\s.,-]+(\d{1,2})(?:st|nd|rd|th)?[\s.,-]+(\d{4})")
_DIGITS = re.compile(r"\d[\d\s().+/-]{5,}\d")
_UNSPACED = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


def fold(text: str) -> str:
    """Return text without case, accents and apostrophes."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return text.casefold().translate(_PLAIN)


def words(folded: str) -> list[str]:
    """Return the runs of letters and digits of a folded text."""
    return re.findall(r"[^\W_]+", folded)


def squash(found: Iterable[str]) -> str:
    """Return words without what separates them; between two digits a space stays, or numbers would run together."""
    return re.sub(r"(?<!\d) | (?!\d)", "", " ".join(found))


def is_unspaced(folded: str) -> bool:
    """Return whether a text is in a script that puts no space between words: Chinese, Japanese or Korean."""
    return bool(_UNSPACED.search(folded))


class Text(msgspec.Struct, frozen=True):
    """A piece of text, prepared once for every identifier that is looked for in it.

    :param spaced: its words, with a space before, between and behind them.
    :param squashed: its words without spaces; see :func:`squash`.
    :param numbers: its long runs of digits, without what separates them.
    """

    spaced: str
    squashed: str
    words: frozenset[str]
    dates: frozenset[Date]
    numbers: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Text:
        """Fold a text and pick out words, dates and runs of digits."""
        folded = fold(text)
        found = words(folded)
        runs = ("".join(c for c in run if c.isdigit()) for run in _DIGITS.findall(folded))
        return cls(
            f" {' '.join(found)} ",
            squash(found),
            frozenset(found),
            frozenset(dates(folded)),
            tuple(run for run in runs if len(run) >= MIN_PHONE_DIGITS),
        )


def dates(folded: str) -> Iterator[Date]:
    """Yield every date in a folded text; where day and month, or centuries, could be meant, all readings."""
    for pattern in _DATES:
        for found in pattern.finditer(folded):
            yield int(found["y"]), int(found["m"]), int(found["d"])
    for pattern in _DATES_EITHER_WAY:
        for first, second, year in pattern.findall(folded):
            for full in (year,) if len(year) == 4 else (f"19{year}", f"20{year}"):
                yield int(full), int(first), int(second)
                yield int(full), int(second), int(first)
    named = [(y, month, d) for d, month, y in _NAMED_DATE.findall(folded)]
    named += [(y, month, d) for month, d, y in _NAMED_DATE_US.findall(folded)]
    for y, month, d in named:
        if month[:3] in _MONTHS:
            yield int(y), _MONTHS.index(month[:3]) + 1, int(d)
