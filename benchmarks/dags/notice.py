"""What `bench_notice` runs: one task that waits for one operation."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator

with DAG("this_package", schedule=None):
    DeidentifyDatasetOperator(
        task_id="wait",
        source_dataset="projects/demo-project/locations/us-central1/datasets/source",
        destination_dataset="{{ dag_run.conf['destination'] }}",
        config={"dicom": {}},
        deferrable=True,
    )
