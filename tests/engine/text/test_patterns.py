"""What is recognized by how it is written, what is not, and that no text makes the search explode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text import patterns
from airflow_healthcare_deid.engine.text.checks import iban, luhn, vin
from airflow_healthcare_deid.engine.text.findings import Finding, merge
from airflow_healthcare_deid.engine.text.info_types import default_info_types, info_type_ranks, supported_info_types

DEFAULTS = default_info_types()


def _found(text: str, looked_for: frozenset[str] = DEFAULTS) -> list[tuple[str, str]]:
    merged = merge(patterns.find_patterns(text, looked_for), info_type_ranks())
    return [(text[one.start : one.end], one.info_type) for one in merged]


@pytest.mark.parametrize(
    ("text", "value", "info_type"),
    [
        ("Dr. Smith reviewed", "Smith", "PERSON_NAME"),
        ("DR. JOHN Q. SMITH", "JOHN Q. SMITH", "PERSON_NAME"),
        ("Electronically signed by: Anna Kowalski, MD", "Anna Kowalski", "PERSON_NAME"),
        ("discussed with Maria de la Cruz by phone", "Maria de la Cruz", "PERSON_NAME"),
        ("Patient Name: KOWALSKI, ANNA", "KOWALSKI, ANNA", "PERSON_NAME"),
        ("her daughter Ewa called", "Ewa", "PERSON_NAME"),
        ("Robert Zieliński presents", "Robert Zieliński", "PERSON_NAME"),
        ("Zielinski, Robert A.", "Zielinski, Robert A.", "PERSON_NAME"),
        ("DOE^JANE^M", "DOE^JANE^M", "PERSON_NAME"),
        ("my name is jane", "jane", "PERSON_NAME"),
        ("L. Chen, RN", "L. Chen", "PERSON_NAME"),
        ("lives at 12 Oak Ridge Road, Apt 4", "12 Oak Ridge Road, Apt 4", "LOCATION"),
        ("Springfield, IL 62704", "Springfield, IL 62704", "LOCATION"),
        ("ZIP: 62704", "62704", "LOCATION"),
        ("St. Mary's Hospital", "St. Mary's Hospital", "LOCATION"),
        ("resides in Eau Claire", "Eau Claire", "LOCATION"),
        ("Hauptstraße 5", "Hauptstraße 5", "LOCATION"),
        ("P.O. Box 123", "P.O. Box 123", "LOCATION"),
        ("call (617) 555-0123 x22", "(617) 555-0123 x22", "PHONE_NUMBER"),
        ("+49 30 901820", "+49 30 901820", "PHONE_NUMBER"),
        ("pager: 41234 5", "41234 5", "PHONE_NUMBER"),
        ("jane.doe+x@mail.example.org", "jane.doe+x@mail.example.org", "EMAIL_ADDRESS"),
        ("SSN 123-45-6789", "123-45-6789", "US_SOCIAL_SECURITY_NUMBER"),
        ("ssn: 123456789", "123456789", "US_SOCIAL_SECURITY_NUMBER"),
        ("ITIN 912-70-1234", "912-70-1234", "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER"),
        ("a 92-year-old woman", "92-year-old", "AGE"),
        ("45 y/o", "45 y/o", "AGE"),
        ("aged 101", "101", "AGE"),
        ("62 y.o. man", "62 y.o.", "AGE"),
        ("a man from Duluth", "Duluth", "LOCATION"),
        ("058Y", "058Y", "AGE"),
        ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "CREDIT_CARD_NUMBER"),
        ("host 192.168.12.7:104", "192.168.12.7", "IP_ADDRESS"),
        ("2001:db8::ff00:42:8329", "2001:db8::ff00:42:8329", "IP_ADDRESS"),
        ("00:1B:44:11:3A:B7", "00:1B:44:11:3A:B7", "MAC_ADDRESS"),
        ("VIN 1M8GDM9AXKP042788", "1M8GDM9AXKP042788", "US_VEHICLE_IDENTIFICATION_NUMBER"),
        ("passport no. C01X00T47", "C01X00T47", "PASSPORT"),
        ("driver's license: D123-4567", "D123-4567", "US_DRIVERS_LICENSE_NUMBER"),
        ("SWIFT: DEUTDEFF500", "DEUTDEFF500", "SWIFT_CODE"),
    ],
)
def test_found(text: str, value: str, info_type: str) -> None:
    assert (value, info_type) in _found(text)


@pytest.mark.parametrize(
    ("text", "value", "info_type"),
    [
        ("MRN: 00-4471-22", "00-4471-22", "MEDICAL_RECORD_NUMBER"),
        ("https://pacs.example.org/a?b=1", "https://pacs.example.org/a?b=1", "URL"),
        ("DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00", "IBAN_CODE"),
        ("NPI 1234567893", "1234567893", "US_HEALTHCARE_NPI"),
        ("DOB: 3/12/1947", "3/12/1947", "DATE_OF_BIRTH"),
        ("at 10:42 am", "10:42 am", "TIME"),
        ("Acme Insurance", "Acme Insurance", "ORGANIZATION_NAME"),
        ("12 Elm Street", "12 Elm Street", "STREET_ADDRESS"),
    ],
)
def test_found_when_asked_for(text: str, value: str, info_type: str) -> None:
    assert _found(text, frozenset({info_type})) == [(value, info_type)]
    assert (value, info_type) not in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "No acute fracture. The lungs are clear; heart size is normal. Mild degenerative change at L4-L5.",
        "CT Chest With Contrast. Technique: axial images, 5 mm, kVp 120, mAs 250, FOV 350 x 350.",
        "Comparison: None. Findings: 1.2 x 0.8 cm nodule, SUV 3.4, right upper lobe (series 3, image 45).",
        "IMPRESSION: Stable. BI-RADS 2. Patient Position: Supine. Patient Weight: 70 kg",
        "MI 1.1 TIB 0.2 28Hz 11cm HGen Gn 60 C 61 3/3/4",
        "1.2.840.113619.2.55.3.604688119.971.1449763218.456",
        "Siemens SOMATOM Force, syngo CT VB20A, kernel Br40d",
        "The patient will mark the site. May return if pain persists.",
        "card 4111 1111 1111 1112, 300.400.1.1, T1 TSE SAG",
    ],
)
def test_clinical_text_without_identifiers_is_left(text: str) -> None:
    assert _found(text) == []


UNITS = (
    "a", "A", "Aa ", "Aa Bb, ", "Dr. ", "1", "1 ", "1-", "12/", "1.", "a.", "a@", "a.a@a.", "^", "a^", ":", "a:", "+1 ",
    "(", "\n", "Patient: ", "St. ", "March ", "my name is ", "1 A", "A-", "'", "http://", "0:", "é", "\u0301", "MD, ",
)  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_repetitive_text_is_searched_in_bounded_time(unit: str) -> None:
    # A pattern that explodes on one of these would run into its time limit and raise.
    patterns.find_patterns(unit * (20_000 // len(unit)), supported_info_types())


def test_long_text_is_searched_in_overlapping_chunks() -> None:
    text = "x" * 99_990 + " Dr. Smith " + "y" * 150_000 + " jo@example.org"
    assert _found(text) == [("Smith", "PERSON_NAME"), ("jo@example.org", "EMAIL_ADDRESS")]


def test_a_search_beyond_its_limit_fails_the_text_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_SECONDS_PER_PATTERN", 1e-9)
    with pytest.raises(UndecodableError) as caught:
        patterns.find_patterns("Dr. Smith " * 5_000, DEFAULTS)
    assert "Smith" not in str(caught.value)


def test_every_default_is_supported() -> None:
    assert supported_info_types() >= DEFAULTS
    assert not supported_info_types() & set(load_rules("text")["not_looked_for"]["names"])


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from(sorted(DEFAULTS)), st.booleans())))
def test_merging_covers_everything_once(spans: list[tuple[int, int, str, bool]]) -> None:
    findings = [Finding(*span) for span in spans]
    merged = merge(findings, info_type_ranks())
    assert merged == merge(reversed(findings), info_type_ranks())
    covered = {index for one in findings for index in range(one.start, one.end)}
    assert sorted(index for one in merged for index in range(one.start, one.end)) == sorted(covered)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (luhn, "4111 1111 1111 1111", "4111 1111 1111 1121"),
        (iban, "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
        (vin, "11111111111111111", "11111111211111111"),
    ],
)
def test_check_digits(check: object, right: str, wrong: str) -> None:
    assert callable(check)
    assert check(right)
    assert not check(wrong)
