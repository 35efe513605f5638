"""One task that starts one operation, waiting in both of the ways there are, some without end and some not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator

PATIENCE: dict[str, dict[str, Any]] = {
    "": {"retries": 2},
    "_timeout": {"timeout": 5},
    "_execution_timeout": {"execution_timeout": timedelta(seconds=40)},
}

for mode, deferrable in {"deferrable": True, "synchronous": False}.items():
    for suffix, patience in PATIENCE.items():
        with DAG(dag_id=mode + suffix, schedule=None, max_active_runs=16):
            DeidentifyDatasetOperator(
                task_id="deidentify",
                source_dataset="{{ dag_run.conf['source'] }}",
                destination_dataset="{{ dag_run.conf['destination'] }}",
                config={"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}},
                deferrable=deferrable,
                poll_interval=1,
                max_poll_interval=2,
                retry_delay=timedelta(seconds=1),
                **patience,
            )
