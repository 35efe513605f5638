from __future__ import annotations

import pytest

from airflow_healthcare_deid.config import load_config
from airflow_healthcare_deid.validation.fhir_fields import fhir_kinds
from airflow_healthcare_deid.validation.identifiers import Kind


@pytest.mark.parametrize(
    ("paths", "kinds"),
    [
        (["Patient"], set(Kind)),
        (["String"], set(Kind) - {Kind.BIRTH_DATE}),
        (["HumanName", "Patient.Date"], {Kind.NAME, Kind.BIRTH_DATE}),
        (["Patient.HumanName.String", "Patient.identifier.value"], {Kind.NAME, Kind.ID}),
        (["HumanName.family"], set()),
        (["Patient.name.family", "Patient.name.given"], {Kind.NAME}),
        (["Practitioner.name", "Observation.identifier"], set()),
    ],
)
def test_a_list_of_fhir_fields_says_what_is_to_go(paths: list[str], kinds: set[Kind]) -> None:
    fhir = load_config({"fhir": {"fieldMetadataList": [{"action": "TRANSFORM", "paths": paths}]}}).fhir
    assert fhir is not None
    assert fhir_kinds(fhir) == kinds


def test_the_first_fhir_path_that_fits_decides() -> None:
    fields = [{"action": "DO_NOT_TRANSFORM", "paths": ["Patient.address.city", "Patient.telecom"]}]
    fields.append({"action": "TRANSFORM", "paths": ["Patient"]})
    fhir = load_config({"fhir": {"fieldMetadataList": fields}}).fhir
    assert fhir is not None
    assert fhir_kinds(fhir) == {Kind.NAME, Kind.ID, Kind.BIRTH_DATE}
