"""Several datasets at once: one mapped task de-identifies them all, another proves each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.operators.validate import ValidateDeidentificationOperator

DATASETS = "projects/demo-project/locations/us-central1/datasets"
SITES = ["north", "south"]
CONFIG = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}, "fhir": {}}


def sides(summary: dict[str, Any]) -> dict[str, Any]:
    """Return what the validation of one dataset needs of the summary of its de-identification."""
    return {
        "source": summary["source"],
        "destination": summary["destination"],
        "operation_name": summary["operation"],
    }


with DAG(
    dag_id="example_many_datasets",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    tags=["healthcare", "example"],
):
    deidentify = DeidentifyDatasetOperator.partial(
        task_id="deidentify",
        config=CONFIG,
        if_destination_exists="replace",
        deferrable=True,
        poll_interval=2,
        map_index_template="{{ task.source_dataset.rpartition('/')[2] }}",
    ).expand_kwargs(
        [
            {"source_dataset": f"{DATASETS}/{site}", "destination_dataset": f"{DATASETS}/{site}-deidentified"}
            for site in SITES
        ]
    )
    ValidateDeidentificationOperator.partial(task_id="validate", config=CONFIG).expand_kwargs(
        deidentify.output.map(sides)
    )
