"""The two DAGs that `bench_notice` runs: one task each, which waits for one operation."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from benchmarks.fixed_interval import FixedIntervalOperator

with DAG("this_package", schedule=None):
    DeidentifyDatasetOperator(
        task_id="wait",
        source_dataset="projects/demo-project/locations/us-central1/datasets/source",
        destination_dataset="{{ dag_run.conf['destination'] }}",
        config={"dicom": {}},
        deferrable=True,
    )

with DAG("fixed_interval", schedule=None):
    FixedIntervalOperator(task_id="wait", url="{{ dag_run.conf['url'] }}")
