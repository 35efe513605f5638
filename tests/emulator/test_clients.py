"""A tour of the API with the clients that people use: every resource, every kind of method, nothing sent by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from dicomweb_client import DICOMwebClient
from googleapiclient.errors import HttpError

from tests.emulator.dicom_files import PIXELS, instance, parsed
from tests.support.google_api import PARENT, wait

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator import Emulator

__all__ = ["wait"]

PATIENT = {"resourceType": "Patient", "id": "a", "name": [{"family": "Kowalski"}], "birthDate": "1980-02-03"}
UIDS = ("1.2", "1.2.3", "1.2.3.4")


@pytest.fixture
def stored(dicom_store: str, session_emulator: Emulator) -> DICOMwebClient:
    """A client of a DICOM store with two studies."""
    web = DICOMwebClient(f"{session_emulator.url}/v1/{dicom_store}/dicomWeb")
    study, series, sop = UIDS
    made = [
        instance(StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID=sop, frames=2),
        instance(StudyInstanceUID="1.9", SeriesInstanceUID="1.9.1", SOPInstanceUID="1.9.1.1", Modality="MR"),
    ]
    assert len(web.store_instances([parsed(data) for data in made]).ReferencedSOPSequence) == 2
    return web


def test_dicomweb_client_sees_all_of_a_store(stored: DICOMwebClient) -> None:
    study, series, sop = UIDS
    assert len(stored.search_for_studies()) == 2
    assert len(stored.search_for_studies(limit=1, offset=1)) == 1
    assert len(stored.search_for_series(search_filters={"Modality": "MR"})) == 1
    assert len(stored.search_for_instances(study, series)) == 1
    for metadata in (
        stored.retrieve_study_metadata(study),
        stored.retrieve_series_metadata(study, series),
        [stored.retrieve_instance_metadata(*UIDS)],
    ):
        assert metadata[0]["00080018"]["Value"] == [sop]
    assert [one.SOPInstanceUID for one in stored.iter_study(study)] == [sop]
    assert [one.SOPInstanceUID for one in stored.iter_series(study, series)] == [sop]
    assert stored.retrieve_instance(*UIDS).PatientID == "MRN-1"
    assert list(stored.iter_instance_frames(*UIDS, frame_numbers=[2, 1])) == [PIXELS.tobytes()] * 2
    assert stored.retrieve_instance_rendered(*UIDS, media_types=("image/png",)).startswith(b"\x89PNG")
    assert (
        stored.retrieve_instance_frames_rendered(*UIDS, frame_numbers=[2], media_types=("image/jpeg",))[:2]
        == b"\xff\xd8"
    )
    (bulk,) = stored.retrieve_bulkdata(stored.retrieve_instance_metadata(*UIDS)["7FE00010"]["BulkDataURI"])
    assert bulk == PIXELS.tobytes() * 2


def test_dicomweb_client_deletes(stored: DICOMwebClient) -> None:
    stored.delete_instance("1.9", "1.9.1", "1.9.1.1")
    assert len(stored.search_for_studies()) == 1
    stored.delete_series(*UIDS[:2])
    stored.store_instances([parsed(instance(StudyInstanceUID="1.7"))])
    stored.delete_study("1.7")


def test_googles_client_knows_datasets_and_dicom_stores(
    service: Any, dataset: str, dicom_store: str, stored: DICOMwebClient, wait: Any
) -> None:
    datasets = service.projects().locations().datasets()
    assert datasets.get(name=dataset).execute()["name"] == dataset
    assert datasets.patch(name=dataset, updateMask="timeZone", body={"timeZone": "UTC"}).execute()["timeZone"] == "UTC"
    page, names = datasets.list(parent=PARENT, pageSize=1), set()
    while page is not None:
        answer = page.execute()
        names |= {one["name"] for one in answer["datasets"]}
        page = datasets.list_next(page, answer)
    assert dataset in names
    policy = {"bindings": [{"role": "roles/healthcare.datasetViewer", "members": ["user:a@example.com"]}]}
    for resource, name in ((datasets, dataset), (datasets.dicomStores(), dicom_store)):
        assert resource.setIamPolicy(resource=name, body={"policy": policy}).execute()["bindings"] == policy["bindings"]
        assert resource.getIamPolicy(resource=name).execute()["bindings"] == policy["bindings"]
        body = {"permissions": ["healthcare.datasets.get"]}
        assert resource.testIamPermissions(resource=name, body=body).execute()["permissions"] == body["permissions"]
    stores = datasets.dicomStores()
    assert stores.get(name=dicom_store).execute()["name"] == dicom_store
    labels = {"labels": {"use": "tour"}}
    assert stores.patch(name=dicom_store, updateMask="labels", body=labels).execute()["labels"] == labels["labels"]
    assert [one["name"] for one in stores.list(parent=dataset).execute()["dicomStores"]] == [dicom_store]
    assert stores.getDICOMStoreMetrics(name=dicom_store).execute()["studyCount"] == "2"
    studies = stores.studies()
    found = stores.searchForStudies(parent=dicom_store, dicomWebPath="studies").execute()
    assert {one["0020000D"]["Value"][0] for one in found} == {"1.2", "1.9"}
    web = f"{dicom_store}/dicomWeb/studies/1.2"
    metrics = stores.dicomWeb().studies()
    assert metrics.getStudyMetrics(study=web).execute()["instanceCount"] == "1"
    assert metrics.series().getSeriesMetrics(series=f"{web}/series/1.2.3").execute()["instanceCount"] == "1"
    metadata = studies.retrieveMetadata(parent=dicom_store, dicomWebPath="studies/1.2/metadata").execute()
    assert metadata[0]["00080018"]["Value"] == ["1.2.3.4"]
    deleted = studies.delete(parent=dicom_store, dicomWebPath="studies/1.9").execute()
    wait(deleted)
    operations = datasets.operations()
    assert deleted["name"] in {one["name"] for one in operations.list(name=dataset).execute()["operations"]}
    config = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}
    request = {"destinationDataset": f"{dataset}-copy", "config": config}
    assert wait(datasets.deidentify(sourceDataset=dataset, body=request).execute())["response"]
    stores.delete(name=dicom_store).execute()
    datasets.delete(name=dataset).execute()
    with pytest.raises(HttpError) as gone:
        datasets.get(name=dataset).execute()
    assert gone.value.status_code == 403


def test_googles_client_knows_fhir_stores(service: Any, dataset: str, fhir: Any, wait: Any) -> None:
    name, stores = fhir
    resources = stores.fhir()
    created = resources.create(parent=name, type="Observation", body=_observation()).execute()
    path = f"{name}/fhir/Observation/{created['id']}"
    assert resources.read(name=path).execute() == created
    updated = resources.update(name=path, body={**created, "status": "amended"}).execute()
    assert updated["status"] == "amended"
    patch = [{"op": "replace", "path": "/status", "value": "final"}]
    assert resources.patch(name=path, body=patch).execute()["status"] == "final"
    assert resources.history(name=path).execute()["total"] == 3
    first = resources.vread(name=f"{path}/_history/{created['meta']['versionId']}").execute()
    assert first["meta"] == created["meta"]
    by_type = resources.search_type(parent=name, resourceType="Observation", body={"resourceType": "Observation"})
    assert by_type.execute()["total"] == 1
    assert resources.search(parent=name, body={"resourceType": "Patient"}).execute()["total"] >= 1
    everything = resources.Patient_everything(name=f"{name}/fhir/Patient/a").execute()
    assert {entry["resource"]["resourceType"] for entry in everything["entry"]} == {"Patient", "Observation"}
    valid = resources.Resource_validate(parent=name, type="Patient", body=PATIENT).execute()
    assert valid["issue"][0]["severity"] == "information"
    batch: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": "Patient/a"}}],
    }
    assert (
        resources.executeBundle(parent=name, body=batch).execute()["entry"][0]["response"]["status"].startswith("200")
    )
    assert resources.capabilities(name=name).execute()["resourceType"] == "CapabilityStatement"
    assert stores.getFHIRStoreMetrics(name=name).execute()["metrics"]
    stores.create(parent=dataset, fhirStoreId="copy", body={"version": "R4"}).execute()
    request = {"destinationStore": f"{dataset}/fhirStores/copy", "config": {"fhir": {}}}
    assert wait(stores.deidentify(sourceStore=name, body=request).execute())["response"]
    copy = stores.fhir().read(name=f"{dataset}/fhirStores/copy/fhir/Patient/a").execute()
    assert "Kowalski" not in json.dumps(copy)
    resources.Resource_purge(name=path).execute()
    resources.delete(name=path).execute()
    stores.delete(name=name).execute()


@pytest.fixture
def fhir(service: Any, dataset: str) -> tuple[str, Any]:
    """An R4 store with a patient, and Google's resource for such stores."""
    stores = service.projects().locations().datasets().fhirStores()
    body = {"version": "R4", "enableUpdateCreate": True}
    name = stores.create(parent=dataset, fhirStoreId="fhir", body=body).execute()["name"]
    stores.fhir().update(name=f"{name}/fhir/Patient/a", body=PATIENT).execute()
    return name, stores


def _observation() -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Weight"},
        "subject": {"reference": "Patient/a"},
        "valueQuantity": {"value": 70.5},
    }
