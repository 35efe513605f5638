"""Finding identifiers in text, in any case and order and in the usual ways to write them.

Every identifier is indexed by one of its words or by its first characters, so a text is compared only with the few
identifiers that could be in it, however many patients there are.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from unicodedata import normalize

from airflow_healthcare_deid.validation.identifiers import Identifier, Kind
from airflow_healthcare_deid.validation.texts import (
    MAX_PHONE_DIGITS,
    MIN_PHONE_DIGITS,
    Date,
    Text,
    dates,
    fold,
    is_unspaced,
    squash,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MIN_ID_LENGTH = 4
"""Shorter ids, and numbers of this length, turn up in unrelated text: they are looked for only where ids belong."""
MIN_NAME_LENGTH = 3
"""Shorter parts of names are initials or particles."""
PHONE_TAIL = 9
"""Digits at the end of a phone number that tell it, whether the country's code or a trunk prefix is before them."""
_HEAD = 6
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa"})


class Matcher:
    """Looks for a set of identifiers in text.

    :param identifiers: the identifiers of one or many patients.
    :param ordinary: folded words that mean something else in this data, such as parts of the body. A name made of
        nothing else is looked for only where names belong.
    """

    def __init__(self, identifiers: Iterable[Identifier], ordinary: Collection[str] = ()) -> None:
        self._ordinary = ordinary
        self._names: dict[str, list[frozenset[str]]] = defaultdict(list)
        self._name_parts: set[str] = set()
        self._phrases: dict[str, list[tuple[Kind, str]]] = defaultdict(list)
        self._runs: dict[str, list[tuple[Kind, str]]] = defaultdict(list)
        self._unspaced: set[str] = set()
        self._dates: dict[Date, set[str]] = defaultdict(set)
        self._phones: set[str] = set()
        self._numbers: set[str] = set()
        self._at_home: set[tuple[Kind, str]] = set()
        self._names_at_home: set[str] = set()
        self.ignored = 0
        """Identifiers that are looked for only where their kind belongs: elsewhere they would be found by chance."""
        for identifier in set(identifiers):
            self.ignored += not self._add(identifier)

    # Learning --------------------------------------------------------------------------------------------------------

    def _add(self, identifier: Identifier) -> bool:
        folded = fold(identifier.value)
        found = words(folded)
        if not found:
            return False
        if not identifier.owner:
            self._at_home.add((identifier.kind, squash(found)))
        match identifier.kind:
            case Kind.NAME:
                spellings = {tuple(words(fold(value))) for value in _spellings(identifier.value)}
                added = [self._add_name(list(spelling)) for spelling in spellings]
                return any(added)
            case Kind.BIRTH_DATE:
                known = set(dates(folded))
                for date in known:
                    self._dates[date].add(identifier.owner)
                return bool(known)
            case Kind.PHONE if "@" not in folded:
                return self._add_phone("".join(c for c in folded if c.isdigit()))
            case Kind.ID:
                return self._add_id(found)
        # Without a number, the name of a street or a town tells nobody.
        telling = len(found) > 1 and any(c.isdigit() for c in folded)
        return (telling or identifier.kind is not Kind.ADDRESS) and self._add_phrase(identifier.kind, found)

    def _add_name(self, found: list[str]) -> bool:
        parts = [word for word in found if not word.isdigit()]
        whole = "".join(parts)
        if is_unspaced(whole):
            self._names_at_home.update(parts)
            if len(whole) > 1:
                self._unspaced |= {whole, "".join(parts[1:] + parts[:1])}
            return len(whole) > 1
        long = frozenset(part for part in parts if len(part) >= MIN_NAME_LENGTH)
        self._names_at_home |= long
        self._name_parts |= long.difference(self._ordinary)
        if len(parts) < 2 or set(parts) <= set(self._ordinary):
            return bool(long)
        for order in (parts, parts[1:] + parts[:1], parts[-1:] + parts[:-1]):
            if len(whole) > _HEAD + 1:
                self._add_run(Kind.NAME, "".join(order))
            if len(long) < 2:
                self._add_phrase(Kind.NAME, order)
        if len(long) > 1:
            self._names[max(long, key=len)].append(long)
        return True

    def _add_id(self, found: list[str]) -> bool:
        run, characters = squash(found), "".join(found)
        if len(characters) < MIN_ID_LENGTH + characters.isdigit() or len(set(characters)) == 1:
            return False
        if characters.isalpha():
            # A single word, such as TEST, means other things, too.
            return len(found) > 1 and self._add_phrase(Kind.ID, found)
        if characters.isdigit() and MIN_PHONE_DIGITS <= len(characters) <= MAX_PHONE_DIGITS:
            self._numbers.add(characters)
        return self._add_run(Kind.ID, run) if len(run) >= _HEAD else self._add_phrase(Kind.ID, found)

    def _add_phone(self, digits: str) -> bool:
        if not MIN_PHONE_DIGITS <= len(digits) <= MAX_PHONE_DIGITS or len(set(digits)) < 3:
            return False
        self._phones.add(digits[-PHONE_TAIL:])
        return True

    def _add_phrase(self, kind: Kind, found: list[str]) -> bool:
        self._phrases[max(found, key=len)].append((kind, f" {' '.join(found)} "))
        return True

    def _add_run(self, kind: Kind, run: str) -> bool:
        self._runs[run[:_HEAD]].append((kind, run))
        return True

    # Finding ---------------------------------------------------------------------------------------------------------

    def find(self, text: Text, owner: str = "") -> set[Kind]:
        """Return the kinds of identifiers that the text holds; a name counts when all its parts are there.

        :param owner: whose text it is; a birth date that has an owner counts only in the owner's.
        """
        found: set[Kind] = set()
        for word in text.words:
            if any(name <= text.words for name in self._names.get(word, ())):
                found.add(Kind.NAME)
            found.update(kind for kind, phrase in self._phrases.get(word, ()) if phrase in text.spaced)
        found.update(self._find_runs(text.squashed))
        if is_unspaced(text.squashed) and any(name in text.squashed for name in self._unspaced):
            found.add(Kind.NAME)
        if any(self._dates[date] & {"", owner} for date in text.dates if date in self._dates):
            found.add(Kind.BIRTH_DATE)
        if any(self._is_phone(run) for run in text.numbers):
            found.add(Kind.PHONE)
        if not self._numbers.isdisjoint(text.numbers):
            found.add(Kind.ID)
        return found

    def find_at_home(self, text: Text, home: Kind) -> bool:
        """Return whether a text is an identifier, or has a part of a name, where nothing but that kind belongs."""
        if (home, text.squashed) in self._at_home:
            return True
        return home is Kind.NAME and not self._names_at_home.isdisjoint(text.words)

    def find_name_part(self, text: Text) -> bool:
        """Return whether the text holds a part of a name, such as the family name alone."""
        return not self._name_parts.isdisjoint(text.words)

    def _find_runs(self, squashed: str) -> Iterable[Kind]:
        for start in range(len(squashed) - _HEAD + 1 if self._runs else 0):
            for kind, run in self._runs.get(squashed[start : start + _HEAD], ()):
                if squashed.startswith(run, start) and _stands_alone(squashed, start, start + len(run)):
                    yield kind

    def _is_phone(self, number: str) -> bool:
        tails = (number[start : start + PHONE_TAIL] for start in range(len(number) - PHONE_TAIL + 1))
        local = (number[-length:] for length in range(MIN_PHONE_DIGITS, PHONE_TAIL))
        return any(digits in self._phones for digits in (*tails, *local))


def _spellings(name: str) -> tuple[str, ...]:
    """Return a name as it is, and as it is written where there are no umlauts."""
    composed = normalize("NFC", name.casefold())
    return name, composed.translate(_UMLAUTS)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Return whether a find is no piece of a longer number."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isdigit() and text[start].isdigit()) and not (after.isdigit() and text[end - 1].isdigit())
