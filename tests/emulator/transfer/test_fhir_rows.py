"""Rows of the analytics schemas, without a store."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion
from airflow_healthcare_deid.emulator.jobs.fhir_rows import AnalyticsRows, UnfitRowError
from demo.fhir_samples import make_samples
from tests.support.bigquery_load import check_row, check_schema

RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"


def row_of(resource: dict[str, Any], depth: int = 2, *, repeats: bool = True) -> dict[str, Any]:
    rows = AnalyticsRows(FhirVersion.R4, resource["resourceType"], depth, repeats=repeats)
    row = rows.row(resource)
    check_schema(rows.schema())
    check_row(row, rows.schema())
    return row


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("version", ["STU3", "R4"])
def test_resources_of_any_kind_can_be_loaded(version: Any, repeats: bool) -> None:
    tables: dict[str, tuple[AnalyticsRows, list[dict[str, Any]]]] = {}
    for sample in make_samples(5, version):
        for resource in sample.resources:
            kind = resource["resourceType"]
            made = AnalyticsRows(FhirVersion(version), kind, 2, repeats=repeats)
            rows, found = tables.setdefault(kind, (made, []))
            found.append(rows.row(resource))
    assert len(tables) > 3
    for rows, found in tables.values():
        check_schema(rows.schema())
        for row in found:
            check_row(row, rows.schema())


def test_choices_references_and_ids_are_as_the_projection_has_them() -> None:
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "code": {"id": "x", "coding": [{"id": "y", "code": "c"}]},
        "subject": {"reference": "Patient/p/_history/1", "identifier": {"assigner": {"display": "a"}}},
        "valueQuantity": {"value": 1.5},
        "effectiveDateTime": "2020",
        "_effectiveDateTime": {"extension": [{"url": "u", "valueCode": "c"}]},
        "issued": "2020-01-01T00:00:00.123456789Z",
        "component": [{"valueBoolean": True}, {"valueString": "s"}],
    }
    assert row_of(observation) == {
        "id": "o",
        "code": {"coding": [{"code": "c"}]},
        "subject": {"reference": "Patient/p/_history/1", "patientId": "p", "identifier": {}},
        "value": {"quantity": {"value": 1.5}},
        "effective": {"dateTime": "2020"},
        "issued": "2020-01-01T00:00:00.123456Z",
        "component": [{"value": {"boolean": True}}, {"value": {"string": "s"}}],
    }


def test_extensions_are_columns_that_version_2_repeats() -> None:
    text = {"url": "text", "valueString": "first"}
    patient = {
        "resourceType": "Patient",
        "extension": [
            {"url": RACE, "extension": [text, {**text, "valueString": "second"}]},
            {"url": "urn:oid:1.2", "valueAge": {"value": 90}},
            {"url": "http://example.org/3/", "id": "e", "valueInteger": 1},
        ],
    }
    assert row_of(patient, repeats=False) == {
        "us_core_race": {"text": {"value": {"string": "first"}}},
        "urn_oid_1_2": {"value": {"age": {"value": 90}}},
        "_3": {"value": {"integer": 1}},
    }
    assert row_of(patient)["us_core_race"] == [
        {"text": [{"value": {"string": "first"}}, {"value": {"string": "second"}}]}
    ]


def test_contained_resources_are_text_in_version_2_and_others_nowhere() -> None:
    basic = {"resourceType": "Basic", "id": "b"}
    account = {"resourceType": "Account", "contained": [basic], "status": "active"}
    assert row_of(account) == {"contained": ['{"resourceType":"Basic","id":"b"}'], "status": "active"}
    assert row_of(account, repeats=False) == {"status": "active"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "u", "resource": basic}]}
    assert row_of(bundle) == {"type": "collection", "entry": [{"fullUrl": "u"}]}


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_recursion_ends_where_the_request_says(depth: int) -> None:
    concept: dict[str, Any] = {"code": "c"}
    for _ in range(9):
        concept = {"code": "c", "concept": [concept]}
    row = row_of({"resourceType": "CodeSystem", "concept": [concept]}, depth)
    levels = 0
    while "concept" in row:
        row, levels = row["concept"][0], levels + 1
    assert levels == depth


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "extension": [{"url": "http://example.org/gender", "valueCode": "x"}]},
        {"resourceType": "Patient", "name": {"family": "x"}},
    ],
)
def test_what_would_need_a_column_of_two_types_does_not_fit(resource: dict[str, Any]) -> None:
    rows = AnalyticsRows(FhirVersion.R4, "Patient", 2, repeats=True)
    rows.row({"resourceType": "Patient", "name": [{"family": "x"}]})
    with pytest.raises(UnfitRowError):
        rows.row(resource)
