"""A dataset in the emulator to put data into and read it back from: for tests of one's own DAGs."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pydicom
import requests

from airflow_healthcare_deid.errors import api_error
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydicom.dataset import FileDataset

_MOST_INSTANCES = 50_000
_DICOM_JSON = {"Accept": "application/dicom+json"}


class Sandbox:
    """A fresh dataset.

    :param url: where the emulator listens.
    :param name: name of the dataset; default: one that nobody has used.
    :raises ApiError: from every method, if the emulator refuses.
    """

    def __init__(self, url: str, name: DatasetName | None = None) -> None:
        self.url = url
        self.name = name or DatasetName("test-project", "us-central1", f"dataset-{uuid.uuid4().hex}")
        self._session = requests.Session()
        self._session.trust_env = False
        self._call("POST", f"{self.name.location_name}/datasets", json={}, params={"datasetId": self.name.dataset})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._session.close()

    def dicom_store(self, store_id: str, files: Iterable[Path | bytes] = ()) -> DicomStoreName:
        """Make a DICOM store and store instances in it.

        :param store_id: its id.
        :param files: DICOM files: their paths, those of folders that hold them, or their bytes.
        """
        self._call("POST", f"{self.name}/dicomStores", json={}, params={"dicomStoreId": store_id})
        store = self.name.dicom_store(store_id)
        for data in _contents(files):
            headers = {"Content-Type": "application/dicom", **_DICOM_JSON}
            self._call("POST", f"{store}/dicomWeb/studies", data=data, headers=headers)
        return store

    def fhir_store(
        self, store_id: str, resources: Iterable[Mapping[str, Any] | Path] = (), *, version: str = "R4"
    ) -> FhirStoreName:
        """Make a FHIR store and store resources in it, under their own ids where they have one.

        :param store_id: its id.
        :param resources: resources, the paths of their ``.json`` or ``.ndjson`` files, or those of folders that hold
            such; a Bundle stands for what it holds.
        :param version: ``DSTU2``, ``STU3``, ``R4`` or ``R5``.
        """
        body = {"version": version, "enableUpdateCreate": True, "disableReferentialIntegrity": True}
        self._call("POST", f"{self.name}/fhirStores", json=body, params={"fhirStoreId": store_id})
        store = self.name.fhir_store(store_id)
        for resource in _resources(resources):
            path = f"{store}/fhir/{resource.get('resourceType')}"
            method, path = ("PUT", f"{path}/{resource['id']}") if "id" in resource else ("POST", path)
            self._call(method, path, json=resource, headers={"Content-Type": "application/fhir+json"})
        return store

    def instances(self, store: DicomStoreName) -> Iterator[FileDataset]:
        """Read back every instance of a DICOM store."""
        found = self._call("GET", f"{store}/dicomWeb/instances", headers=_DICOM_JSON, params={"limit": _MOST_INSTANCES})
        for row in found.json() if found.content else ():
            study, series, sop = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
            path = f"{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
            answer = self._call("GET", path, headers={"Accept": "application/dicom; transfer-syntax=*"})
            yield pydicom.dcmread(io.BytesIO(answer.content))

    def resources(self, store: FhirStoreName, resource_type: str) -> Iterator[dict[str, Any]]:
        """Read back every resource of a type from a FHIR store."""
        url: str | None = f"{self.url}/v1/{store}/fhir/{resource_type}"
        while url:
            bundle = self._checked(self._session.get(url)).json()
            for entry in bundle.get("entry", ()):
                yield entry["resource"]
            url = next((link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"), None)

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._checked(self._session.request(method, f"{self.url}/v1/{path}", timeout=60, **options))

    @staticmethod
    def _checked(answer: requests.Response) -> requests.Response:
        if answer.status_code >= 300:
            raise api_error(answer.status_code, f"The emulator answered {answer.status_code}{_reason(answer)}")
        return answer


def _contents(files: Iterable[Path | bytes]) -> Iterator[bytes]:
    for file in files:
        if isinstance(file, bytes):
            yield file
        elif file.is_dir():
            yield from _contents(sorted(inner for inner in file.rglob("*") if inner.is_file()))
        else:
            yield file.read_bytes()


def _resources(resources: Iterable[Mapping[str, Any] | Path]) -> Iterator[Mapping[str, Any]]:
    for resource in resources:
        if isinstance(resource, Path):
            yield from _resources(_read(resource))
        elif resource.get("resourceType") == "Bundle":
            yield from _resources(entry["resource"] for entry in resource.get("entry", ()))
        else:
            yield resource


def _read(path: Path) -> Iterator[Mapping[str, Any] | Path]:
    if path.is_dir():
        yield from sorted(inner for inner in path.rglob("*") if inner.suffix in (".json", ".ndjson"))
    elif path.suffix == ".ndjson":
        yield from (json.loads(line) for line in path.read_bytes().splitlines() if line.strip())
    else:
        yield json.loads(path.read_bytes())


def _reason(answer: requests.Response) -> str:
    """Return what the emulator says of an error, which holds no value of the data."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    issues = body.get("issue") if isinstance(body, dict) else None
    said = issues[0].get("diagnostics") if issues else None
    return f": {said}" if said else ""
