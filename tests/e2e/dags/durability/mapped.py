"""A task that is mapped over pairs of datasets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator

with DAG(dag_id="mapped", schedule=None):

    @task
    def pairs() -> list[dict[str, str]]:
        run: Any = get_current_context()["dag_run"]
        return [
            {"source_dataset": source, "destination_dataset": destination} for source, destination in run.conf["pairs"]
        ]

    DeidentifyDatasetOperator.partial(
        task_id="deidentify",
        config={"dicom": {}},
        deferrable=True,
        poll_interval=1,
        max_poll_interval=2,
        retries=2,
        retry_delay=timedelta(seconds=1),
    ).expand_kwargs(pairs())
