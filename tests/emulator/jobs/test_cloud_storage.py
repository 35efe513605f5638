"""Configurations and filters that a request names by a gs:// URI."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.uids import derive_uid
from tests.emulator.dicom_files import instance
from tests.emulator.transfer.conftest import bucket, storage_emulator

if TYPE_CHECKING:
    from tests.emulator.client import Client

__all__ = ["bucket", "storage_emulator"]


def test_the_configuration_may_lie_in_cloud_storage(client: Client, dataset: str, bucket: Any) -> None:
    bucket.blob("config.json").upload_from_string(json.dumps({"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}))
    body = {"destinationDataset": f"{dataset}-copy", "gcsConfigUri": f"gs://{bucket.name}/config.json"}
    assert "response" in client.finished(client.call("POST", f"{dataset}:deidentify", body)["name"])


def test_a_configuration_that_is_not_there_or_not_valid_starts_nothing(
    client: Client, dataset: str, bucket: Any
) -> None:
    bucket.blob("config.json").upload_from_string('{"config": {}}')
    for name in ("config.json", "none.json"):
        body = {"destinationDataset": f"{dataset}-copy", "gcsConfigUri": f"gs://{bucket.name}/{name}"}
        client.error("POST", f"{dataset}:deidentify", body, status=400)
    client.error("GET", f"{dataset}-copy", status=403)


def test_a_filter_file_picks_what_is_copied(client: Client, dataset: str, dicom_store: str, bucket: Any) -> None:
    for study in ("1.1", "1.2"):
        assert client.store(dicom_store, instance(StudyInstanceUID=study)).status_code == 200
    client.call("POST", f"{dataset}/dicomStores", {}, dicomStoreId="copy")
    bucket.blob("filter.txt").upload_from_string("/studies/1.2\n")
    body = {
        "destinationStore": f"{dataset}/dicomStores/copy",
        "config": {},
        "filterConfig": {"resourcePathsGcsUri": f"gs://{bucket.name}/filter.txt"},
    }
    operation = client.finished(client.call("POST", f"{dicom_store}:deidentify", body)["name"])
    assert operation["metadata"]["counter"] == {"success": "1"}
    (study,) = client.call("GET", f"{dataset}/dicomStores/copy/dicomWeb/studies")
    assert study["0020000D"]["Value"] == [derive_uid("1.2")]
    bucket.blob("filter.txt").upload_from_string("1.2\n")
    failed = client.finished(client.call("POST", f"{dicom_store}:deidentify", body)["name"])
    assert failed["error"]["code"] == 3
