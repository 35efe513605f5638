"""Fixtures of the chain's tests: a bucket, and data in the source dataset's stores."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from demo.fhir_samples import make_samples
from tests.emulator.dicom_files import encoded, instance
from tests.support.wing import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from airflow_healthcare_deid.emulator import Emulator
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.resource_names import DicomStoreName, FhirStoreName

IMAGES = SOURCE.dicom_store("images")
RECORDS = SOURCE.fhir_store("records")
STUDIES = ("1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2", "1.2.826.0.1.3680043.8.498.3")
DATES = ("20260101", "20260102", "20260103")
NAMES = ("Whitcombe^Arabella", "Thornbury^Cornelius", "Lovelace^Philippa")


class Data:
    """Puts data into stores and takes it out again, as somebody else would.

    :param url: where the emulator listens.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/v1/", timeout=30, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def store(self, store: DicomStoreName, *files: bytes) -> None:
        """Store DICOM files."""
        headers = {"content-type": "application/dicom", "accept": "application/dicom+json"}
        for file in files:
            answer = self._http.post(f"{store}/dicomWeb/studies", content=file, headers=headers)
            assert answer.status_code == 200, answer.text

    def put(self, store: FhirStoreName, *resources: dict[str, Any]) -> None:
        """Store FHIR resources under their own ids, as they are."""
        for resource in resources:
            path = f"{store}/fhir/{resource['resourceType']}/{resource['id']}"
            answer = self._http.put(path, json=resource, headers={"content-type": "application/fhir+json"})
            assert answer.status_code in (200, 201), answer.text

    def instances(self, store: DicomStoreName) -> list[dict[str, Any]]:
        """Return the metadata of all instances."""
        answer = self._http.get(f"{store}/dicomWeb/instances", params={"includefield": "all"})
        return answer.json() if answer.content else []

    def file(self, store: DicomStoreName, study: str, series: str, sop: str) -> Dataset:
        """Return one instance."""
        path = f"{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
        answer = self._http.get(path, headers={"accept": "application/dicom; transfer-syntax=*"})
        assert answer.status_code == 200, answer.text
        return dcmread(DicomBytesIO(answer.content))

    def replace(self, store: DicomStoreName, changed: Dataset, *, study: str, series: str, sop: str) -> None:
        """Store a changed instance in the place of another."""
        self.remove(store, f"studies/{study}/series/{series}/instances/{sop}")
        self.store(store, encoded(changed, changed.file_meta.TransferSyntaxUID))

    def remove(self, store: DicomStoreName, path: str) -> None:
        """Delete a study, series or instance."""
        answer = self._http.delete(f"{store}/dicomWeb/{path}")
        assert answer.status_code == 200, answer.text

    def resource(self, store: FhirStoreName, name: str) -> dict[str, Any]:
        """Return one FHIR resource."""
        answer = self._http.get(f"{store}/fhir/{name}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def study_files() -> list[bytes]:
    """Three studies of three patients: one instance, two series, a nested sequence."""
    files = []
    for number, (study, day, name) in enumerate(zip(STUDIES, DATES, NAMES, strict=True), 1):
        common: dict[str, Any] = {
            "StudyInstanceUID": study,
            "StudyDate": day,
            "PatientName": name,
            "PatientID": f"MRN-77{number}33",
            "PatientBirthDate": f"1950030{number}",
            "AccessionNumber": f"ACC-99{number}11",
            "StudyDescription": f"Follow-up of {name.replace('^', ' ')}",
        }
        files += [
            instance(**common, SeriesInstanceUID=f"{study}.{series}", SOPInstanceUID=f"{study}.{series}.1")
            for series in range(1, number + 1)
        ]
    return files


@pytest.fixture(scope="module")
def storage_emulator() -> Iterator[None]:
    from airflow_healthcare_deid.emulator.storage_emulator import StorageEmulator

    with StorageEmulator():
        yield


@pytest.fixture
def bucket(storage_emulator: None) -> Iterator[Any]:
    """A new bucket, by Google's storage client."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    client = Client(project="p", credentials=AnonymousCredentials())
    yield client.create_bucket(f"b-{uuid.uuid4().hex}")
    client.close()


@pytest.fixture
def data(wing_emulator: Emulator) -> Iterator[Data]:
    data = Data(wing_emulator.url)
    yield data
    data.close()


@pytest.fixture
def filled(hook: HealthcareHook, data: Data) -> Data:
    """The source dataset with three studies and the records of three patients."""
    hook.delete_store(RECORDS)
    body = {"version": "R4", "enableUpdateCreate": True, "disableReferentialIntegrity": True}
    hook.create_fhir_store(RECORDS, body)
    data.store(IMAGES, *study_files())
    for sample in make_samples(3):
        data.put(RECORDS, sample.patient, *sample.others)
    return data
