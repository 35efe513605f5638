"""A whole dataset, DICOM and FHIR: de-identify, prove, publish every store, clean up.

What passes validation is exported to where researchers read; what does not goes into quarantine instead, and the run
fails. The working dataset is removed either way. The chain is one call: see ``task_groups.py`` for its tasks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset

from airflow_healthcare_deid.task_groups import deidentify_and_publish

DATASETS = "projects/demo-project/locations/us-central1/datasets"

with DAG(
    dag_id="example_dataset_pipeline",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=10), "poll_interval": 2},
    tags=["healthcare", "example"],
):
    deidentify_and_publish(
        "research",
        source_dataset=f"{DATASETS}/source",
        working_dataset=f"{DATASETS}/working-{{{{ dag_run.run_after | ts_nodash }}}}",
        config={
            "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
            "fhir": {},
            "image": {"textRedactionMode": "REDACT_NO_TEXT"},
        },
        publish_to="gs://demo-healthcare/published/{{ dag_run.run_after | ts_nodash }}",
        quarantine_to="gs://demo-healthcare/quarantine/{{ dag_run.run_after | ts_nodash }}",
        outlets=[Asset("gs://demo-healthcare/published")],
    )
