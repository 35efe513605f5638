"""Links into Google's console."""

from __future__ import annotations

from airflow_healthcare_deid.links import (
    DestinationDatasetLink,
    OperationLogsLink,
    SourceDatasetLink,
    dataset_url,
    logs_url,
)
from airflow_healthcare_deid.operators.base import HealthcareOperationOperator
from airflow_healthcare_deid.resource_names import DatasetName

DATASET = DatasetName("my-project", "us-central1", "data.set")


def test_each_link_has_a_key_of_its_own() -> None:
    links = [SourceDatasetLink(), DestinationDatasetLink(), OperationLogsLink()]
    assert len({link.xcom_key for link in links}) == len({link.name for link in links}) == 3
    assert [type(link) for link in HealthcareOperationOperator.operator_extra_links] == [type(link) for link in links]


def test_dataset_url() -> None:
    assert dataset_url(DATASET) == (
        "https://console.cloud.google.com/healthcare/browser/locations/us-central1/datasets/data.set"
        "/datastores?project=my-project"
    )


def test_logs_url() -> None:
    assert logs_url(DATASET.operation("17")) == (
        "https://console.cloud.google.com/logs/query;query=operation.id%3A%2217%22?project=my-project"
    )
