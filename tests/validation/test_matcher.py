from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.validation.identifiers import Identifier, Kind
from airflow_healthcare_deid.validation.matcher import Matcher
from airflow_healthcare_deid.validation.texts import Text

NAME = Identifier(Kind.NAME, "Müller-Bauer^Zoë^Anne")


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (NAME, "Anne Zoe MULLER BAUER"),
        (NAME, "mueller is not it, but müller-bauer, zoë anne is"),
        (Identifier(Kind.ID, "11-05-25-142825"), "exam 11-05-25-142825."),
        (NAME, "scan of MUELLERBAUERZOEANNE"),
        (Identifier(Kind.NAME, "O'Brien^Mary"), "OBRIEN MARY"),
        (Identifier(Kind.NAME, "Sørensen Bjørn"), "bjorn sorensen"),
        (Identifier(Kind.NAME, "Li Na"), "Na Li, standard"),
        (Identifier(Kind.NAME, "Smith J"), "J. Smith"),
        (Identifier(Kind.NAME, "山田 太郎"), "山田太郎様"),
        (Identifier(Kind.NAME, "太郎 山田"), "山田 太郎"),
        (Identifier(Kind.NAME, "김 철수"), "환자 김철수"),
        (Identifier(Kind.ID, "MRN 0042"), "id=mrn-0042;"),
        (Identifier(Kind.ID, "MRN-77881"), "scan_xMRN77881y.dcm"),
        (Identifier(Kind.ID, "123-45-6789"), "SSN 123456789"),
        (Identifier(Kind.ID, "123456789"), "SSN 123-45-6789"),
        (Identifier(Kind.ID, "A123"), "see a123"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "12/05/1970"),
        (Identifier(Kind.BIRTH_DATE, "1970-12-05"), "on 05.12.1970"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "December 5th, 1970"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "19701205101500"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "DOB 12/5/70"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "geb. 05.12.70"),
        (Identifier(Kind.BIRTH_DATE, "19701205"), "1970/12/5"),
        (Identifier(Kind.PHONE, "(555) 867-5309"), "tel. +1-555-867-5309"),
        (Identifier(Kind.PHONE, "+1 555 867 5309"), "(555) 867-5309 20240102"),
        (Identifier(Kind.PHONE, "+44 20 7946 0958"), "020 7946 0958"),
        (Identifier(Kind.PHONE, "867-5309"), "tel. 867 5309"),
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
        (Identifier(Kind.NAME, "Head"), "Head routine"),
        (Identifier(Kind.NAME, "Smith J"), "Smith fracture"),
        (Identifier(Kind.NAME, "Li Na"), "Li 4, Na 140"),
        (Identifier(Kind.ID, "2024"), "on 2024-01-02"),
        (Identifier(Kind.ID, "PHANTOM"), "phantom protocol"),
        (Identifier(Kind.ID, "000000"), "0000000"),
        (Identifier(Kind.ID, "123456"), "12 3456"),
        (Identifier(Kind.PHONE, "000-000-0000"), "0000000000"),
        (Identifier(Kind.BIRTH_DATE, "19700102"), "version 2.1.70"),
        (Identifier(Kind.ADDRESS, "New York"), "New York Hospital"),
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


def test_where_an_identifier_belongs_it_is_found_however_short_it_is() -> None:
    matcher = Matcher([Identifier(Kind.ID, "7"), Identifier(Kind.NAME, "Head"), Identifier(Kind.ADDRESS, "Anytown")])
    assert matcher.find_at_home(Text.of("7"), Kind.ID)
    assert matcher.find_at_home(Text.of("Head^"), Kind.NAME)
    assert matcher.find_at_home(Text.of("ANYTOWN"), Kind.ADDRESS)
    assert not matcher.find_at_home(Text.of("17"), Kind.ID)
    assert not matcher.find_at_home(Text.of("****"), Kind.NAME)
    assert not matcher.find_at_home(Text.of("7"), Kind.NAME)


def test_a_name_of_ordinary_words_is_found_only_where_names_belong() -> None:
    matcher = Matcher([Identifier(Kind.NAME, "Head^CT")], {"head", "ct"})
    assert matcher.find(Text.of("CT head, native")) == set()
    assert not matcher.find_name_part(Text.of("CT head, native"))
    assert matcher.find_at_home(Text.of("Head"), Kind.NAME)


def test_a_birth_date_counts_in_its_owners_texts_only() -> None:
    matcher = Matcher([Identifier(Kind.BIRTH_DATE, "1970-12-05", "p1")])
    assert matcher.find(Text.of("1970-12-05"), "p1") == {Kind.BIRTH_DATE}
    assert matcher.find(Text.of("1970-12-05"), "p2") == set()


@given(st.text(), st.lists(st.tuples(st.sampled_from(Kind), st.text())))
def test_any_text_and_any_identifier_can_be_compared(text: str, pairs: list[tuple[Kind, str]]) -> None:
    matcher = Matcher(Identifier(kind, value) for kind, value in pairs)
    assert matcher.find(Text.of(text)) <= set(Kind)


NAME_PART = st.text(alphabet=st.characters(categories=("Lu", "Ll"), codec="ascii"), min_size=1, max_size=12)


@given(NAME_PART, NAME_PART)
def test_a_name_is_found_in_any_text_that_holds_it(family: str, given: str) -> None:
    matcher = Matcher([Identifier(Kind.NAME, f"{family}^{given}")])
    assert Kind.NAME in matcher.find(Text.of(f"before ({given.upper()} {family}) after"))


def test_an_identifier_never_shows_its_value() -> None:
    assert "Bauer" not in repr(NAME)
