"""Datasets, with Google's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from googleapiclient.errors import HttpError

from tests.emulator.client import LOCATION

if TYPE_CHECKING:
    from tests.emulator.client import Client


def _datasets(service: Any) -> Any:
    return service.projects().locations().datasets()


def test_creating_a_dataset_is_an_operation_that_ends_with_the_dataset(service: Any) -> None:
    parent = "projects/creates/locations/eu"
    started = _datasets(service).create(parent=parent, datasetId="a.b_c-D", body={"timeZone": "Asia/Tokyo"}).execute()
    name = f"{parent}/datasets/a.b_c-D"
    assert started["name"].startswith(f"{name}/operations/")
    operation = _datasets(service).operations().get(name=started["name"]).execute()
    assert operation["done"] is True
    assert operation["response"]["name"] == name
    assert operation["response"]["@type"].endswith(".dataset.Dataset")
    assert operation["metadata"]["apiMethodName"].endswith("DatasetService.CreateDataset")
    assert _datasets(service).get(name=name).execute() == {"name": name, "timeZone": "Asia/Tokyo"}


def test_what_exists_is_not_created_again(service: Any, dataset: str) -> None:
    with pytest.raises(HttpError) as raised:
        _datasets(service).create(parent=LOCATION, datasetId=dataset.rpartition("/")[2], body={}).execute()
    assert raised.value.status_code == 409


def test_a_missing_dataset_is_masked_as_a_missing_permission(service: Any) -> None:
    name = f"{LOCATION}/datasets/none"
    with pytest.raises(HttpError) as raised:
        _datasets(service).get(name=name).execute()
    assert raised.value.status_code == 403
    assert raised.value.reason == (
        f"Permission healthcare.datasets.get denied on resource {name} (or it may be malformed or not exist)."
    )


def test_a_patch_changes_only_what_the_mask_names(service: Any, dataset: str) -> None:
    datasets = _datasets(service)
    patched = datasets.patch(name=dataset, updateMask="timeZone", body={"timeZone": "UTC"}).execute()
    assert patched == {"name": dataset, "timeZone": "UTC"}
    assert datasets.patch(name=dataset, updateMask="time_zone", body={}).execute() == {"name": dataset}


@pytest.mark.parametrize(
    ("body", "mask"), [({"timeZone": "Mars/Base"}, "timeZone"), ({"timeZone": "UTC"}, "name"), ({"zone": "UTC"}, None)]
)
def test_a_wrong_patch_is_refused(client: Client, dataset: str, body: dict[str, str], mask: str | None) -> None:
    query = {"updateMask": mask} if mask else {}
    client.error("PATCH", dataset, body, status=400, **query)


def test_listing_goes_page_by_page(service: Any, client: Client) -> None:
    parent = "projects/pages/locations/us"
    for number in range(5):
        client.call("POST", f"{parent}/datasets", {}, datasetId=f"d{number}")
    client.call("POST", "projects/pages/locations/eu/datasets", {}, datasetId="elsewhere")
    datasets = _datasets(service)
    request, seen = datasets.list(parent=parent, pageSize=2), []
    while request is not None:
        answer = request.execute()
        seen.append([item["name"].rpartition("/")[2] for item in answer["datasets"]])
        request = datasets.list_next(request, answer)
    assert seen == [["d0", "d1"], ["d2", "d3"], ["d4"]]


def test_an_empty_list_is_an_empty_object(client: Client) -> None:
    assert client.call("GET", "projects/nobody/locations/us/datasets") == {}


def test_what_is_deleted_is_gone_with_its_stores(service: Any, dicom_store: str) -> None:
    dataset = dicom_store.rpartition("/dicomStores")[0]
    assert _datasets(service).delete(name=dataset).execute() == {}
    for request in (_datasets(service).get(name=dataset), _datasets(service).dicomStores().get(name=dicom_store)):
        with pytest.raises(HttpError) as raised:
            request.execute()
        assert raised.value.status_code == 403


@pytest.mark.parametrize("identifier", ["", "..", ".", "a/b", "a:b", "ä b", "x" * 257, "a\n"])
def test_a_bad_id_is_refused(client: Client, identifier: str) -> None:
    client.error("POST", f"{LOCATION}/datasets", {}, status=400, datasetId=identifier)


def test_ids_may_be_of_any_script(client: Client) -> None:
    client.call("POST", f"{LOCATION}/datasets", {}, datasetId="данные_名前")
    assert client.call("GET", f"{LOCATION}/datasets/данные_名前")["name"].endswith("данные_名前")


@pytest.mark.parametrize("path", ["projects/P!/locations/us/datasets", "projects/p/locations/US/datasets"])
def test_a_malformed_parent_is_refused(client: Client, path: str) -> None:
    client.error("GET", path, status=400)


def test_locations_are_listed(service: Any) -> None:
    answer = service.projects().locations().list(name="projects/p").execute()
    assert {"name": LOCATION, "locationId": "us-central1"} in answer["locations"]
    assert service.projects().locations().get(name=LOCATION).execute()["locationId"] == "us-central1"
