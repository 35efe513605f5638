from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from airflow_healthcare_deid.engine.fhir.patients import (
    bundle_patients,
    bundle_people,
    collect_record,
    merged,
    patient_key,
    people_of,
)
from airflow_healthcare_deid.engine.text import RecordIdentifiers
from demo.fhir_samples import make_sample

UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ({"resourceType": "Patient", "id": "p"}, "p"),
        ({"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p"}}, "p"),
        ({"resourceType": "Observation", "id": "o", "subject": {"reference": "https://x.org/fhir/Patient/p"}}, "p"),
        ({"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/p/_history/3"}}, "p"),
        ({"resourceType": "Observation", "id": "o", "subject": {"reference": UUID}}, UUID.removeprefix("urn:uuid:")),
        ({"resourceType": "Observation", "id": "o", "subject": {"reference": "Group/g"}}, "o"),
        ({"resourceType": "Observation", "id": "o", "subject": {"reference": "#contained"}}, "o"),
        ({"resourceType": "Immunization", "id": "i", "patient": {"reference": "Patient/p"}}, "p"),
        ({"resourceType": "Coverage", "id": "c", "beneficiary": {"reference": "Patient/p"}}, "p"),
        ({"resourceType": "Task", "id": "t", "for": {"reference": "Patient/p"}}, "p"),
        ({"resourceType": "Account", "id": "a", "subject": [{"reference": "X/1"}, {"reference": "Patient/p"}]}, "p"),
        ({"resourceType": "Appointment", "participant": [{}, {"actor": {"reference": "Patient/p"}}]}, "p"),
        ({"resourceType": "Schedule", "actor": [{"reference": "Location/l"}, {"reference": "Patient/p"}]}, "p"),
        ({"resourceType": "Provenance", "target": [{"reference": "Patient/p"}]}, "p"),
        ({"resourceType": "Person", "link": [{"target": {"reference": "Patient/p"}}]}, "p"),
        ({"resourceType": "AuditEvent", "entity": [{"what": {"reference": "Patient/p"}}]}, "p"),
        ({"resourceType": "Organization", "id": "o"}, "o"),
        ({"resourceType": "Observation", "subject": "Patient/p"}, ""),
        ({"resourceType": "Observation", "subject": {"reference": 1}}, ""),
    ],
)
def test_the_patient_of_a_resource(resource: dict[str, Any], key: str) -> None:
    assert patient_key(resource) == key


def test_the_patient_of_a_resource_in_a_bundle() -> None:
    patient = {"resourceType": "Patient", "id": "p"}
    bundle = {"resourceType": "Bundle", "entry": [{"fullUrl": UUID, "resource": patient}, {"resource": patient}, {}]}
    assert list(bundle_patients(bundle)) == [(UUID, "p"), ("", "p")]
    assert patient_key({"resourceType": "Observation", "subject": {"reference": UUID}}, {UUID: "p"}) == "p"


def test_people_are_referred_to_and_found_by_the_same_names() -> None:
    people = [{"resourceType": kind, "id": "1"} for kind in ("Patient", "Practitioner", "RelatedPerson", "Person")]
    urls = ["https://x.org/fhir/Patient/1", UUID, None, "RelatedPerson/other"]
    entries = [{"fullUrl": url, "resource": person} for url, person in zip(urls, people, strict=True)]
    entries.append({"fullUrl": "https://x.org/fhir/Device/1", "resource": {"resourceType": "Device", "id": "1"}})
    known = dict(bundle_people({"resourceType": "Bundle", "entry": entries}))
    resource = {
        "resourceType": "Appointment",
        "participant": [{"actor": {"reference": "Patient/1/_history/2"}}, {"actor": {"reference": "Device/1"}}],
        "extension": [{"valueReference": {"reference": UUID}}, {"valueReference": {"reference": "http://y/Person/1"}}],
        "contained": [{"resourceType": "Basic", "subject": {"reference": "RelatedPerson/1"}}],
        "note": [{"reference": 1}, {"reference": "#Patient/1"}],
    }
    names = people_of(resource)
    assert set(names) == {"Patient/1", "Person/1", "RelatedPerson/1", UUID}
    assert sorted(known[name]["resourceType"] for name in names) == sorted(person["resourceType"] for person in people)


def test_a_record_holds_what_identifies_its_people() -> None:
    sample = make_sample(3)
    person = sample.person
    record = collect_record(sample.patient)
    assert {f"{person.given} {person.maiden} {person.family}", person.relative} <= set(record.names)
    assert {person.record_number, person.social_security_number} <= set(record.ids)
    assert record.dates == (person.born,)
    assert record.phones == (person.phone,)
    assert record.emails == (person.email,)
    assert {person.street, person.city, person.postal_code} <= set(record.addresses)


def test_a_record_holds_the_names_of_people_referred_to_but_not_of_places() -> None:
    encounter = {
        "resourceType": "Encounter",
        "subject": {"reference": "Patient/1", "display": "Jane Doe"},
        "serviceProvider": {"reference": "Organization/1", "display": "General Hospital"},
        "participant": [{"individual": {"type": "Practitioner", "display": "Roe"}}],
    }
    assert collect_record(encounter).names == ("Jane Doe", "Roe")


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"resourceType": 1},
        {"resourceType": "Patient", "name": "Doe", "telecom": [None, 3], "address": {"line": {"a": 1}}},
        {"resourceType": "Patient", "name": [[{"family": "Doe"}]], "birthDate": {"x": 1}, "contained": [1, {}]},
    ],
)
def test_of_a_malformed_resource_a_record_holds_what_can_be_read(resource: dict[str, Any]) -> None:
    assert collect_record(resource) == RecordIdentifiers()


def test_records_merge() -> None:
    one = RecordIdentifiers(names=("Doe",), dates=(date(2020, 1, 1),))
    other = RecordIdentifiers(names=("Doe", "Roe"), ids=("1",))
    assert merged(one, None, other) == RecordIdentifiers(names=("Doe", "Roe"), ids=("1",), dates=(date(2020, 1, 1),))
    assert merged(one, None) is one
    assert merged() == RecordIdentifiers()
