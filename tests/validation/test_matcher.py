from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.validation.identifiers import Identifier, Kind
from airflow_healthcare_deid.validation.matcher import Matcher, Text

NAME = Identifier(Kind.NAME, "Müller-Bauer^Zoë^Anne")


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (NAME, "Anne Zoe MULLER BAUER"),
        (NAME, "mueller is not it, but müller-bauer, zoë anne is"),
        (Identifier(Kind.ID, "11-05-25-142825"), "exam 11-05-25-142825."),
        (Identifier(Kind.ID, "MRN 0042"), "id=mrn-0042;"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "12/05/1970"),
        (Identifier(Kind.BIRTH_DATE, "1970-12-05"), "on 05.12.1970"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "December 5th, 1970"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "19701205101500"),
        (Identifier(Kind.PHONE, "(555) 867-5309"), "tel. +1-555-867-5309"),
        (Identifier(Kind.PHONE, "a.b@example.org"), "Mail A.B@EXAMPLE.ORG"),
        (Identifier(Kind.ADDRESS, "123 Main Street"), "lives at 123  main street"),
    ],
)
def test_an_identifier_is_found_however_it_is_written(identifier: Identifier, text: str) -> None:
    assert Matcher([identifier]).find(Text.of(text)) == {identifier.kind}


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (NAME, "Müller alone"),
        (Identifier(Kind.ID, "12345"), "9123456"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "1970-12-06"),
        (Identifier(Kind.PHONE, "555-867-5309"), "555-867-5300"),
        (Identifier(Kind.ADDRESS, "123 Main Street"), "124 Main Street"),
    ],
)
def test_what_is_near_is_not_found(identifier: Identifier, text: str) -> None:
    assert Matcher([identifier]).find(Text.of(text)) == set()


@pytest.mark.parametrize("value", ["1", "AB", "^^", "?"])
def test_what_is_too_short_is_counted_and_not_looked_for(value: str) -> None:
    matcher = Matcher([Identifier(Kind.ID, value)])
    assert matcher.ignored == 1
    assert matcher.find(Text.of(f"id {value}")) == set()


@given(st.text(), st.lists(st.tuples(st.sampled_from(Kind), st.text())))
def test_any_text_and_any_identifier_can_be_compared(text: str, pairs: list[tuple[Kind, str]]) -> None:
    matcher = Matcher(Identifier(kind, value) for kind, value in pairs)
    assert matcher.find(Text.of(text)) <= set(Kind)


@given(st.text(alphabet=st.characters(categories=("Lu", "Ll")), min_size=4, max_size=12).filter(str.isascii))
def test_a_name_is_found_in_any_text_that_holds_it(name: str) -> None:
    matcher = Matcher([Identifier(Kind.NAME, name)])
    assert Kind.NAME in matcher.find(Text.of(f"before ({name.upper()}) after"))


def test_an_identifier_never_shows_its_value() -> None:
    assert "Bauer" not in repr(NAME)
