from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.emulator.fhir import dates


@pytest.mark.parametrize(
    ("text", "start", "width"),
    [
        ("2020", datetime(2020, 1, 1, tzinfo=UTC), timedelta(days=366)),
        ("2020-02", datetime(2020, 2, 1, tzinfo=UTC), timedelta(days=29)),
        ("2020-12", datetime(2020, 12, 1, tzinfo=UTC), timedelta(days=31)),
        ("2020-12-31", datetime(2020, 12, 31, tzinfo=UTC), timedelta(days=1)),
        ("2020-12-31T23:30", datetime(2020, 12, 31, 23, 30, tzinfo=UTC), timedelta(minutes=1)),
        ("2020-01-01T00:00:00+01:00", datetime(2019, 12, 31, 23, tzinfo=UTC), timedelta(seconds=1)),
        ("2020-01-01T00:00:00.5Z", datetime(2020, 1, 1, 0, 0, 0, 500000, UTC), timedelta(milliseconds=1)),
    ],
)
def test_a_date_is_the_span_its_precision_leaves_open(text: str, start: datetime, width: timedelta) -> None:
    assert dates.parse_interval(text) == (start, start + width)


@pytest.mark.parametrize(
    "text", ["", "20", "2020-13", "2020-02-30", "2020-01-01T25:00", "9999", "2020-01-01T00:00:00+15:00"]
)
def test_other_text_is_no_date(text: str) -> None:
    assert dates.parse_interval(text) is None


@given(st.text(max_size=30))
def test_any_text_is_read_or_not(text: str) -> None:
    interval = dates.parse_interval(text)
    assert interval is None or interval.start < interval.end


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_prefixes_agree_with_whole_days(wanted: date, value: date) -> None:
    left, right = (dates.parse_interval(day.isoformat()) for day in (wanted, value))
    assert left is not None
    assert right is not None
    expected = {
        "eq": value == wanted, "ne": value != wanted, "gt": value > wanted, "lt": value < wanted,
        "ge": value >= wanted, "le": value <= wanted, "sa": value > wanted, "eb": value < wanted,
    }  # fmt: skip
    assert {prefix: dates.matches(prefix, left, right) for prefix in expected} == expected


def test_an_instant_needs_seconds_and_a_zone() -> None:
    assert dates.parse_instant("2020-01-01T00:00:00Z") == datetime(2020, 1, 1, tzinfo=UTC)
    assert dates.parse_instant("2020-01-01T00:00:00") is None
    assert dates.parse_instant("2020-01-01") is None
