"""``fhirStores.deidentify`` and the FHIR part of ``datasets.deidentify``, with Google's client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.support.google_api import PARENT

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Kowalski", "given": ["Ada"]}],
    "birthDate": "1980-02-03",
    "telecom": [{"system": "phone", "value": "+1 212 555 0123"}],
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"text": "Weight"},
    "subject": {"reference": "Patient/p1"},
    "valueQuantity": {"value": 70.50},
    "note": [{"text": "Ada Kowalski came with her mother."}],
}


@pytest.fixture
def source(make_store: Any) -> Any:
    made = make_store("source")
    made.put(PATIENT)
    made.put(OBSERVATION)
    return made


@pytest.fixture
def destination(make_store: Any) -> Any:
    return make_store("destination")


def start(fhir_stores: Any, source: Any, destination: Any, **fields: Any) -> Any:
    body = {"destinationStore": destination.name, "config": {"fhir": {}}, **fields}
    return fhir_stores.deidentify(sourceStore=source.name, body=body).execute()


def test_resources_keep_their_ids_and_lose_the_patient(
    fhir_stores: Any, source: Any, destination: Any, wait: Any
) -> None:
    operation = wait(start(fhir_stores, source, destination))
    assert operation["metadata"]["counter"] == {"success": "2"}
    assert operation["response"]["@type"].endswith("DeidentifyFhirStoreSummary")
    patient = destination.send("GET", "/Patient/p1").body
    observation = destination.send("GET", "/Observation/o1")
    assert observation.body["subject"]["reference"] == "Patient/p1"
    assert b'"value":70.5' in observation.content
    text = json.dumps([patient, observation.body])
    for identifier in ("Kowalski", "Ada", "1980-02-03", "555 0123"):
        assert identifier not in text
    assert source.send("GET", "/Patient/p1").body["name"] == PATIENT["name"]


def test_a_note_is_searched_for_the_subjects_own_name(
    fhir_stores: Any, source: Any, destination: Any, wait: Any
) -> None:
    config = {"fhir": {"fieldMetadataList": [{"paths": ["Annotation.text"], "action": "INSPECT_AND_TRANSFORM"}]}}
    wait(start(fhir_stores, source, destination, config=config))
    note = destination.send("GET", "/Observation/o1").body["note"][0]["text"]
    assert "Kowalski" not in note
    assert "mother" in note


def test_everybody_whom_a_resource_refers_to_is_looked_for_and_dates_move_with_the_patient(
    fhir_stores: Any, source: Any, destination: Any, wait: Any
) -> None:
    source.put({"resourceType": "Practitioner", "id": "d", "name": [{"family": "Ostrowski"}]})
    relative = {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/p1"}}
    source.put({**relative, "name": [{"given": ["Bronislava"]}]})
    appointment = {
        "resourceType": "Appointment",
        "id": "a",
        "status": "booked",
        "description": "Kowalski and Bronislava meet Ostrowski",
        "start": "1980-02-03T10:00:00Z",
        "participant": [
            {"actor": {"reference": "Practitioner/d"}, "status": "accepted"},
            {"actor": {"reference": "Patient/p1"}, "status": "accepted"},
        ],
    }
    source.put(appointment)
    assert wait(start(fhir_stores, source, destination))["metadata"]["counter"] == {"success": "5"}
    new = destination.send("GET", "/Appointment/a").body
    assert new["description"] == "[PERSON_NAME] and [PERSON_NAME] meet [PERSON_NAME]"
    assert new["start"][:10] == destination.send("GET", "/Patient/p1").body["birthDate"] != "1980-02-03"


def test_a_resource_filter_limits_what_is_taken(fhir_stores: Any, source: Any, destination: Any, wait: Any) -> None:
    resource_filter = {"resources": {"resources": ["Observation/o1", "Patient/none", "Observation/o1"]}}
    operation = wait(start(fhir_stores, source, destination, resourceFilter=resource_filter))
    assert operation["metadata"]["counter"] == {"success": "1"}
    assert destination.ids("?_type=Patient,Observation") == {"o1"}


def test_resources_changed_after_the_operation_began_can_be_skipped() -> None:
    from airflow_healthcare_deid.emulator.fhir.repository import Version
    from airflow_healthcare_deid.emulator.jobs.deidentify_fhir import Selection

    older, newer = (Version("Patient", "a", updated, "PUT", b"{}") for updated in (10, 11))
    assert Selection(until=10).covers(older)
    assert not Selection(until=10).covers(newer)
    assert Selection().covers(newer)


def test_skip_modified_resources_is_taken(fhir_stores: Any, source: Any, destination: Any, wait: Any) -> None:
    operation = wait(start(fhir_stores, source, destination, skipModifiedResources=True))
    assert operation["metadata"]["counter"] == {"success": "2"}


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"destinationStore": "nonsense"}, 400, "destinationStore"),
        ({"destinationStore": "{source}"}, 400, "source itself"),
        ({"destinationStore": "{dataset}/fhirStores/none"}, 404, "not found"),
        ({"config": {"fhir": {"fieldMetadataList": [{"action": "SHRED"}]}}}, 400, "action"),
        ({"config": {"fhir": {}}, "gcsConfigUri": "gs://bucket/config.json"}, 400, "gcsConfigUri"),
        ({"resourceFilter": {"resources": {"resources": ["../1"]}}}, 400, "resourceFilter"),
        ({"flavour": 1}, 400, "flavour"),
    ],
)
def test_bad_requests_are_refused_before_anything_starts(
    fhir_stores: Any, source: Any, destination: Any, dataset: str, fields: Any, status: int, message: str
) -> None:
    fields = json.loads(json.dumps(fields).replace("{source}", source.name).replace("{dataset}", dataset))
    with pytest.raises(HttpError, match=message) as refused:
        start(fhir_stores, source, destination, **fields)
    assert refused.value.status_code == status


def test_versions_must_match_and_be_supported(fhir_stores: Any, source: Any, make_store: Any) -> None:
    with pytest.raises(HttpError, match="version"):
        start(fhir_stores, source, make_store("old", version="STU3"))
    new, newer = make_store("r5", version="R5"), make_store("r5b", version="R5")
    with pytest.raises(HttpError, match="R5"):
        start(fhir_stores, new, newer)


def test_a_dataset_takes_its_fhir_stores_along_but_for_r5(
    service: Any, fhir_stores: Any, source: Any, dataset: str, make_store: Any, wait: Any
) -> None:
    make_store("r5", version="R5").put({"resourceType": "Patient", "id": "x"})
    make_store("stu3", version="STU3").put({**PATIENT, "id": "old"})
    body = {"destinationDataset": f"{dataset}-deid", "config": {"fhir": {}}}
    started = service.projects().locations().datasets().deidentify(sourceDataset=dataset, body=body).execute()
    assert wait(started)["metadata"]["counter"] == {"success": "3"}
    stores = fhir_stores.list(parent=f"{dataset}-deid").execute()["fhirStores"]
    assert {each["name"].rpartition("/")[2]: each["version"] for each in stores} == {"source": "R4", "stu3": "STU3"}
    assert PARENT in stores[0]["name"]
    patient = fhir_stores.fhir().read(name=f"{dataset}-deid/fhirStores/stu3/fhir/Patient/old").execute()
    assert "Kowalski" not in json.dumps(patient)
