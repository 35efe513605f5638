"""The patient's own identifiers: collected from a record, looked for in all its text.

Needs no optional part: whatever else is recognized or not, what the record itself says of the patient is.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text.dates import find_dates, parse_date
from airflow_healthcare_deid.engine.text.findings import Finding
from airflow_healthcare_deid.engine.text.plain import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SEPARATORS = r"[\s,.;:^=_/\\'\u2019-]"
_NOT_IN_WORD = r"(?<![^\W_])"
_WORD_ENDS = r"(?![^\W_])"
_ID_LABEL = r"\b(?:id|ident|mrn|patient|pat|pid|case|acc|accession|no|nr|number)[\s.:#=]{1,3}"
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
_MAX_VALUES = 64
_MAX_LENGTH = 200


@dataclass(frozen=True)
class RecordIdentifiers:
    """What a record says of its patient that could be repeated in free text or burnt into pixels.

    Values are as the record holds them; `of` takes them from there and leaves out what is empty. Hidden from the
    representation.

    :param names: of the patient and those named with them: ``Doe^Jane^Mary`` or ``Jane Mary Doe``.
    :param ids: patient ids, accession numbers, insurance numbers.
    :param dates: the days that tell of the patient, first of all the birth date.
    :param phones: telephone numbers.
    :param emails: e-mail addresses.
    :param addresses: parts of addresses, each to be found by itself: a street line, a city, a postal code.
    """

    names: tuple[str, ...] = field(default=(), repr=False)
    ids: tuple[str, ...] = field(default=(), repr=False)
    dates: tuple[date, ...] = field(default=(), repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    emails: tuple[str, ...] = field(default=(), repr=False)
    addresses: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(
        cls,
        *,
        names: Iterable[object] = (),
        ids: Iterable[object] = (),
        dates: Iterable[object] = (),
        phones: Iterable[object] = (),
        emails: Iterable[object] = (),
        addresses: Iterable[object] = (),
    ) -> RecordIdentifiers:
        """Return the identifiers among raw values of a record.

        Anything is taken as its string; what is empty, repeated, longer than 200 characters or beyond the first 64 of
        its kind is left out. An address written in one is taken as a whole and in its parts. Dates are
        `datetime.date` or written in any form that `find_dates` knows.
        """
        days: dict[date, None] = {}
        for value in dates:
            days.update(dict.fromkeys([value] if isinstance(value, date) else parse_date(str(value or ""))))
        return cls(
            names=_clean(names),
            ids=_clean(ids),
            dates=tuple(days)[:_MAX_VALUES],
            phones=_clean(phones),
            emails=_clean(emails),
            addresses=_clean(part for address in addresses for part in _address_parts(address)),
        )

    def find(self, text: str) -> list[Finding]:
        """Return every place where a text repeats one of the identifiers; findings may overlap."""
        matcher = _matcher(self)
        folded = fold(text)
        found = [
            Finding(match.start(match.lastgroup or 0), match.end(), info_type, known=True)
            for info_type, pattern in matcher
            for match in pattern.finditer(folded)
        ]
        if self.dates:
            days = frozenset(self.dates)
            found += [
                Finding(written.start, written.end, "DATE", known=True)
                for written in find_dates(text)
                if any(_same_day(day, own) for day in written.days for own in days)
            ]
        return found

    def words(self) -> list[tuple[str, str]]:
        """Return (word, infoType) for the record's names, ids and addresses, folded: for a search that forgives.

        Words of less than three letters are left out: misread, they are everywhere.
        """
        words = [(token, "PERSON_NAME") for name in self.names for token in name_tokens(name)]
        words += [(fold(value), "MEDICAL_RECORD_NUMBER") for value in self.ids]
        words += [(fold(value), "EMAIL_ADDRESS") for value in self.emails]
        words += [(fold(value), "LOCATION") for value in self.addresses]
        return [(word, info_type) for word, info_type in dict.fromkeys(words) if len(word) > 2]


def fold(text: str) -> str:
    """Return a text in lower case and without accents, each character in its old place."""
    if text.isascii():
        return text.lower()
    return "".join(_fold_character(character) for character in text)


def name_tokens(name: str) -> list[str]:
    """Return the parts of a name that name somebody, folded: ``Doe^Jane^^Dr`` gives ``doe`` and ``jane``."""
    tokens = re.split(rf"(?:{_SEPARATORS}|[()])+", fold(name))
    particles = load_rules("text")["name_particles"]["names"]
    return [token for token in dict.fromkeys(tokens) if token and token not in particles and not token.isdigit()]


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFD", character)[0].lower()
    return folded if len(folded) == 1 else character


def _clean(values: Iterable[object]) -> tuple[str, ...]:
    texts = (plain_text(str(value)).text.strip() for value in values if value is not None)
    return tuple(dict.fromkeys(text for text in texts if 0 < len(text) <= _MAX_LENGTH))[:_MAX_VALUES]


def _address_parts(address: object) -> list[object]:
    """Return an address and, of one such as ``12 Elm Street, Springfield``, the parts that are more than a number."""
    parts = [part.strip() for part in re.split(r"[,;\r\n]+", str(address or ""))]
    return [address, *(part for part in parts if len(part) > 3)] if len(parts) > 1 else [address]


def _same_day(day: date, own: date) -> bool:
    # Two digits of a year may mean either century.
    return (day.month, day.day, day.year % 100) == (own.month, own.day, own.year % 100)


@lru_cache(maxsize=512)
def _matcher(record: RecordIdentifiers) -> tuple[tuple[str, re.Pattern[str]], ...]:
    kinds: tuple[tuple[str, tuple[str, ...], Callable[[str], str | None]], ...] = (
        ("PERSON_NAME", record.names, _name_pattern),
        ("MEDICAL_RECORD_NUMBER", record.ids, _id_pattern),
        ("PHONE_NUMBER", record.phones, _phone_pattern),
        ("EMAIL_ADDRESS", record.emails, _literal_pattern),
        ("LOCATION", record.addresses, _literal_pattern),
    )
    return tuple(
        (info_type, re.compile(pattern))
        for info_type, values, build in kinds
        for pattern in map(build, values)
        if pattern is not None
    )


def _name_pattern(name: str) -> str | None:
    tokens = name_tokens(name)
    spelled = (*tokens, *name_tokens(name.casefold().translate(_SPELLED_OUT)))
    words = sorted({word for token in spelled for word in _spellings(token)}, key=len, reverse=True)
    if not words:
        return None
    initials = "".join(sorted({token[0] for token in tokens}))
    # An initial counts only beside a name, or dotted and together with the others: letters alone are everywhere.
    word = "(?:" + "|".join(map(re.escape, words)) + ")"
    initial = rf"[{re.escape(initials)}]\.?"
    more = rf"(?:{_SEPARATORS}{{0,3}}{word}|{_SEPARATORS}{{1,3}}{initial}{_WORD_ENDS}){{0,6}}"
    pattern = rf"{_NOT_IN_WORD}(?:{initial}{_SEPARATORS}{{1,3}}){{0,3}}{word}{more}(?:'?s)?{_WORD_ENDS}"
    full = [token[0] for token in tokens]
    if len(full) > 1:
        first_last = r"\. ?".join(map(re.escape, (*full[1:], full[0]))) + r"\."
        last_first = r"\. ?".join(map(re.escape, full)) + r"\."
        pattern += rf"|{_NOT_IN_WORD}(?:{first_last}|{last_first})"
    return pattern


def _spellings(token: str) -> set[str]:
    if len(token) < 2:
        return set()
    spellings = {token}
    for plain, spelled in (("oe", "o"), ("ue", "u"), ("ae", "a")):
        if plain in token:
            spellings.add(token.replace(plain, spelled))
    return {spelling for spelling in spellings if len(spelling) > 1}


def _id_pattern(value: str) -> str | None:
    characters = [character for character in fold(value) if character.isalnum()]
    if not characters:
        return None
    body = r"[\s./_-]?".join(map(re.escape, characters))
    if len(characters) < 4:
        # An id such as "1" is every other number; only where the text calls it an id is it one.
        return rf"(?:{_ID_LABEL})(?P<id>{body}){_WORD_ENDS}"
    if all(character.isdigit() for character in characters):
        short = "".join(characters).lstrip("0")
        if len(short) >= 4:
            body = "0*" + r"[\s./_-]?".join(short)
        return rf"(?<!\d){body}(?!\d)"
    pattern = rf"{_NOT_IN_WORD}{body}{_WORD_ENDS}"
    prefixed = re.fullmatch(r"[^\d]{1,5}(\d{6,})", "".join(characters))
    if prefixed:
        # MRN-778812 is repeated as 778812, too.
        number = r"[\s./_-]?".join(prefixed[1])
        pattern += rf"|(?<!\d){number}(?!\d)"
    return pattern


def _phone_pattern(value: str) -> str | None:
    digits = "".join(character for character in value if character.isdigit())
    if len(digits) < 6:
        return None
    between = r"[\s().+/-]{0,3}"
    national = between.join(digits[-10:])
    patterns = [rf"(?:\+?\d{{1,3}}{between})?\(?{national}"]
    if len(digits) >= 10:
        patterns.append(between.join(digits[-7:]))
    return r"(?<!\d)(?:" + "|".join(patterns) + r")(?!\d)"


def _literal_pattern(value: str) -> str | None:
    words = re.findall(r"[^\W_]+", fold(value))
    if sum(map(len, words)) < 3:
        return None
    return rf"{_NOT_IN_WORD}" + r"[\W_]{1,4}".join(map(re.escape, words)) + _WORD_ENDS
