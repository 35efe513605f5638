"""The Healthcare API as any of its users meets it: Google's client library, and DICOMweb over plain HTTP."""

from __future__ import annotations

import io
import uuid
import warnings
from typing import TYPE_CHECKING, Any

import httpx
import pydicom
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build

from demo.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName
    from demo.fhir_samples import Resource
    from demo.samples import Sample

DICOM_JSON = "application/dicom+json"
FHIR_JSON = "application/fhir+json"


class HealthcareClient:
    """A client of the emulator.

    :param url: where it listens, such as `http://127.0.0.1:8085`.
    """

    def __init__(self, url: str) -> None:
        self._api: Any = build(
            "healthcare",
            "v1",
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": url},
            static_discovery=True,
            cache_discovery=False,
        )
        self._datasets = self._api.projects().locations().datasets()
        self._web = httpx.Client(base_url=f"{url}/v1/", timeout=60, trust_env=False)

    def close(self) -> None:
        self._api.close()
        self._web.close()

    def create_fhir_store(self, store: FhirStoreName) -> None:
        """Create an R4 store in a dataset that is there; resources may be put under ids of their own."""
        body = {"version": "R4", "enableUpdateCreate": True, "disableReferentialIntegrity": True}
        stores = self._datasets.fhirStores()
        stores.create(parent=str(store.dataset_name), fhirStoreId=store.fhir_store, body=body).execute()

    def put_resources(self, store: FhirStoreName, resources: Iterable[Resource]) -> None:
        """Put each resource under its own id."""
        for resource in resources:
            path = f"{store}/fhir/{resource['resourceType']}/{resource['id']}"
            self._web.put(path, json=resource, headers={"Content-Type": FHIR_JSON}).raise_for_status()

    def create_dicom_store(self, store: DicomStoreName) -> None:
        """Create the dataset, wait for it, and create the store in it."""
        dataset = store.dataset_name
        started = self._datasets.create(parent=dataset.location_name, datasetId=dataset.dataset, body={}).execute()
        wait_until(lambda: self._operation(started["name"]).get("done", False), timeout=30, what=f"dataset {dataset}")
        self._datasets.dicomStores().create(parent=str(dataset), dicomStoreId=store.dicom_store, body={}).execute()

    def datasets(self, location: str) -> list[str]:
        """The full names of the datasets in a location."""
        reply = self._datasets.list(parent=location).execute()
        return [dataset["name"] for dataset in reply.get("datasets", [])]

    def deidentifications(self, dataset: DatasetName) -> list[dict[str, Any]]:
        """The operations that de-identify the dataset or a store of it."""
        reply = self._datasets.operations().list(name=str(dataset)).execute()
        return [o for o in reply.get("operations", []) if "Deidentify" in o["metadata"]["apiMethodName"]]

    def store_instances(self, store: DicomStoreName, samples: Sequence[Sample]) -> None:
        """Store the instances in one request (STOW-RS).

        :raises RuntimeError: the server did not store all of them.
        """
        boundary = uuid.uuid4().hex
        part = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = b"".join(part + sample.data + b"\r\n" for sample in samples) + f"--{boundary}--\r\n".encode()
        reply = self._web.post(
            f"{store}/dicomWeb/studies",
            content=body,
            headers={
                "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
                "Accept": DICOM_JSON,
            },
        )
        if reply.status_code != httpx.codes.OK:
            names = ", ".join(sample.name for sample in samples)
            raise RuntimeError(f"the server did not store all of {names}: {reply.status_code} {reply.text[:1000]}")

    def instances(self, store: str) -> Iterator[pydicom.Dataset]:
        """Read every instance of the store back (QIDO-RS for the studies, WADO-RS for what is in them)."""
        studies = self._web.get(f"{store}/dicomWeb/studies", params={"limit": 5000}, headers={"Accept": DICOM_JSON})
        studies.raise_for_status()
        for study in studies.json() if studies.content else []:
            uid = study["0020000D"]["Value"][0]
            reply = self._web.get(
                f"{store}/dicomWeb/studies/{uid}",
                headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'},
            )
            reply.raise_for_status()
            for part in _parts(reply):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # Some of the samples break a rule of the standard on purpose.
                    instance = pydicom.dcmread(io.BytesIO(part))
                yield instance

    def _operation(self, name: str) -> dict[str, Any]:
        return dict(self._datasets.operations().get(name=name).execute())


def _parts(reply: httpx.Response) -> Iterator[bytes]:
    """The bodies of a multipart reply."""
    boundary = reply.headers["Content-Type"].partition("boundary=")[2].partition(";")[0].strip('" ')
    for part in reply.content.split(f"--{boundary}".encode())[1:-1]:
        yield part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
