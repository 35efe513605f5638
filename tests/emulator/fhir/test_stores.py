from __future__ import annotations

from typing import Any

import pytest
from googleapiclient.errors import HttpError


def test_a_store_is_created_read_listed_patched_and_deleted(fhir_stores: Any, dataset: str) -> None:
    created = fhir_stores.create(
        parent=dataset, fhirStoreId="s1", body={"version": "R4", "labels": {"kind": "raw"}}
    ).execute()
    assert created == {"name": f"{dataset}/fhirStores/s1", "version": "R4", "labels": {"kind": "raw"}}
    assert fhir_stores.get(name=created["name"]).execute() == created
    fhir_stores.create(parent=dataset, fhirStoreId="s2", body={"version": "STU3"}).execute()

    listed = fhir_stores.list(parent=dataset, filter="labels.kind=raw").execute()
    assert [each["name"] for each in listed["fhirStores"]] == [created["name"]]

    patched = fhir_stores.patch(
        name=created["name"], updateMask="enableUpdateCreate", body={"enableUpdateCreate": True}
    ).execute()
    assert patched["enableUpdateCreate"] is True
    fhir_stores.delete(name=created["name"]).execute()
    with pytest.raises(HttpError) as missing:
        fhir_stores.get(name=created["name"]).execute()
    assert missing.value.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "version"), ({"version": "R6"}, "version"), ({"version": "R4", "flavour": 1}, "flavour")],
)
def test_a_store_needs_a_known_version_and_known_fields(
    fhir_stores: Any, dataset: str, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(HttpError, match=field) as refused:
        fhir_stores.create(parent=dataset, fhirStoreId="s", body=body).execute()
    assert refused.value.status_code == 400


def test_what_is_immutable_stays(fhir_stores: Any, store: Any) -> None:
    for field in ("version", "disableReferentialIntegrity", "disableResourceVersioning"):
        with pytest.raises(HttpError) as refused:
            fhir_stores.patch(name=store.name, updateMask=field, body={}).execute()
        assert refused.value.status_code == 400


def test_the_same_store_twice_is_a_conflict(fhir_stores: Any, dataset: str, store: Any) -> None:
    with pytest.raises(HttpError) as refused:
        fhir_stores.create(parent=dataset, fhirStoreId="store", body={"version": "R4"}).execute()
    assert refused.value.status_code == 409


def test_metrics_count_by_type_and_tell_versions_apart(fhir_stores: Any, store: Any) -> None:
    store.put({"resourceType": "Patient", "id": "a"})
    store.put({"resourceType": "Patient", "id": "a", "active": True})
    store.put({"resourceType": "Organization", "id": "o", "name": "X"})
    store.send("DELETE", "/Organization/o")
    found = fhir_stores.getFHIRStoreMetrics(name=store.name).execute()
    assert found["name"] == store.name
    metrics = {metric["resourceType"]: metric for metric in found["metrics"]}
    assert metrics["Patient"]["count"] == "1"
    assert metrics["Organization"]["count"] == "0"
    assert int(metrics["Patient"]["versionedStorageSizeBytes"]) > 0


def test_resources_go_with_their_dataset(service: Any, fhir_stores: Any, store: Any, dataset: str) -> None:
    store.put({"resourceType": "Patient", "id": "a"})
    datasets = service.projects().locations().datasets()
    datasets.delete(name=dataset).execute()
    parent, _, name = dataset.rpartition("/datasets/")
    datasets.create(parent=parent, datasetId=name, body={}).execute()
    fhir_stores.create(parent=dataset, fhirStoreId="store", body={"version": "R4"}).execute()
    assert "metrics" not in fhir_stores.getFHIRStoreMetrics(name=store.name).execute()
