"""The patient's own identifiers, in whatever way a text repeats them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.engine.text import RecordIdentifiers
from airflow_healthcare_deid.engine.text.record import fold, name_tokens

RECORD = RecordIdentifiers.of(
    names=["Müller-Doe^Jane^Mary^Dr", "O'Brien^Li"],
    ids=["11-05-25-142825", "0004471229", "7", "AB12", "MRN-778812", "XY-123", None, ""],
    dates=["19470312", "not a date"],
    phones=["+1 (617) 555-0123"],
    emails=["jane@example.org"],
    addresses=["12 Elm Street", "Springfield", "02139", "MA"],
)


def _found(text: str, record: RecordIdentifiers = RECORD) -> set[tuple[str, str]]:
    return {(text[one.start : one.end], one.info_type) for one in record.find(text)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("JANE MÜLLER-DOE was seen", "JANE MÜLLER-DOE"),
        ("Muller, Jane", "Muller, Jane"),
        ("Mueller, Jane", "Mueller, Jane"),
        ("doe^jane", "doe^jane"),
        ("JaneDoe.dcm", "JaneDoe"),
        ("jane_doe_ct", "jane_doe"),
        ("Seen: J. Doe today", "J. Doe"),
        ("DOE J", "DOE J"),
        ("Jane's leg", "Jane's"),
        ("Jane M. Doe", "Jane M. Doe"),
        ("O'Brien", "O'Brien"),
        ("Li was here", "Li"),
        ("MD", None),
        ("janet doeskin", None),
        ("J. M.", None),
        ("Dr. Smith", None),
    ],
)
def test_names(text: str, found: str | None) -> None:
    names = {value for value, info_type in _found(text) if info_type == "PERSON_NAME"}
    assert found in names if found else not names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("study 11-05-25-142825.", "11-05-25-142825"),
        ("study 110525142825", "110525142825"),
        ("MRN0004471229", "0004471229"),
        ("MRN 4471229", "4471229"),
        ("447-1229", "447-1229"),
        ("ab12 and", "ab12"),
        ("Patient ID: 7, age 7", "7"),
        ("7 cm", None),
        ("44712290", None),
        ("AB123", None),
        ("mrn 778812", "mrn 778812"),
        ("pt. 77-88-12", "77-88-12"),
        ("7788123", None),
        ("123 mg", None),
    ],
)
def test_ids(text: str, found: str | None) -> None:
    assert {value for value, info_type in _found(text) if info_type == "MEDICAL_RECORD_NUMBER"} == ({found} - {None})


@pytest.mark.parametrize(
    "written",
    ["3/12/1947", "03/12/47", "12.03.1947", "1947-03-12", "19470312", "12 March 1947", "Mar 12, 1947", "12-MAR-47"],
)
def test_birth_date_in_any_form(written: str) -> None:
    assert (written, "DATE") in _found(f"DOB {written} Boston")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("call 617-555-0123", ("617-555-0123", "PHONE_NUMBER")),
        ("+1.617.555.0123", ("+1.617.555.0123", "PHONE_NUMBER")),
        ("555 0123", ("555 0123", "PHONE_NUMBER")),
        ("JANE@EXAMPLE.ORG", ("JANE@EXAMPLE.ORG", "EMAIL_ADDRESS")),
        ("at 12, elm street", ("12, elm street", "LOCATION")),
        ("SPRINGFIELD MA 02139", ("02139", "LOCATION")),
    ],
)
def test_phones_and_addresses(text: str, found: tuple[str, str]) -> None:
    assert found in _found(text)


def test_an_address_in_one_is_found_in_its_parts_too() -> None:
    record = RecordIdentifiers.of(addresses=["12 Elm Street, Springfield, 130, MA"])
    found = _found("of Springfield, once 12 elm street, room 130, MA; 12 Elm Street, Springfield, 130, MA", record)
    assert {written for written, _ in found} == {
        "Springfield",
        "12 elm street",
        "12 Elm Street",
        "12 Elm Street, Springfield, 130, MA",
    }


def test_dotted_initials_count_when_they_are_complete() -> None:
    record = RecordIdentifiers.of(names=["Roe^Ann^Lee"])
    assert _found("seen by A.L.R. and A. L. today; R.A.L.", record) == {
        ("A.L.R.", "PERSON_NAME"),
        ("R.A.L.", "PERSON_NAME"),
    }


def test_every_finding_is_marked_as_known() -> None:
    assert all(one.known for one in RECORD.find("Jane, 19470312, 617-555-0123"))


def test_an_empty_record_finds_nothing() -> None:
    empty = RecordIdentifiers.of(names=["^^", "Dr", "", None], ids=[None, " "], dates=[None], phones=["911"])
    assert empty.find("Dr 911 patient ^^") == []


def test_the_representation_holds_no_identifier() -> None:
    assert repr(RECORD) == "RecordIdentifiers()"


def test_titles_and_particles_name_nobody() -> None:
    assert name_tokens("von der Leyen^Anna^^Prof. Dr") == ["leyen", "anna"]


@given(st.text())
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.lists(st.text(max_size=40), max_size=5), st.text(max_size=200))
def test_any_values_make_a_record(values: list[str], text: str) -> None:
    record = RecordIdentifiers.of(
        names=values, ids=values, dates=values, phones=values, emails=values, addresses=values
    )
    for one in record.find(text + " ".join(values)):
        assert one.start < one.end


@given(
    st.from_regex(r"[A-Z][a-z]{3,10}", fullmatch=True),
    st.from_regex(r"[A-Z][a-z]{3,10}", fullmatch=True),
    st.from_regex(r"[A-Z]{2}[0-9]{6,9}", fullmatch=True),
)
def test_what_is_planted_is_covered(family: str, given_name: str, number: str) -> None:
    particles = {"anonymous", "anonymized", "unknown", "test", "patient", "phantom", "none", "null", "miss", "prof"}
    if {family.lower(), given_name.lower()} & particles:
        return
    record = RecordIdentifiers.of(names=[f"{family}^{given_name}"], ids=[number])
    text = f"the case of {family.upper()}, {given_name} ({number})."
    hidden: set[int] = set()
    for one in record.find(text):
        hidden.update(range(one.start, one.end))
    rest = "".join(character if index not in hidden else " " for index, character in enumerate(text))
    assert family.upper() not in rest
    assert given_name not in rest.split()
    assert number not in rest
