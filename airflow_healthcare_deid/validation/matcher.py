"""Finding identifiers in text, in any case and order and in the usual ways to write them.

Every identifier is indexed by one of its words, so a text is compared only with the few identifiers that could be in
it, however many patients there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.validation.identifiers import Identifier, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIN_ID_LENGTH = 4
"""Shorter ids turn up in unrelated text by chance, so they are not looked for."""
MIN_NAME_LENGTH = 3
"""Shorter parts of names are initials or particles."""
MIN_PHONE_DIGITS, MAX_PHONE_DIGITS = 7, 15

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMERIC_DATE = re.compile(
    r"(?<!\d)(\d{4})[-./ ]?(\d{2})[-./ ]?(\d{2})(?!\d)"
    r"|(?<!\d)(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4})"
)
_DATETIME = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})\d{2,6}(?!\d)")
_NAMED_DATE = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.,-]+([a-z]{3,9})[\s.,-]+(\d{4})")
_NAMED_DATE_US = re.compile(r"([a-z]{3,9})[\s.,-]+(\d{1,2})(?:st|nd|rd|th)?[\s.,-]+(\d{4})")
_PHONE = re.compile(r"\d[\d\s().+/-]{5,}\d")


def fold(text: str) -> str:
    """Return text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def words(folded: str) -> list[str]:
    """Return the runs of letters and digits of a folded text."""
    return re.findall(r"[^\W_]+", folded)


class Text(msgspec.Struct, frozen=True):
    """A piece of text, prepared once for every identifier that is looked for in it."""

    spaced: str
    words: frozenset[str]
    dates: frozenset[tuple[int, int, int]]
    phones: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Text:
        """Fold case and accents and pick out words, dates and runs of digits."""
        folded = fold(text)
        found = words(folded)
        phones = ("".join(c for c in run if c.isdigit()) for run in _PHONE.findall(folded))
        return cls(
            f" {' '.join(found)} ",
            frozenset(found),
            frozenset(_dates(folded)),
            tuple(run for run in phones if len(run) >= MIN_PHONE_DIGITS),
        )


class Matcher:
    """Looks for a set of identifiers in text.

    :param identifiers: the identifiers of one or many patients.
    """

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        self._names: dict[str, list[frozenset[str]]] = defaultdict(list)
        self._name_parts: set[str] = set()
        self._phrases: dict[str, list[tuple[Kind, str]]] = defaultdict(list)
        self._dates: set[tuple[int, int, int]] = set()
        self._phones: set[str] = set()
        self.ignored = 0
        """Identifiers too short to be looked for."""
        for identifier in set(identifiers):
            self.ignored += not self._add(identifier)

    def _add(self, identifier: Identifier) -> bool:
        folded = fold(identifier.value)
        found = words(folded)
        match identifier.kind:
            case Kind.NAME:
                return self._add_name(found)
            case Kind.BIRTH_DATE:
                dates = set(_dates(folded))
                self._dates |= dates
                return bool(dates)
            case Kind.PHONE if "@" not in folded:
                digits = "".join(c for c in folded if c.isdigit())
                if enough := MIN_PHONE_DIGITS <= len(digits) <= MAX_PHONE_DIGITS:
                    self._phones.add(digits)
                return enough
            case Kind.ID if sum(map(len, found)) < MIN_ID_LENGTH:
                return False
            case Kind.ADDRESS if len(found) < 2:
                return False
        if found:
            self._phrases[max(found, key=len)].append((identifier.kind, f" {' '.join(found)} "))
        return bool(found)

    def _add_name(self, found: list[str]) -> bool:
        parts = frozenset(word for word in found if len(word) >= MIN_NAME_LENGTH and not word.isdigit())
        if parts:
            self._names[max(parts, key=len)].append(parts)
            self._name_parts |= parts
        return bool(parts)

    def find(self, text: Text) -> set[Kind]:
        """Return the kinds of identifiers that the text holds; a name counts when all its parts are there."""
        found: set[Kind] = set()
        for word in text.words:
            if any(name <= text.words for name in self._names.get(word, ())):
                found.add(Kind.NAME)
            found.update(kind for kind, phrase in self._phrases.get(word, ()) if phrase in text.spaced)
        if not self._dates.isdisjoint(text.dates):
            found.add(Kind.BIRTH_DATE)
        if any(run[-length:] in self._phones for run in text.phones for length in _phone_lengths(run)):
            found.add(Kind.PHONE)
        return found

    def find_name_part(self, text: Text) -> bool:
        """Return whether the text holds a part of a name, such as the family name alone."""
        return not self._name_parts.isdisjoint(text.words)


def _phone_lengths(run: str) -> range:
    return range(MIN_PHONE_DIGITS, min(len(run), MAX_PHONE_DIGITS) + 1)


def _dates(folded: str) -> Iterator[tuple[int, int, int]]:
    """Yield (year, month, day) for every date in a text; where day and month could be swapped, both readings."""
    for y, m, d, first, second, year in _NUMERIC_DATE.findall(folded):
        if y:
            yield int(y), int(m), int(d)
        else:
            yield int(year), int(first), int(second)
            yield int(year), int(second), int(first)
    for y, m, d in _DATETIME.findall(folded):
        yield int(y), int(m), int(d)
    for d, month, y in _NAMED_DATE.findall(folded):
        if month[:3] in _MONTHS:
            yield int(y), _MONTHS.index(month[:3]) + 1, int(d)
    for month, d, y in _NAMED_DATE_US.findall(folded):
        if month[:3] in _MONTHS:
            yield int(y), _MONTHS.index(month[:3]) + 1, int(d)
