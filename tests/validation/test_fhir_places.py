"""Wherever a FHIR resource can hold text, an identifier of its patient is found there."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.validation.memory_side import MemorySide
from tests.validation.test_runner import clean, failures, fhir_destination, run

WHOLE = "Arabella Whitcombe"


def encoded(text: str, codec: str = "utf-8") -> str:
    return base64.b64encode(text.encode(codec)).decode()


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        (0, "name", [{"family": "Whitcombe", "given": ["Arabella"]}]),
        (0, "name", [{"family": "Whitcombe"}]),
        (0, "identifier", [{"system": "urn:x", "value": "MRN-77881"}]),
        (0, "address", [{"city": "Anytown", "postalCode": "66605"}]),
        (0, "_birthDate", {"extension": [{"url": "urn:birthTime", "valueDateTime": "1970-12-05T14:35:00Z"}]}),
        (1, "contained", [{"resourceType": "Patient", "id": "c", "name": [{"family": "Whitcombe", "given": [WHOLE]}]}]),
        (1, "extension", [{"url": "urn:x", "valueString": "whitcombe, arabella"}]),
        (1, "performer", [{"reference": "Practitioner/1", "display": WHOLE}]),
        (1, "meta", {"tag": [{"display": WHOLE}]}),
        (1, "note", [{"text": "lives in Anytown, KS 66605"}]),
        (1, "presentedForm", [{"contentType": "text/plain", "data": encoded(f"Report on {WHOLE}")}]),
        (1, "presentedForm", [{"contentType": "text/html", "data": encoded(f"<p>{WHOLE}</p>", "utf-16")}]),
        (1, "text", {"div": "<div>Whit<b>combe</b> Arabella</div>"}),
        (1, "text", {"div": '<div><img alt="Arabella Whitcombe"/></div>'}),
        (1, "text", {"div": "<div>Arabella&#160;Whitc&#111;mbe</div>"}),
    ],
)
def test_an_identifier_is_found(resource: int, field: str, value: Any) -> None:
    source, destination = MemorySide(*source_with_address()), clean()
    destination.fhir["ehr"][resource][field] = value
    report = run(destination, source=source)
    assert failures(report) == {"fhir_identifiers"}
    [finding] = next(r for r in report.results if r.check == "fhir_identifiers").findings[:1]
    assert finding.location.startswith(f"{('Patient', 'Observation')[resource]}.{field}")


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        # The day of birth of a newborn is the day of other things, too, and a moved date may be any.
        (1, "issued", "1970-12-05T10:00:00Z"),
        (1, "presentedForm", [{"contentType": "image/png", "data": base64.b64encode(bytes(300)).decode()}]),
        (1, "note", [{"text": "Anytown General Hospital"}]),
        (1, "subject", {"reference": "Patient/p1"}),
        (0, "name", [{"family": "[PERSON_NAME]", "given": ["****"]}]),
        (0, "name", [{"family": "L7k0BHmF1ha5U3NfGykjro4xWi1MPVQPjhMAZbSV9mM="}]),
    ],
)
def test_what_tells_nobody_raises_nothing(resource: int, field: str, value: Any) -> None:
    destination = clean()
    destination.fhir["ehr"][resource][field] = value
    assert failures(run(destination, source=MemorySide(*source_with_address()))) == set()


def test_an_id_that_is_an_identifier_is_told_without_being_shown() -> None:
    source, destination = MemorySide(*source_with_address()), clean()
    for side in (source, destination):
        side.fhir["ehr"][0]["id"] = "mrn-77881"
        side.fhir["ehr"][1]["subject"]["reference"] = "Patient/mrn-77881"
    destination.fhir["ehr"][0]["name"] = [{"text": WHOLE}]
    report = run(destination, source=source)
    # Which asserts that no value is in the report.
    assert failures(report) == {"fhir_ids", "fhir_identifiers"}
    assert {result.check for result in report.warnings} == {"fhir_ids"}


def test_another_patients_birth_date_is_any_date() -> None:
    source, destination = MemorySide(*source_with_address()), clean()
    for side in (source, destination):
        side.fhir["ehr"].append({"resourceType": "Patient", "id": "p2", "birthDate": "1980-01-01"})
    destination.fhir["ehr"][-1]["birthDate"] = "1970-12-05"
    assert failures(run(destination, source=source)) == set()
    destination.fhir["ehr"][0]["birthDate"] = "1970-12-05"
    assert failures(run(destination, source=source)) == {"fhir_identifiers"}


def source_with_address() -> tuple[dict[str, Any], dict[str, Any]]:
    from tests.validation.test_runner import dicom_source, fhir_source

    resources = fhir_source()
    resources[0]["address"].append({"city": "Anytown", "state": "KS", "postalCode": "66605"})
    return {"ct": dicom_source()}, {"ehr": resources}


def test_a_reference_to_what_was_not_read_proves_nothing() -> None:
    destination = clean()
    observation = fhir_destination()[1] | {"id": "o2", "focus": [{"reference": "Patient/outside-the-sample"}]}
    source = MemorySide(*source_with_address())
    for side in (source, destination):
        side.fhir["ehr"].append(observation)
    assert failures(run(destination, source=source)) == set()
    source.fhir["ehr"].append({"resourceType": "Patient", "id": "outside-the-sample"})
    destination.fhir["ehr"].append({"resourceType": "Patient", "id": "renamed"})
    assert "fhir_references" in failures(run(destination, source=source))
