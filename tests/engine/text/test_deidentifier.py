"""The documented examples, the transformations, and which of them applies."""

from __future__ import annotations

import pickle
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.config import (
    CharacterMaskConfig,
    CryptoHashConfig,
    DateShiftConfig,
    InfoTypeTransformation,
    KmsWrappedCryptoKey,
    RedactConfig,
    ReplaceWithInfoTypeConfig,
    TextConfig,
)
from airflow_healthcare_deid.engine.errors import EngineError, MissingPartError
from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.text import Finding, RecordIdentifiers, TextDeidentifier
from airflow_healthcare_deid.engine.text.dates import parse_date

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.changes import Change

KEYS = KeyRing(b"k" * 32)
RECORD = RecordIdentifiers.of(names=["Doe^Jane"], ids=["4471-2298"], dates=["19470312"])
REDACT = {"redact_config": RedactConfig()}
REPLACE = {"replace_with_info_type_config": ReplaceWithInfoTypeConfig()}
MASK = {"character_mask_config": CharacterMaskConfig()}
SHIFT = {"date_shift_config": DateShiftConfig()}


def _rule(*info_types: str, **transformation: Any) -> InfoTypeTransformation:
    return InfoTypeTransformation(info_types=list(info_types) or None, **transformation)


def _text(*additional: InfoTypeTransformation, exclude: list[str] | None = None) -> TextDeidentifier:
    return TextDeidentifier(
        TextConfig(additional_transformations=list(additional) or None, exclude_info_types=exclude), KEYS
    )


@pytest.mark.parametrize(
    ("transformation", "result"), [(REDACT, "My name is ."), (REPLACE, "My name is [PERSON_NAME].")]
)
def test_examples_of_the_discovery_document(transformation: dict[str, Any], result: str) -> None:
    assert _text(_rule(**transformation)).transform("My name is Jane.", None, "p") == result


def test_defaults_shift_dates_and_name_the_rest() -> None:
    result = TextDeidentifier(None, KEYS).transform("Dr. Smith saw her on 2021-03-14 in Boston.", None, "p")
    days = KEYS.date_shift_days(DateShiftConfig(), "p")
    shifted = parse_date("2021-03-14")[0].toordinal() + days
    day = type(parse_date("2021-03-14")[0]).fromordinal(shifted)
    assert result == f"Dr. [PERSON_NAME] saw her on {day.isoformat()} in [LOCATION]."


@pytest.mark.parametrize(
    ("mask", "result"), [(None, "My name is ****."), ("#", "My name is ####.")], ids=["default", "chosen"]
)
def test_character_mask(mask: str | None, result: str) -> None:
    rule = _rule(character_mask_config=CharacterMaskConfig(masking_character=mask))
    assert _text(rule).transform("My name is Jane.", None, "p") == result


def test_crypto_hash_is_the_hash_of_the_key_ring() -> None:
    hashing = CryptoHashConfig(crypto_key="a2tra2tra2tra2tra2traw==")
    result = _text(_rule(crypto_hash_config=hashing)).transform("My name is Jane.", None, "p")
    assert result == f"My name is {KEYS.crypto_hash(hashing, 'Jane')}."


def test_date_shift_is_fixed_for_a_patient_and_redacts_what_it_cannot_shift() -> None:
    text = _text(_rule(**SHIFT))
    first = text.transform("3/14/2021 to 3/16/2021", None, "p")
    start, end = (parse_date(written)[0] for written in first.split(" to "))
    assert (end - start).days == 2
    assert first != "3/14/2021 to 3/16/2021"
    assert text.transform("3/14/2021 to 3/16/2021", None, "p") == first
    assert text.transform("in March 2021", None, "p") == "in "
    assert text.transform("My name is Jane.", None, "p") == "My name is ."


def test_precedence() -> None:
    config = TextConfig(
        exclude_info_types=["LOCATION"],
        additional_transformations=[_rule("PERSON_NAME", **MASK), _rule("PERSON_NAME", "LOCATION", **REDACT)],
        transformations=[_rule("PERSON_NAME", **REDACT), _rule("AGE", **REDACT)],
    )
    text = TextDeidentifier(config, KEYS)
    result = text.transform("Dr. Smith, Boston, a 45-year-old, jo@example.org", None, "p")
    assert result == "Dr. *****, Boston, a , [EMAIL_ADDRESS]"


def test_excluded_infotypes_are_left_even_in_the_patients_own_record() -> None:
    text = _text(exclude=["DATE"])
    assert text.transform("Jane, 3/12/1947, 5/5/2020", RECORD, "p") == "[PERSON_NAME], 3/12/1947, 5/5/2020"


def test_what_is_not_among_the_defaults_is_found_when_named() -> None:
    written = "see https://example.org/x"
    assert _text().transform(written, None, "p") == written
    assert _text(_rule("URL", **REDACT)).transform(written, None, "p") == "see "


def test_record_is_found_without_detection() -> None:
    text = TextDeidentifier(None, KEYS, detect=False)
    assert text.transform("Jane Doe with Dr. Smith, ID 4471 2298", RECORD, "p") == (
        "[PERSON_NAME] with Dr. Smith, ID [MEDICAL_RECORD_NUMBER]"
    )


def test_findings_don_t_overlap_and_cover_the_patients_name_within_a_longer_one() -> None:
    written = "Dr. Jane Doe Smith, doe@example.org"
    findings = TextDeidentifier(None, KEYS).inspect(written, RECORD)
    assert findings == sorted(findings)
    assert all(first.end <= second.start for first, second in pairwise(findings))
    assert [written[one.start : one.end] for one in findings] == ["Jane Doe Smith", "doe@example.org"]
    assert findings[0] == Finding(4, 18, "PERSON_NAME", known=True)


@pytest.mark.parametrize(
    ("transformation", "label", "result"),
    [(REPLACE, False, ""), (REPLACE, True, "[PERSON_NAME]"), (REDACT, True, ""), (MASK, False, "********")],
)
def test_whole_values(transformation: dict[str, Any], label: bool, result: str) -> None:
    text = _text(_rule(**transformation))
    assert text.transform_value("Doe^Jane", "PERSON_NAME", "p", label=label) == result


@pytest.mark.parametrize("value", ["20210314", "2021-03-14", "20210314101500.000000", "2021-03-14T10:00:00Z"])
def test_whole_dates_are_shifted(value: str) -> None:
    shifted = TextDeidentifier(None, KEYS).transform_value(value, "DATE", "p")
    assert len(shifted) == len(value)
    assert shifted[-4:] == value[-4:] or len(value) <= 10
    assert shifted != value


@pytest.mark.parametrize("value", ["2021", "2021-03", "0000", "yesterday", "20211399"])
def test_whole_dates_that_cannot_be_shifted_are_redacted(value: str) -> None:
    assert TextDeidentifier(None, KEYS).transform_value(value, "DATE", "p") == ""


def test_empty_and_excluded_values_stay() -> None:
    text = _text(exclude=["PERSON_NAME"])
    assert text.transform_value("Doe^Jane", "PERSON_NAME", "p") == "Doe^Jane"
    assert text.transform_value("", "DATE", "p") == ""
    assert text.transform("", RECORD, "p") == ""


def test_observer_is_told_what_and_why() -> None:
    changes: list[Change] = []
    _text(_rule("DATE", **SHIFT)).transform("Jane, in March 2021", RECORD, "p", changes.append, "PatientComments")
    assert [(one.path, one.action, one.rule, one.before, one.after, one.info_type) for one in changes] == [
        (
            "PatientComments",
            "replace_with_info_type",
            "rules/text.yaml default_transformations[1]",
            "Jane",
            "[PERSON_NAME]",
            "PERSON_NAME",
        ),
        ("PatientComments", "redact", "text.additionalTransformations[0]", "March 2021", "", "DATE"),
    ]


def test_infotypes_of_google_that_are_not_looked_for_are_listed() -> None:
    text = _text(_rule("PERSON_NAME", "FRANCE_NIR", **REDACT), exclude=["MEDICAL_TERM", "LOCATION"])
    assert text.not_looked_for == ("FRANCE_NIR", "MEDICAL_TERM")


def test_unknown_infotypes_are_an_error_with_the_list() -> None:
    with pytest.raises(EngineError, match=r"'PATIENT_NAME' is not an infoType.*PERSON_NAME"):
        _text(_rule("PATIENT_NAME", **REDACT))


def test_a_key_that_cannot_be_unwrapped_is_an_error_at_once() -> None:
    wrapped = KmsWrappedCryptoKey(
        crypto_key="projects/p/locations/l/keyRings/r/cryptoKeys/k", wrapped_key="a2tra2tra2tra2tra2traw=="
    )
    with pytest.raises(EngineError, match="kmsWrapped"):
        _text(_rule(crypto_hash_config=CryptoHashConfig(kms_wrapped=wrapped)))


def test_pickled_it_does_the_same() -> None:
    text = _text(_rule("PERSON_NAME", **MASK))
    copy = pickle.loads(pickle.dumps(text))
    assert copy.transform("Dr. Smith, 3/14/2021", None, "p") == text.transform("Dr. Smith, 3/14/2021", None, "p")


def test_the_missing_extra_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(MissingPartError, match=r"airflow-healthcare-deid\[text\]"):
        TextDeidentifier(None, KEYS)
    assert TextDeidentifier(None, KEYS, detect=False).transform("Jane", RECORD, "p") == "[PERSON_NAME]"
