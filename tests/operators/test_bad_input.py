"""Mistakes in a DAG file: those that stand in it fail its import, those that a template makes fail the task.

Each error names the argument and says what to write instead.
"""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_healthcare_deid.errors import InvalidRequestError
from airflow_healthcare_deid.operators.deidentify import (
    DeidentifyDatasetOperator,
    DeidentifyDicomStoreOperator,
    DeidentifyFhirStoreOperator,
)
from airflow_healthcare_deid.operators.validate import ValidateDeidentificationOperator
from airflow_healthcare_deid.sensors.operation import HealthcareOperationSensor
from tests.support.tasks import task_context
from tests.support.wing import DESTINATION, LOCATION, SOURCE

IMAGES, COPY = SOURCE.dicom_store("images"), DESTINATION.dicom_store("images")
RECORDS, RECORDS_COPY = SOURCE.fhir_store("records"), DESTINATION.fhir_store("records")
OTHER_LOCATION = str(DESTINATION).replace(LOCATION, "europe-west4")

GIVEN: dict[type, dict[str, Any]] = {
    DeidentifyDatasetOperator: {
        "source_dataset": str(SOURCE),
        "destination_dataset": str(DESTINATION),
        "config": {"dicom": {}},
    },
    DeidentifyDicomStoreOperator: {
        "source_store": str(IMAGES),
        "destination_store": str(COPY),
        "config": {"dicom": {}},
    },
    DeidentifyFhirStoreOperator: {
        "source_store": str(RECORDS),
        "destination_store": str(RECORDS_COPY),
        "config": {"fhir": {}},
    },
    ValidateDeidentificationOperator: {
        "source": str(SOURCE),
        "destination": str(DESTINATION),
        "config": {"dicom": {}},
    },
    HealthcareOperationSensor: {"operation_name": str(SOURCE.operation("1"))},
}


def task(kind: type, **arguments: Any) -> Any:
    return kind(**{"task_id": "t"} | GIVEN[kind] | arguments)


DATASET, DICOM, FHIR = DeidentifyDatasetOperator, DeidentifyDicomStoreOperator, DeidentifyFhirStoreOperator


@pytest.mark.parametrize(
    ("kind", "arguments", "field"),
    [
        (DATASET, {"source_dataset": None}, "source_dataset"),
        (DATASET, {"source_dataset": ""}, "source_dataset"),
        (DATASET, {"source_dataset": 5}, "source_dataset"),
        (DATASET, {"source_dataset": [str(SOURCE)]}, "source_dataset"),
        (DATASET, {"source_dataset": f"{SOURCE}/"}, "source_dataset"),
        (DATASET, {"source_dataset": f"//healthcare.googleapis.com/{SOURCE}"}, "source_dataset"),
        (DATASET, {"source_dataset": "a b", "location": LOCATION}, "source_dataset"),
        (DATASET, {"source_dataset": "source"}, "location"),
        (DATASET, {"source_dataset": "{{ params.source }}", "destination_dataset": "a b"}, "destination_dataset"),
        (DATASET, {"destination_dataset": None}, "destination_dataset"),
        (DATASET, {"destination_dataset": str(SOURCE)}, "destination_dataset"),
        (DATASET, {"destination_dataset": SOURCE.dataset}, "destination_dataset"),
        (DATASET, {"destination_dataset": OTHER_LOCATION}, "destination_dataset"),
        (DATASET, {"config": None, "gcs_config_uri": "s3://bucket/config"}, "gcs_config_uri"),
        (DATASET, {"config": None, "gcs_config_uri": "configs/deid.json"}, "gcs_config_uri"),
        (DATASET, {"config": None, "gcs_config_uri": 5}, "gcs_config_uri"),
        (DATASET, {"config": "gs://bucket/config.json"}, "gcsConfigUri"),
        (DATASET, {"config": "configs/deid.txt"}, ".yaml"),
        (DATASET, {"config": {"dicom": None, "fihr": {}}}, "fihr"),
        (DATASET, {"api_endpoint": "http://healthcare.example.com"}, "api_endpoint"),
        (DATASET, {"api_endpoint": "healthcare.googleapis.com"}, "api_endpoint"),
        (DATASET, {"poll_interval": None}, "poll_interval"),
        (DATASET, {"timeout": "1h"}, "timeout"),
        (DATASET, {"timeout": float("nan")}, "timeout"),
        (DATASET, {"timeout": float("inf")}, "timeout"),
        (DATASET, {"max_failed_resources": True}, "max_failed_resources"),
        (DATASET, {"wait": "no"}, "wait"),
        (DATASET, {"deferrable": "{{ params.deferrable }}"}, "deferrable"),
        (DATASET, {"cancel_on_kill": None}, "cancel_on_kill"),
        (DICOM, {"source_store": "images"}, "source_store"),
        (DICOM, {"source_store": None}, "source_store"),
        (DICOM, {"source_store": str(RECORDS)}, "source_store"),
        (DICOM, {"destination_store": str(IMAGES)}, "destination_store"),
        (DICOM, {"destination_store": f"{OTHER_LOCATION}/dicomStores/images"}, "destination_store"),
        (DICOM, {"filter_config": {"resourcePathsGcsUri": "studies.txt"}}, "filterConfig.resourcePathsGcsUri"),
        (DICOM, {"filter_config": {"resourcePaths": "gs://b/studies.txt"}}, "filterConfig.resourcePaths"),
        (FHIR, {"resource_filter": {"resources": {"resources": ["1"]}}}, "resourceFilter.resources.resources[0]"),
        (FHIR, {"skip_modified_resources": "yes"}, "skip_modified_resources"),
        (ValidateDeidentificationOperator, {"report_gcs_uri": "report.json"}, "report_gcs_uri"),
        (HealthcareOperationSensor, {"operation_name": None}, "operation_name"),
        (HealthcareOperationSensor, {"deferrable": "false"}, "deferrable"),
        (HealthcareOperationSensor, {"max_failed_ratio": 7}, "max_failed_ratio"),
        (HealthcareOperationSensor, {"api_endpoint": "http://healthcare.example.com"}, "api_endpoint"),
    ],
)
def test_a_mistake_in_the_dag_file_fails_its_import(kind: type, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        task(kind, **arguments)
    assert field in str(caught.value)
    assert caught.value.way_out


def test_what_only_comes_to_be_later_is_not_judged() -> None:
    with DAG("dag", schedule=None):
        first = task(DATASET, wait=False)
        later = task(
            DATASET,
            task_id="later",
            source_dataset=first.output["destination"],
            destination_dataset="copy",
            config=None,
            gcs_config_uri="{{ params.folder }}/config.json",
            api_endpoint="{{ params.endpoint }}",
        )
        by_location = task(DATASET, task_id="place", source_dataset="source", location="{{ params.location }}")
    assert (later.source_dataset, by_location.location) == (first.output["destination"], "{{ params.location }}")


@pytest.mark.parametrize(
    ("template", "rendered", "field"),
    [
        ({"source_dataset": "{{ params.x }}"}, None, "source_dataset"),
        ({"destination_dataset": "{{ params.x }}"}, None, "destination_dataset"),
        ({"destination_dataset": "{{ params.x }}"}, "", "destination_dataset"),
        ({"destination_dataset": "{{ params.x }}"}, SOURCE.dataset, "destination_dataset"),
        ({"config": "{{ params.x }}"}, None, "configuration"),
        ({"config": {"dicom": {"filterProfile": "{{ params.x }}"}}}, "KEEP_ALL", "dicom.filterProfile"),
        ({"config": None, "gcs_config_uri": "{{ params.x }}/config.json"}, "s3://bucket", "gcsConfigUri"),
        ({"config": None, "gcs_config_uri": "{{ params.x }}"}, None, "gcsConfigUri"),
        ({"poll_interval": "{{ params.x }}"}, "ten", "poll_interval"),
        ({"timeout": "{{ params.x }}"}, "1h", "timeout"),
    ],
)
def test_a_mistake_that_a_template_makes_fails_the_task(
    template: dict[str, Any], rendered: str | None, field: str, connection: None
) -> None:
    faulty = task(DATASET, **template)
    faulty.render_template_fields({"params": {"x": rendered}})
    with pytest.raises(InvalidRequestError) as caught:
        faulty.execute(task_context(faulty))
    assert field in str(caught.value)
    assert caught.value.way_out


def test_an_address_that_a_template_completes_is_no_file() -> None:
    templated = task(DATASET, config=None, gcs_config_uri="{{ params.folder }}/config.json")
    templated.render_template_fields({"params": {"folder": "gs://bucket"}})
    assert templated.gcs_config_uri == "gs://bucket/config.json"
