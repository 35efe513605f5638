"""What looks the same to a reader is found alike."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.text import RecordIdentifiers, TextDeidentifier
from airflow_healthcare_deid.engine.text.findings import Finding
from airflow_healthcare_deid.engine.text.plain import plain_text

RECORD = RecordIdentifiers.of(names=["Müllerstein José"], ids=["778-81299"], dates=["1980-02-03"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (unicodedata.normalize("NFD", "see Müllerstein, today"), "see [PERSON_NAME], today"),
        (unicodedata.normalize("NFD", "José"), "[PERSON_NAME]"),
        ("Müller\u00adstein", "[PERSON_NAME]"),
        ("\ufeffM\u200büller\u2060stein!", "\ufeff[PERSON_NAME]!"),
        ("ＭÜＬＬＥＲＳＴＥＩＮ", "[PERSON_NAME]"),
        ("Muellerstein", "[PERSON_NAME]"),
        ("778\u201181299", "[MEDICAL_RECORD_NUMBER]"),
        ("e\u0301t\u00ade\u0301 10\u201315 mg", "e\u0301t\u00ade\u0301 10\u201315 mg"),
    ],
)
def test_what_looks_the_same_is_found_in_its_place(text: str, left: str) -> None:
    deidentifier = TextDeidentifier(None, KeyRing(), detect=False)
    assert deidentifier.transform(text, RECORD, "p") == left


def test_a_record_may_be_written_in_any_of_these_ways() -> None:
    record = RecordIdentifiers.of(names=[unicodedata.normalize("NFD", "Müllerstein")])
    assert record == RecordIdentifiers.of(names=["Müllerstein"])


@given(st.text(st.sampled_from("ab -é\u0301\u0323\u00ad\u200b\u2011\ufb01\uff21"), max_size=12))
def test_places_lead_back_to_the_original(original: str) -> None:
    plain = plain_text(original)
    whole = plain.in_original(Finding(0, len(plain.text), "X"))
    assert 0 <= whole.start <= whole.end <= len(original)
    for start in range(len(plain.text)):
        one = plain.in_original(Finding(start, start + 1, "X"))
        assert plain.text[start] in plain_text(original[one.start : one.end]).text
