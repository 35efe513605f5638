"""Dates: found, understood, and written for another day in the same form."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_healthcare_deid.engine.text.dates import find_dates, parse_date, shift_date

FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y", "%d %B %Y", "%B %d, %Y",
    "%b %d %Y", "%A, %B %d, %Y", "%d%b%Y", "%Y-%b-%d",
)  # fmt: skip
DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))


@given(DAYS, st.sampled_from(FORMS), st.integers(-400, 400))
def test_shift_keeps_the_form(day: date, form: str, days: int) -> None:
    # "May" is its own abbreviation, so it does not tell the form.
    assume(1800 <= (day + timedelta(days=days)).year <= 2100 and not ("%B" in form and day.month == 5))
    written = day.strftime(form)
    assert shift_date(written, days) == (day + timedelta(days=days)).strftime(form)


@given(DAYS, st.sampled_from(FORMS))
def test_a_written_date_is_found_whole_and_understood(day: date, form: str) -> None:
    written = day.strftime(form)
    text = f"Seen {written}; stable."
    [found] = find_dates(text)
    assert text[found.start : found.end] == written
    assert day in found.days


@pytest.mark.parametrize(
    ("written", "shifted"),
    [
        ("3/14/2021", "3/24/2021"),
        ("03/14/21", "03/24/21"),
        ("12/31/99", "01/10/00"),
        ("14.3.2021", "24.3.2021"),
        ("14-MAR-21", "24-MAR-21"),
        ("March 14th, 2021", "March 24th, 2021"),
        ("the 14th of March 2021", None),
        ("14th of March 2021", "24th of March 2021"),
        ("Sun, Mar 14, 2021", "Wed, Mar 24, 2021"),
        ("sunday 14 march 2021", "wednesday 24 march 2021"),
        ("May 25, 2021", "Jun 04, 2021"),
        ("2021-03-14T10:15:00.000+01:00", "2021-03-24T10:15:00.000+01:00"),
        ("20210314101500.000000+0100", "20210324101500.000000+0100"),
        ("2021-03-14 10:15", "2021-03-24 10:15"),
        ("March 2021", None),
        ("2021", None),
        ("2021-03", None),
        ("2021-02-30", None),
        ("9999-12-31", None),
        ("2021-03-14 and more", None),
        ("", None),
    ],
)
def test_shift_by_ten_days(written: str, shifted: str | None) -> None:
    assert shift_date(written, 10) == shifted


@pytest.mark.parametrize(
    "text",
    [
        "MI 1.1 TIB 0.2",
        "C5-1",
        "3/3/4",
        "12/34",
        "1.2.840.20210314.1",
        "v1.2.34",
        "BP 120/80",
        "You may 2 tablets",
        "T12-L1",
    ],
)
def test_numbers_that_are_no_dates(text: str) -> None:
    assert find_dates(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("since March 2021.", "March 2021"),
        ("on March 14 he", "March 14"),
        ("the 14th of March", "14th of March"),
        ("Friday, June 12.", "Friday, June 12"),
        ("dated 3/14, stable", "3/14"),
        ("from 03/2021", "03/2021"),
        ("born in 1947", "1947"),
    ],
)
def test_incomplete_dates_are_found_but_name_no_day(text: str, found: str) -> None:
    [written] = find_dates(text)
    assert text[written.start : written.end] == found
    assert written.days == ()


def test_an_ambiguous_date_gives_both_days_the_american_one_first() -> None:
    assert parse_date("3/4/2021") == (date(2021, 3, 4), date(2021, 4, 3))
    assert parse_date("3.4.2021") == (date(2021, 4, 3), date(2021, 3, 4))


@given(st.text(max_size=200))
def test_any_text_is_searched_without_error(text: str) -> None:
    for written in find_dates(text):
        assert 0 <= written.start < written.end <= len(text)
