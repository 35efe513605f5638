"""DICOM stores, with Google's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from googleapiclient.errors import HttpError

from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from tests.emulator.client import Client


def _stores(service: Any) -> Any:
    return service.projects().locations().datasets().dicomStores()


def test_a_store_is_shown_as_it_was_made(service: Any, dataset: str) -> None:
    body = {"labels": {"team": "ct"}, "notificationConfigs": [{"pubsubTopic": "projects/p/topics/t"}]}
    made = _stores(service).create(parent=dataset, dicomStoreId="a", body=body).execute()
    assert made == {"name": f"{dataset}/dicomStores/a", **body}
    assert _stores(service).get(name=made["name"]).execute() == made
    with pytest.raises(HttpError) as raised:
        _stores(service).create(parent=dataset, dicomStoreId="a", body={}).execute()
    assert raised.value.status_code == 409


def test_a_store_missing_in_a_dataset_is_not_found(service: Any, dataset: str) -> None:
    with pytest.raises(HttpError) as raised:
        _stores(service).get(name=f"{dataset}/dicomStores/none").execute()
    assert raised.value.status_code == 404


def test_a_store_in_a_missing_dataset_is_masked(service: Any) -> None:
    parent = "projects/p/locations/us-central1/datasets/none"
    with pytest.raises(HttpError) as raised:
        _stores(service).create(parent=parent, dicomStoreId="a", body={}).execute()
    assert raised.value.status_code == 403
    assert raised.value.reason.startswith(f"Permission healthcare.dicomStores.create denied on resource {parent} ")


def test_stores_are_found_by_label(service: Any, client: Client, dataset: str) -> None:
    for identifier, labels in {"a": {"x": "1"}, "b": {"x": "2"}, "c": {"x": "1", "y": "2"}}.items():
        _stores(service).create(parent=dataset, dicomStoreId=identifier, body={"labels": labels}).execute()
    found = _stores(service).list(parent=dataset, filter="labels.x=1", pageSize=1).execute()
    assert [store["name"][-1] for store in found["dicomStores"]] == ["a"]
    rest = _stores(service).list(parent=dataset, filter="labels.x=1", pageToken=found["nextPageToken"]).execute()
    assert [store["name"][-1] for store in rest["dicomStores"]] == ["c"]
    assert _stores(service).list(parent=dataset, filter="labels.x=1 AND labels.y=3").execute() == {}
    client.error("GET", f"{dataset}/dicomStores", status=400, filter="name:a")


def test_labels_are_patched(service: Any, client: Client, dicom_store: str) -> None:
    body = {"labels": {"a": "b"}}
    assert _stores(service).patch(name=dicom_store, updateMask="labels", body=body).execute()["labels"] == {"a": "b"}
    many = {"labels": {f"k{number}": "v" for number in range(65)}}
    client.error("PATCH", dicom_store, many, status=400, updateMask="labels")


def test_metrics_count_what_is_stored(service: Any, client: Client, dicom_store: str) -> None:
    instances = [instance(StudyInstanceUID="1.2", SeriesInstanceUID=series) for series in ("1.2.1", "1.2.2", "1.2.2")]
    for data in instances:
        assert client.store(dicom_store, data).status_code == 200
    metrics = _stores(service).getDICOMStoreMetrics(name=dicom_store).execute()
    assert (metrics["studyCount"], metrics["seriesCount"], metrics["instanceCount"]) == ("1", "2", "3")
    size = int(metrics["structuredStorageSizeBytes"]) + int(metrics["blobStorageSizeBytes"])
    assert size == sum(len(data) for data in instances)
    study = client.call("GET", f"{dicom_store}/dicomWeb/studies/1.2:getStudyMetrics")
    assert (study["seriesCount"], study["instanceCount"]) == ("2", "3")
    series_metrics = client.call("GET", f"{dicom_store}/dicomWeb/studies/1.2/series/1.2.2:getSeriesMetrics")
    assert series_metrics["instanceCount"] == "2"


def test_a_namesake_does_not_inherit_what_was_deleted(service: Any, client: Client, dicom_store: str) -> None:
    assert client.store(dicom_store, instance()).status_code == 200
    assert _stores(service).delete(name=dicom_store).execute() == {}
    _stores(service).create(parent=dicom_store.rpartition("/dicomStores")[0], dicomStoreId="store", body={}).execute()
    assert _stores(service).getDICOMStoreMetrics(name=dicom_store).execute()["instanceCount"] == "0"
