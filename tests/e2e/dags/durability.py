"""One task that starts one operation, waiting in both of the ways there are."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator

for mode, deferrable in {"deferrable": True, "synchronous": False}.items():
    with DAG(dag_id=mode, schedule=None, max_active_runs=8):
        DeidentifyDatasetOperator(
            task_id="deidentify",
            source_dataset="projects/demo-project/locations/us-central1/datasets/source",
            destination_dataset="{{ dag_run.conf['destination'] }}",
            config={"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}},
            deferrable=deferrable,
            poll_interval=1,
            max_poll_interval=2,
            retries=2,
            retry_delay=timedelta(seconds=1),
        )
