"""Invented people. Their names are no words, so that one found in a result came from where it was planted."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STARTS = ("Br", "D", "F", "G", "Gr", "K", "Kr", "L", "M", "N", "P", "R", "T", "Tr", "V", "Z")
_VOWELS = ("a", "e", "i", "o", "u")
_MIDDLES = ("ld", "lv", "nd", "nk", "rg", "rk", "rv", "st", "vr", "zm")
_ENDS = ("kel", "lund", "mark", "nik", "rand", "sken", "ven", "zek")
_STREETS = ("Quarrystone Lane", "Bellweather Road", "Foxglove Avenue", "Tannery Street")
_EPOCH = date(1931, 1, 1)
_DAYS_APART = 230
"""More than two shifts of a date can add up to: a shifted date never becomes another planted one."""


@dataclass(frozen=True)
class Person:
    """A patient; every field identifies.

    :param number: which patient of the set.
    :param visits: days on which something was done.
    """

    number: str
    family: str
    given: str
    ideographic: str
    patient_id: str
    accession: str
    phone: str
    email: str
    street: str
    city: str
    born: date
    visits: tuple[date, ...]

    @property
    def name(self) -> str:
        """As VR PN has it."""
        alphabetic = f"{self.family}^{self.given}"
        return f"{alphabetic}={self.ideographic}" if self.ideographic else alphabetic

    @property
    def needles(self) -> tuple[str, ...]:
        """The parts of the name."""
        return (self.family, self.given, *filter(None, self.ideographic.split("^")))


class Inventor:
    """Invents names, numbers and people; the same ones for the same seed, none twice.

    :param seed: of the random numbers.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"people {seed}")
        self._used: set[str] = set()

    def name(self) -> str:
        """Return a name that nobody has."""
        return self._new(
            lambda: (
                self.random.choice(_STARTS)
                + self.random.choice(_VOWELS)
                + self.random.choice(_MIDDLES)
                + self.random.choice(_VOWELS)
                + self.random.choice(_ENDS)
            )
        )

    def number(self, prefix: str, digits: int = 7) -> str:
        """Return a number that nothing else has."""
        return self._new(lambda: prefix + str(self.random.randrange(10 ** (digits - 1), 10**digits)))

    def phone(self) -> str:
        """Return a telephone number."""
        return self._new(lambda: f"({self.random.randrange(201, 989)}) 555-{self.random.randrange(1000, 9999)}")

    def street(self) -> str:
        """Return a street and the number of a house."""
        return self._new(lambda: f"{self.random.randrange(1000, 9999)} {self.random.choice(_STREETS)}")

    def person(self, number: int) -> Person:
        """Return a patient."""
        given, family = self.name(), self.name()
        days = (_EPOCH + timedelta(days=(number + 31 * turn) % 140 * _DAYS_APART) for turn in range(1, 5))
        born, *visits = sorted(days)
        return Person(
            number=str(number),
            family=family.replace("a", "ä").replace("o", "ö") if number == 1 else family,
            given=given,
            ideographic="山田^太郎" if number == 2 else "",
            patient_id=self.number("MRN"),
            accession=self.number("ACC"),
            phone=self.phone(),
            email=f"{given.lower()}@mail.example.org",
            street=self.street(),
            city=self.name(),
            born=born,
            visits=tuple(visits),
        )

    def _new(self, invent: Callable[[], str]) -> str:
        while (made := invent()).lower() in self._used:
            pass
        self._used.add(made.lower())
        return made
