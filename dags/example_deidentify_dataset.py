"""De-identify a dataset: one task, which waits in the triggerer while the service works.

The connection ``google_cloud_default`` says who asks, and may lead to the emulator.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator

with DAG(
    dag_id="example_deidentify_dataset",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    tags=["healthcare", "example"],
):
    DeidentifyDatasetOperator(
        task_id="deidentify",
        source_dataset="projects/demo-project/locations/us-central1/datasets/source",
        destination_dataset="deidentified-{{ dag_run.run_after | ts_nodash }}",
        config={
            "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
            "fhir": {},
            "image": {"textRedactionMode": "REDACT_NO_TEXT"},
        },
        deferrable=True,
        poll_interval=2,
        retries=2,
        retry_delay=timedelta(seconds=10),
    )
