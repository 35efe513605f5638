from __future__ import annotations

from typing import Any

import pytest

from airflow_healthcare_deid.config import (
    DeidentifyConfig,
    DeidentifyDatasetRequest,
    DeidentifyDicomStoreRequest,
    DeidentifyFhirStoreRequest,
    Message,
    load_request,
    parse_gcs_uri,
    to_body,
)
from airflow_healthcare_deid.errors import ConfigError

DATASET = "projects/p/locations/us-central1/datasets/d"
DICOM = f"{DATASET}/dicomStores/s"
FHIR = f"{DATASET}/fhirStores/s"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (DeidentifyDatasetRequest, {"destinationDataset": DATASET, "config": {}}),
        (DeidentifyDatasetRequest, {"destinationDataset": DATASET, "gcsConfigUri": "gs://bucket/config.json"}),
        (DeidentifyDicomStoreRequest, {"destinationStore": DICOM, "config": {"dicom": {}}}),
        (
            DeidentifyDicomStoreRequest,
            {"destinationStore": DICOM, "config": {}, "filterConfig": {"resourcePathsGcsUri": "gs://bucket/filter"}},
        ),
        (
            DeidentifyFhirStoreRequest,
            {
                "destinationStore": FHIR,
                "config": {},
                "resourceFilter": {"resources": {"resources": ["Patient/1234", "Observation/a-b.c"]}},
                "skipModifiedResources": True,
            },
        ),
        (
            DeidentifyFhirStoreRequest,
            {"destinationStore": FHIR, "config": {}, "resourceFilter": {"resources": {"resources": []}}},
        ),
    ],
)
def test_a_request_is_read_and_sent_as_it_is(kind: type[Message], body: dict[str, Any]) -> None:
    request = load_request(kind, body)
    assert to_body(request) == body
    assert load_request(kind, request) == request


def test_a_request_built_in_python_is_checked_with_its_config() -> None:
    request = DeidentifyDatasetRequest(destination_dataset=DATASET, config=DeidentifyConfig())
    assert load_request(DeidentifyDatasetRequest, request) == request


@pytest.mark.parametrize(
    ("kind", "body", "path", "text"),
    [
        (DeidentifyDatasetRequest, {"config": {}}, "destinationDataset", "is missing"),
        (DeidentifyDatasetRequest, {"destinationDataset": "d", "config": {}}, "destinationDataset", "projects/P/"),
        (DeidentifyDatasetRequest, {"destinationDataset": DATASET}, "config", "so is gcsConfigUri"),
        (
            DeidentifyDatasetRequest,
            {"destinationDataset": DATASET, "config": {}, "gcsConfigUri": "gs://bucket/x"},
            "gcsConfigUri",
            "together with config",
        ),
        (
            DeidentifyDatasetRequest,
            {"destinationDataset": DATASET, "gcsConfigUri": "s3://b/x"},
            "gcsConfigUri",
            "gs://",
        ),
        (
            DeidentifyDatasetRequest,
            {"destinationDataset": DATASET, "config": {"dicom": {"keepList": {"tags": ["X"]}}}},
            "config.dicom.keepList.tags[0]",
            "no DICOM tag",
        ),
        (DeidentifyDicomStoreRequest, {"destinationStore": FHIR, "config": {}}, "destinationStore", "dicomStores/D"),
        (
            DeidentifyDicomStoreRequest,
            {"destinationStore": DICOM, "config": {}, "filterConfig": {"resourcePathsGcsUri": "gs://bucket"}},
            "filterConfig.resourcePathsGcsUri",
            "names no object",
        ),
        (
            DeidentifyFhirStoreRequest,
            {"destinationStore": FHIR, "config": {}, "resourceFilter": {"resources": {"resources": ["1234"]}}},
            "resourceFilter.resources.resources[0]",
            "Type/id",
        ),
    ],
)
def test_a_wrong_request_is_refused_by_path(kind: type[Message], body: dict[str, Any], path: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_request(kind, body)
    assert caught.value.path == path
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "bucket/x",
        "GS://bucket/x",
        "gs://",
        "gs:///x",
        "gs://ab/x",
        "gs://Bucket/x",
        "gs://-bucket/x",
        "gs://bucket-/x",
        "gs://a..b/x",
        "gs://1.2.3.4/x",
        "gs://goog-bucket/x",
        "gs://my-google/x",
        f"gs://{'a' * 64}/x",
        "gs://bucket/",
        "gs://bucket/folder/",
        "gs://bucket/a\nb",
        "gs://bucket/\ud800",
        f"gs://bucket/{'é' * 513}",
    ],
)
def test_what_is_no_cloud_storage_object_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_gcs_uri(uri, "gcsConfigUri")
    assert caught.value.path == "gcsConfigUri"


def test_a_prefix_may_be_a_bucket_or_a_folder() -> None:
    assert parse_gcs_uri("gs://bucket", prefix=True) == ("bucket", "")
    assert parse_gcs_uri("gs://bucket/folder/", prefix=True) == ("bucket", "folder/")
