"""What the page says of rules, and which inferred rows it lists."""

from __future__ import annotations

import pytest

from airflow_healthcare_deid.cli.preview.rules import inferred, meaning
from airflow_healthcare_deid.config import load_config

NOTHING = load_config({})


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("keepList", "Not on dicom.keepList"),
        ("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE X/Z", "code X/Z: remove or empty"),
        ("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", "private, of an overlay or curve, or unknown"),
        ("rules/fhir_default.yaml rows[4]", "Default profile (inferred): TRANSFORM Date, DateTime, Instant, Age.value"),
        ("image.customRegexes[0]", "A pattern of the config"),
        ("", "the format of the file"),
    ],
)
def test_a_rule_is_explained(rule: str, said: str) -> None:
    assert said in meaning(rule, NOTHING)


def test_a_row_of_the_config_is_quoted() -> None:
    row = {"action": "TRANSFORM", "paths": ["Patient.name", "Date", "String", "Id", "Oid"]}
    config = load_config({"fhir": {"fieldMetadataList": [row]}})
    said = "Config: TRANSFORM Patient.name, Date, String, Id and 1 more"
    assert meaning("fhir.fieldMetadataList[0]", config) == said


def test_only_tables_in_use_are_listed() -> None:
    def tables(config: dict[str, object], *kinds: str) -> set[str]:
        return {one.row.split()[0] for one in inferred(load_config(config), set(kinds))}

    assert tables({}, "DICOM") == {"dicom"}
    assert tables({"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}, "DICOM") == {"dicom", "image"}
    assert {"dicom_contents", "text"} <= tables({"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}, "DICOM")
    assert "fhir_default" in tables({"fhir": {}}, "FHIR")
    lists: dict[str, object] = {"fhir": {"fieldMetadataList": [{"action": "TRANSFORM", "paths": ["Date"]}]}}
    assert "fhir_default" not in tables(lists, "FHIR")
    assert tables({}) == set()


def test_every_row_listed_says_that_it_is_inferred() -> None:
    rows = inferred(load_config({"fhir": {}, "image": {}}), {"DICOM", "FHIR"})
    assert len(rows) > 15
    assert all("inferred" in one.source for one in rows)
