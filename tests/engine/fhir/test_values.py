from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from airflow_healthcare_deid.config import (
    CharacterMaskConfig,
    CryptoHashConfig,
    DateShiftConfig,
    InfoTypeTransformation,
    RedactConfig,
    ReplaceWithInfoTypeConfig,
    TextConfig,
)
from airflow_healthcare_deid.engine.fhir.values import ValueTransformer
from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.text import TextDeidentifier

HASH: dict[str, Any] = {"crypto_hash_config": CryptoHashConfig()}
MASK: dict[str, Any] = {"character_mask_config": CharacterMaskConfig()}
SHIFT: dict[str, Any] = {"date_shift_config": DateShiftConfig()}
REDACT: dict[str, Any] = {"redact_config": RedactConfig()}
REPLACE: dict[str, Any] = {"replace_with_info_type_config": ReplaceWithInfoTypeConfig()}


def transformer(keys: KeyRing, what: dict[str, Any] | None = None, **more: Any) -> ValueTransformer:
    rows = [InfoTypeTransformation(**what)] if what else None
    config = TextConfig(additional_transformations=rows, **more)
    return ValueTransformer(config, keys, TextDeidentifier(config, keys))


@pytest.mark.parametrize(
    ("what", "fhir_type", "value", "pattern"),
    [
        (HASH, "String", "Doe", r"[A-Za-z0-9+/]{43}="),
        (HASH, "Id", "doe", r"[0-9a-f]{64}"),
        (HASH, "Oid", "urn:oid:1.2.3", r"urn:oid:2\.25\.\d+"),
        (HASH, "Uuid", "urn:uuid:x", r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        (HASH, "Xhtml", "<div><p>Doe</p></div>", r'<div xmlns="http://www.w3.org/1999/xhtml">[A-Za-z0-9+/]{43}=</div>'),
        (MASK, "String", "Doe", r"\*\*\*"),
        (MASK, "Xhtml", "<div>Doe</div>", r'<div xmlns="http://www.w3.org/1999/xhtml">\*\*\*</div>'),
    ],
)
def test_a_transformation_writes_in_the_grammar_of_the_type(
    keys: KeyRing, what: dict[str, Any], fhir_type: str, value: str, pattern: str
) -> None:
    values = transformer(keys, what)
    new = values.whole(value, fhir_type, "", "patient")
    assert isinstance(new, str)
    assert re.fullmatch(pattern, new)
    assert new == values.whole(value, fhir_type, "", "patient")


@pytest.mark.parametrize(
    ("what", "fhir_type", "value"),
    [
        (HASH, "Date", "2020-01-01"),
        (HASH, "Decimal", 1.5),
        (HASH, "Boolean", True),
        (HASH, "AdministrativeGenderCode", "female"),
        (MASK, "Id", "doe"),
        (MASK, "DateTime", "2020"),
        (SHIFT, "String", "2020-01-01"),
        (SHIFT, "Date", "yesterday"),
        (SHIFT, "Date", "0001-01-01"),
        (REDACT, "String", "Doe"),
        (REDACT, "Xhtml", "<div>Doe</div>"),
        (REPLACE, "String", "Doe"),
        (REPLACE, "Xhtml", "<div>Doe</div>"),
        (HASH, "Xhtml", "<div>"),
    ],
)
def test_where_it_cannot_be_applied_the_value_goes(
    keys: KeyRing, what: dict[str, Any], fhir_type: str, value: object
) -> None:
    keys = KeyRing(b"fedcba9876543210")
    if value == "0001-01-01":
        # A day before the first that the calendar knows: only a key that shifts back gets there.
        keys = next(
            ring for n in range(99) if (ring := KeyRing(bytes([n]) * 16)).date_shift_days(DateShiftConfig(), "p") < 0
        )
    assert transformer(keys, what).whole(value, fhir_type, "", "p") is None


@pytest.mark.parametrize(
    ("fhir_type", "value"),
    [
        ("Date", "2020-02-29"),
        ("Date", "2020-02"),
        ("Date", "2020"),
        ("DateTime", "2020-02-29T23:59:60+14:00"),
        ("DateTime", "2020-02-29T23:59:59Z"),
        ("Instant", "2020-02-29T23:59:59.123456-05:00"),
    ],
)
def test_a_shifted_date_is_as_precise_as_it_was(keys: KeyRing, fhir_type: str, value: str) -> None:
    new = transformer(keys).whole(value, fhir_type, "DATE", "patient")
    assert isinstance(new, str)
    days = keys.date_shift_days(DateShiftConfig(), "patient")
    assert len(new) == len(value)
    assert new[10:] == value[10:]
    if len(value) >= 10:
        assert (date.fromisoformat(new[:10]) - date.fromisoformat(value[:10])).days == days


def test_a_year_stays_and_a_month_follows_its_middle(keys: KeyRing) -> None:
    values = transformer(keys)
    assert values.whole("1980", "Date", "DATE", "any patient") == "1980"
    months = {values.whole("1980-06", "Date", "DATE", f"patient {n}") for n in range(50)}
    assert {"1980-03", "1980-04", "1980-05", "1980-06", "1980-07", "1980-08", "1980-09"} >= months
    assert len(months) > 3


def test_dates_of_one_patient_move_alike_and_of_two_do_not(keys: KeyRing) -> None:
    values = transformer(keys)
    one = {values.whole("2020-01-01", "Date", info, "one") for info in ("DATE", "DATE_OF_BIRTH")}
    assert len(one) == 1
    assert len({values.whole("2020-01-01", "Date", "DATE", f"patient {n}") for n in range(20)}) > 10


def test_an_excluded_info_type_passes(keys: KeyRing) -> None:
    values = transformer(keys, REDACT, exclude_info_types=["PERSON_NAME"])
    assert values.whole("Doe", "String", "PERSON_NAME", "p") == "Doe"
    assert values.whole("Doe", "String", "", "p") is None


def test_a_transformation_is_chosen_by_info_type(keys: KeyRing) -> None:
    config = TextConfig(
        additional_transformations=[
            InfoTypeTransformation(info_types=["PERSON_NAME"], **MASK),
            InfoTypeTransformation(info_types=["DATE"], **REDACT),
        ]
    )
    values = ValueTransformer(config, keys, None)
    assert values.whole("Doe", "String", "PERSON_NAME", "p") == "***"
    assert values.whole("2020", "Date", "DATE_OF_BIRTH", "p") is None
    assert values.whole("Boston", "String", "LOCATION", "p", label=True) == "[LOCATION]"


def test_a_search_changes_what_is_found(keys: KeyRing) -> None:
    values = transformer(keys, REPLACE)
    assert values.found("mail jane@example.com", "String", None, "p") == "mail [EMAIL_ADDRESS]"
    assert values.found("<div>jane@<b>example.com</b></div>", "Xhtml", None, "p") == "<div>[EMAIL_ADDRESS]<b></b></div>"
    assert values.found("stable", "String", None, "p") == "stable"
    assert values.found(12, "Decimal", None, "p") == 12


def test_what_a_search_empties_goes(keys: KeyRing) -> None:
    values = transformer(keys, REDACT)
    assert values.found(" jane@example.com ", "String", None, "p") is None
    assert values.found("<div>", "Xhtml", None, "p") is None
    assert values.found("urn:oid:jane@example.com", "Oid", None, "p") is None


def test_ids_use_the_key_for_all_info_types() -> None:
    keyed = {"crypto_hash_config": CryptoHashConfig(crypto_key="MDEyMzQ1Njc4OWFiY2RlZg==")}
    first, second = (transformer(KeyRing(), keyed).id_of("1") for _ in range(2))
    assert first == second
    assert transformer(KeyRing()).id_of("1") != transformer(KeyRing()).id_of("1")
