from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.config import (
    CharacterMaskConfig,
    CryptoHashConfig,
    InfoTypeTransformation,
    TextConfig,
)
from demo.fhir_samples import make_sample
from tests.engine.fhir.conftest import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.engine.fhir import FhirDeidentifier

    Make = Callable[..., FhirDeidentifier]

MASK = TextConfig(additional_transformations=[InfoTypeTransformation(character_mask_config=CharacterMaskConfig())])
HASH = TextConfig(additional_transformations=[InfoTypeTransformation(crypto_hash_config=CryptoHashConfig())])
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}


def changed(resource: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {key: fields.get(key, value) for key, value in resource.items() if fields.get(key, value) is not None}


# Extensions.

EXTENDED: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "extension": [
        {"url": "a", "valueString": "one"},
        {"url": "b", "extension": [{"url": "c", "valueDate": "2020-01-01"}, {"url": "d", "valueString": "two"}]},
    ],
    "modifierExtension": [{"url": "e", "valueBoolean": True}],
    "birthDate": "1980-12-05",
    "_birthDate": {"id": "x", "extension": [{"url": "f", "valueDateTime": "1980-12-05T12:00:00Z"}]},
}


def test_extensions_are_removed_by_default(deidentifier: Make) -> None:
    new = deidentifier(("keep", "Patient", "String")).deidentify(EXTENDED)
    assert new == {"resourceType": "Patient", "id": "p", "birthDate": "1980-12-05", "_birthDate": {"id": "x"}}


def test_extensions_are_kept_when_asked_for(deidentifier: Make) -> None:
    assert deidentifier(("keep", "Patient"), keep_extensions=True).deidentify(EXTENDED) == EXTENDED
    new = deidentifier(("transform", "String"), keep_extensions=True, text=MASK).deidentify(EXTENDED)
    assert new["extension"][0] == {"url": "a", "valueString": "***"}
    assert new["extension"][1]["extension"][1] == {"url": "d", "valueString": "***"}


def test_a_path_that_names_extensions_keeps_what_it_reaches(deidentifier: Make) -> None:
    new = deidentifier(("keep", "Patient.extension")).deidentify(EXTENDED)
    assert new == {key: EXTENDED[key] for key in ("resourceType", "id", "extension", "birthDate")} | {
        "_birthDate": {"id": "x"}
    }
    new = deidentifier(("keep", "Extension.Value.String")).deidentify(EXTENDED)
    assert new["extension"] == [
        {"url": "a", "valueString": "one"},
        {"url": "b", "extension": [{"url": "d", "valueString": "two"}]},
    ]
    assert "modifierExtension" not in new
    new = deidentifier(("transform", "Extension.valueString"), text=MASK).deidentify(EXTENDED)
    assert new["extension"][0] == {"url": "a", "valueString": "***"}
    assert deidentifier(("keep", "birthDate.extension")).deidentify(EXTENDED)["_birthDate"] == EXTENDED["_birthDate"]


# Ids and references.


def test_ids_stay_unless_a_path_ends_on_them(deidentifier: Make) -> None:
    bundle = make_sample(1).bundle("transaction")
    new = deidentifier(("transform", "Patient", "Practitioner", "String")).deidentify(bundle)
    ids = [[entry["fullUrl"], entry["resource"]["id"], entry["request"]] for entry in bundle["entry"]]
    assert [[entry["fullUrl"], entry["resource"]["id"], entry["request"]] for entry in new["entry"]] == ids


@pytest.mark.parametrize("text", [None, HASH, MASK])
@pytest.mark.parametrize("path", ["Id", "Patient.id", "Patient.Id"])
def test_references_follow_a_new_id(deidentifier: Make, path: str, text: TextConfig | None) -> None:
    sample = make_sample(1)
    contained = {"resourceType": "Patient", "id": "inner"}
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "weight"},
        "contained": [contained],
        "subject": {"reference": "Patient/patient-1"},
        "focus": [{"reference": "#inner"}],
        "derivedFrom": [{"reference": "https://fhir.example.org/Patient/patient-1/_history/2"}],
    }
    rules = deidentifier(("transform", path), text=text)
    new_id = rules.deidentify(sample.patient)["id"]
    assert len(new_id) == 64
    new = rules.deidentify(observation)
    assert new["subject"] == {"reference": f"Patient/{new_id}"}
    assert new["focus"] == [{"reference": f"#{new['contained'][0]['id']}"}] != observation["focus"]
    assert new["derivedFrom"] == [{"reference": f"https://fhir.example.org/Patient/{new_id}/_history/2"}]
    entry = rules.deidentify(sample.bundle("batch"))["entry"][0]
    assert entry["fullUrl"] == f"https://fhir.example.org/Patient/{new_id}"
    assert entry["request"] == {"method": "PUT", "url": f"Patient/{new_id}"}
    validate(new, "R4")


def test_a_reference_that_is_a_search_is_text(deidentifier: Make) -> None:
    observation = {"resourceType": "Observation", "subject": {"reference": "Patient?email=jane@example.com"}}
    new = deidentifier(("inspect", "String")).deidentify(observation)
    assert new["subject"] == {"reference": "Patient?email=[EMAIL_ADDRESS]"}
    assert "subject" not in deidentifier(("transform", "String")).deidentify(observation)
    assert deidentifier(("transform", "display")).deidentify(observation) == observation


def test_a_path_that_ends_on_reference_transforms_it(deidentifier: Make) -> None:
    observation = {"resourceType": "Observation", "subject": {"reference": "Patient/1", "display": "x"}}
    new = deidentifier(("transform", "subject.reference")).deidentify(observation)
    assert new["subject"] == {"display": "x"}
