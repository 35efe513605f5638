from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.engine.fhir import collect_record
from airflow_healthcare_deid.engine.fhir.model import Kind, fhir_model
from airflow_healthcare_deid.engine.fhir.required import required_elements
from airflow_healthcare_deid.engine.rules import load_rules
from demo.fhir_samples import make_sample, make_samples
from tests.engine.fhir.conftest import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.engine.fhir import FhirDeidentifier
    from airflow_healthcare_deid.engine.fhir.model import Version

    Make = Callable[..., FhirDeidentifier]

MASKED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}
VERSIONS: tuple[Version, ...] = ("STU3", "R4")


@pytest.mark.parametrize("version", VERSIONS)
def test_none_of_the_planted_identifiers_is_left(deidentifier: Make, version: Any) -> None:
    default = deidentifier(version=version)
    for sample in make_samples(25, version):
        record = collect_record(sample.patient, version)
        for resource in sample.resources:
            validate(resource, version)
            new = default.deidentify(resource, record=record)
            validate(new, version)
            text = json.dumps(new)
            assert [value for value in sample.person.identifiers() if value in text] == []
            assert "data" not in str(new.get("content", new.get("photo", "")))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["collection", "batch", "transaction"])
def test_none_is_left_in_a_bundle_that_holds_the_patient(deidentifier: Make, version: Any, kind: str) -> None:
    default = deidentifier(version=version)
    for sample in make_samples(10, version):
        text = json.dumps(default.deidentify(sample.bundle(kind)))
        assert [value for value in sample.person.identifiers() if value in text] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_clinical_content_stays(deidentifier: Make, version: Any) -> None:
    default = deidentifier(version=version)
    sample = make_sample(5, version)
    new = {one["id"]: default.deidentify(one) for one in sample.resources}
    weight = next(one for one in sample.others if one["id"] == "weight-5")
    assert new["weight-5"]["valueQuantity"] is weight["valueQuantity"]
    assert new["weight-5"]["code"] is weight["code"]
    patient = new["patient-5"]
    assert patient["gender"] == "female"
    assert patient["address"][0]["state"] == sample.person.state
    assert patient["maritalStatus"] == {"text": "Married"}
    assert patient["meta"] == sample.patient["meta"]
    for resource in sample.resources:
        assert new[resource["id"]]["id"] == resource["id"]
        assert new[resource["id"]].get("subject", {}).get("reference") == resource.get("subject", {}).get("reference")


def test_one_patient_is_shifted_alike(deidentifier: Make) -> None:
    sample = make_sample(6)
    default = deidentifier()
    new = {one["resourceType"]: default.deidentify(one) for one in sample.resources if one["id"] != "weight-6"}
    assert new["Observation"]["effectiveDateTime"] == new["Patient"]["address"][0]["period"]["start"]
    assert new["Encounter"]["period"]["start"][:10] == new["Observation"]["effectiveDateTime"]
    assert new["Encounter"]["period"]["start"][10:] == "T09:15:00+01:00"
    assert new["QuestionnaireResponse"]["item"][0]["item"][1]["answer"][0]["valueDate"] == new["Patient"]["birthDate"]


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        (
            {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "told jane@example.com"}]},
            "issue",
            [{"diagnostics": "told [EMAIL_ADDRESS]"}],
        ),
        (
            {"resourceType": "Bundle", "link": [{"relation": "self", "url": "https://example.org/Patient?name=doe"}]},
            "link",
            [{"relation": "self", "_url": MASKED}],
        ),
        (
            {"resourceType": "Condition", "onsetAge": {"value": 93, "unit": "a"}},
            "onsetAge",
            {"unit": "a"},
        ),
        (
            {"resourceType": "Device", "serialNumber": "1", "note": [{"text": "ok"}]},
            "note",
            [{"text": "ok"}],
        ),
    ],
)
def test_fields_beyond_the_sample(deidentifier: Make, resource: dict[str, Any], field: str, value: object) -> None:
    assert deidentifier().deidentify(resource) == {"resourceType": resource["resourceType"], field: value}


@pytest.mark.parametrize(("version", "field"), [("DSTU2", "coverage"), ("STU3", "insurance"), ("R4", "insurance")])
def test_an_authorization_of_an_insurer_is_an_account_number(deidentifier: Make, version: Any, field: str) -> None:
    claim = {"resourceType": "Claim", field: [{"sequence": 1, "preAuthRef": ["A-1"]}]}
    assert deidentifier(version=version).deidentify(claim) == {"resourceType": "Claim", field: [{"sequence": 1}]}


def test_every_path_of_the_tables_is_one_in_some_version() -> None:
    rows = [*load_rules("fhir_default")["rows"], *load_rules("fhir_info_types")["rows"]]
    known: set[str] = set()
    for version in ("DSTU2", "STU3", "R4"):
        model = fhir_model(version)
        for path, fhir_type in model._types.items():
            known.update(path.split("."), (fhir_type, fhir_type[0].upper() + fhir_type[1:]))
    known |= {"Author", "Value", "value", "name"}
    unknown = {
        component for row in rows for path in row["paths"] for component in path.split(".") if component not in known
    }
    assert unknown == set()


@pytest.mark.parametrize("version", VERSIONS)
def test_required_elements_are_elements(version: Any) -> None:
    model = fhir_model(version)
    for defined_at, names in required_elements(version).items():
        for name in names:
            if not name.endswith("[x]"):
                assert model.element(defined_at, name).kind is not Kind.UNKNOWN, f"{defined_at}.{name}"
    assert "text" in required_elements(version)["Annotation"]


def test_dstu2_has_no_required_elements() -> None:
    assert required_elements("DSTU2") == {}
