"""Two tasks instead of one: the first starts the operation and ends, the second waits for it.

For when something else is to happen in between, or another DAG is to wait.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.sensors.operation import HealthcareOperationSensor

DATASETS = "projects/demo-project/locations/us-central1/datasets"

with DAG(
    dag_id="example_operator_and_sensor",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    tags=["healthcare", "example"],
):
    start = DeidentifyDatasetOperator(
        task_id="start",
        source_dataset=f"{DATASETS}/source",
        destination_dataset=f"{DATASETS}/sensed-{{{{ dag_run.run_after | ts_nodash }}}}",
        config={"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}},
        wait=False,
    )
    finish = HealthcareOperationSensor(
        task_id="finish",
        operation_name="{{ ti.xcom_pull(task_ids='start')['operation'] }}",
        deferrable=True,
        poll_interval=2,
    )
    start >> finish
