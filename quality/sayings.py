"""What is planted: values that say something of somebody, and what in them identifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from quality.plants import Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from quality.people import Inventor, Person

Identifier: TypeAlias = "tuple[Kind, tuple[str, ...], bool]"
"""Kind, needles, and whether text alone shows what it is: it is the patient's own, or has a form or a cue."""


@dataclass(frozen=True)
class Saying:
    """A value and the identifiers in it."""

    value: str | bytes
    identifiers: tuple[Identifier, ...]


def dates(day: date) -> tuple[str, ...]:
    """Return the ways in which a day is written."""
    return tuple(day.strftime(form) for form in ("%Y%m%d", "%Y-%m-%d", "%m/%d/%Y", "%d %B %Y"))


def letter(person: Person, inventor: Inventor, _: str) -> Saying:
    """Return a few lines about the patient, with everything that identifies her."""
    doctor = inventor.name()
    return Saying(
        f"Ms. {person.family} ({person.patient_id}), born {person.born:%d %B %Y}, was sent by Dr. {doctor}.\r\n"
        f"Call {person.phone} or write to {person.email}; {person.given} lives at {person.street} in {person.city}.",
        (
            (Kind.NAME, (person.family, person.given), True),
            (Kind.ID, (person.patient_id,), True),
            (Kind.DATE, dates(person.born), True),
            (Kind.NAME, (doctor,), True),
            (Kind.PHONE, (person.phone,), True),
            (Kind.EMAIL, (person.email,), True),
            (Kind.ADDRESS, (person.street, person.city), True),
        ),
    )


def report(person: Person, inventor: Inventor, _: str) -> Saying:
    """Return a few lines that name other people too."""
    hospital, doctor, phone = inventor.name(), inventor.name(), inventor.phone()
    visit = person.visits[-1]
    return Saying(
        f"{person.given} {person.family} of {person.city} was seen on {visit:%m/%d/%Y} at {hospital} Hospital, "
        f"accession {person.accession}. Discussed with Dr. {doctor}, {phone}, {doctor.lower()}@clinic.example.com.",
        (
            (Kind.NAME, (person.family, person.given), True),
            (Kind.ADDRESS, (person.city,), True),
            (Kind.DATE, dates(visit), True),
            (Kind.ADDRESS, (hospital,), True),
            (Kind.ID, (person.accession,), True),
            (Kind.NAME, (doctor,), True),
            (Kind.PHONE, (phone,), True),
            (Kind.EMAIL, (f"{doctor.lower()}@clinic.example.com",), True),
        ),
    )


def note(person: Person, _: Inventor, __: str) -> Saying:
    """Return what fits into a short text."""
    visit = person.visits[-1]
    return Saying(
        f"{person.family}, {person.given}: follow-up of {visit:%Y-%m-%d}",
        ((Kind.NAME, (person.family, person.given), True), (Kind.DATE, dates(visit), True)),
    )


def _patient(person: Person, _: Inventor, vr: str) -> Saying:
    if vr == "PN":
        return Saying(person.name, ((Kind.NAME, person.needles, True),))
    if vr in ("OB", "OW"):
        return Saying(person.given.encode().ljust(64), ((Kind.NAME, (person.given,), True),))
    return Saying(f"{person.given} {person.family}", ((Kind.NAME, (person.family, person.given), True),))


def _somebody(_: Person, inventor: Inventor, __: str) -> Saying:
    family, given = inventor.name(), inventor.name()
    return Saying(f"{family}^{given}", ((Kind.NAME, (family, given), True),))


def _number(_: Person, inventor: Inventor, __: str) -> Saying:
    number = inventor.number("X")
    return Saying(number, ((Kind.ID, (number,), False),))


def _own_number(_: Person, inventor: Inventor, __: str) -> Saying:
    number = inventor.number("H")
    return Saying(number, ((Kind.ID, (number,), True),))


def _record_number(person: Person, _: Inventor, vr: str) -> Saying:
    value = person.patient_id.encode().ljust(16) if vr == "UN" else person.patient_id
    return Saying(value, ((Kind.ID, (person.patient_id,), True),))


def _accession(person: Person, _: Inventor, __: str) -> Saying:
    return Saying(person.accession, ((Kind.ID, (person.accession,), True),))


def _phone(person: Person, _: Inventor, __: str) -> Saying:
    return Saying(person.phone, ((Kind.PHONE, (person.phone,), True),))


def _other_phone(_: Person, inventor: Inventor, __: str) -> Saying:
    phone = inventor.phone()
    return Saying(phone, ((Kind.PHONE, (phone,), True),))


def _address(person: Person, _: Inventor, __: str) -> Saying:
    return Saying(f"{person.street}, {person.city}", ((Kind.ADDRESS, (person.street, person.city), True),))


def _other_address(_: Person, inventor: Inventor, __: str) -> Saying:
    street = inventor.street()
    return Saying(street, ((Kind.ADDRESS, (street,), True),))


def _hospital(_: Person, inventor: Inventor, __: str) -> Saying:
    name = inventor.name()
    return Saying(f"{name} Hospital", ((Kind.ADDRESS, (name,), True),))


def _email(person: Person, _: Inventor, __: str) -> Saying:
    return Saying(person.email, ((Kind.EMAIL, (person.email,), True),))


def _day(choose: Callable[[Person], date]) -> Callable[[Person, Inventor, str], Saying]:
    def day(person: Person, _: Inventor, vr: str) -> Saying:
        chosen = choose(person)
        value = chosen.strftime("%Y%m%d101112" if vr == "DT" else "%Y%m%d")
        return Saying(value, ((Kind.DATE, dates(chosen), True),))

    return day


SAYINGS: dict[str, Callable[[Person, Inventor, str], Saying]] = {
    "patient": _patient,
    "somebody": _somebody,
    "number": _number,
    "own number": _own_number,
    "record number": _record_number,
    "accession": _accession,
    "birth": _day(lambda person: person.born),
    "visit": _day(lambda person: person.visits[-1]),
    "earlier visit": _day(lambda person: person.visits[0]),
    "phone": _phone,
    "other phone": _other_phone,
    "address": _address,
    "other address": _other_address,
    "hospital": _hospital,
    "e-mail": _email,
}
"""Values of one thing each, by what they say."""
