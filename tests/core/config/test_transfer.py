"""The models of the export and import requests, with the discovery document as referee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.config import load_request, to_body
from airflow_healthcare_deid.config import transfer as models
from airflow_healthcare_deid.errors import ConfigError
from tests.core.config.discovery import schemas

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Message

REQUESTS = {
    "ExportDicomDataRequest": {
        "gcsDestination": {"uriPrefix": "gs://bucket/dir", "mimeType": "application/dicom; transfer-syntax=*"},
        "filterConfig": {"resourcePathsGcsUri": "gs://bucket/paths.txt"},
    },
    "ExportResourcesRequest": {
        "bigqueryDestination": {
            "datasetUri": "bq://example.com:p.d",
            "writeDisposition": "WRITE_APPEND",
            "schemaConfig": {
                "schemaType": "ANALYTICS",
                "recursiveStructureDepth": 3,
                "lastUpdatedPartitionConfig": {"type": "DAY", "expirationMs": 86400000},
            },
        },
        "_type": "Patient,Observation",
        "_since": "2015-02-07T13:28:17.239+02:00",
    },
    "ImportDicomDataRequest": {
        "gcsSource": {"uri": "gs://bucket/**.dcm"},
        "blobStorageSettings": {"blobStorageClass": "COLDLINE"},
    },
    "ImportResourcesRequest": {"gcsSource": {"uri": "gs://bucket/*"}, "contentStructure": "BUNDLE_PRETTY"},
}


def fields_of_schema(name: str) -> set[str]:
    return set(schemas()[name]["properties"])


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_a_request_comes_back_as_it_was_given(name: str) -> None:
    assert to_body(load_request(getattr(models, name), REQUESTS[name])) == REQUESTS[name]


@pytest.mark.parametrize(
    ("model", "schema", "left_out"),
    [
        ("ExportDicomDataRequest", "ExportDicomDataRequest", set()),
        ("ExportResourcesRequest", "ExportResourcesRequest", set()),
        ("ImportDicomDataRequest", "ImportDicomDataRequest", set()),
        ("ImportResourcesRequest", "ImportResourcesRequest", set()),
        ("DicomGcsDestination", "GoogleCloudHealthcareV1DicomGcsDestination", set()),
        ("FhirGcsDestination", "GoogleCloudHealthcareV1FhirGcsDestination", set()),
        # Google's reference says to use writeDisposition instead of force.
        ("DicomBigQueryDestination", "GoogleCloudHealthcareV1DicomBigQueryDestination", {"force"}),
        ("FhirBigQueryDestination", "GoogleCloudHealthcareV1FhirBigQueryDestination", {"force"}),
        ("SchemaConfig", "SchemaConfig", set()),
        ("TimePartitioning", "TimePartitioning", set()),
        ("BlobStorageSettings", "BlobStorageSettings", set()),
    ],
)
def test_a_model_has_the_fields_of_its_schema(model: str, schema: str, left_out: set[str]) -> None:
    kind: type[Message] = getattr(models, model)
    assert set(kind.__struct_encode_fields__) == fields_of_schema(schema) - left_out


@pytest.mark.parametrize(
    ("name", "given", "path"),
    [
        ("ExportDicomDataRequest", {"gcsDestination": {}}, "gcsDestination.uriPrefix"),
        (
            "ExportDicomDataRequest",
            {"gcs_destination": {"uri_prefix": "gs://bucket"}, "bigquery_destination": {"table_uri": "bq://p.d.t"}},
            "bigqueryDestination",
        ),
        (
            "ExportDicomDataRequest",
            {"bigquery_destination": {"table_uri": "bq://p.d.t", "schema_json": {}, "schema_flattened": {}}},
            "bigqueryDestination.schemaJson",
        ),
        ("ExportResourcesRequest", {"_since": "2026-01-01"}, "_since"),
        ("ExportResourcesRequest", {"_type": "Patient, Observation"}, "_type"),
        (
            "ExportResourcesRequest",
            {"bigqueryDestination": {"datasetUri": "bq://p.d", "schemaConfig": {}}},
            "bigqueryDestination.schemaConfig.schemaType",
        ),
    ],
)
def test_a_mistake_is_named_by_its_path(name: str, given: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_request(getattr(models, name), given)
    assert caught.value.path == path
