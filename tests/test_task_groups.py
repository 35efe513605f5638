"""The chain in one call: its tasks, and how they hang together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_healthcare_deid.errors import ConfigError
from airflow_healthcare_deid.task_groups import deidentify_and_publish

DATASETS = "projects/p/locations/us-central1/datasets"


def build(**arguments: Any) -> DAG:
    given: dict[str, Any] = {
        "source_dataset": f"{DATASETS}/source",
        "working_dataset": f"{DATASETS}/working-{{{{ dag_run.run_after | ts_nodash }}}}",
        "config": {"dicom": {}},
        "publish_to": "gs://bucket/published/",
    }
    with DAG("chain", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        deidentify_and_publish("chain", **given | arguments)
    return dag


def test_nothing_is_published_before_it_is_proven() -> None:
    dag = build()
    assert set(dag.task_ids) == {
        f"chain.{task}"
        for task in (
            "deidentify",
            "dicom_stores",
            "fhir_stores",
            "validate",
            "publish_dicom",
            "publish_fhir",
            "remove",
        )
    }
    for task in ("chain.publish_dicom", "chain.publish_fhir"):
        assert "chain.validate" in dag.get_task(task).upstream_task_ids
        assert dag.get_task(task).trigger_rule == "all_success"
    assert dag.get_task("chain.remove").is_teardown


def test_what_failed_goes_into_quarantine_if_there_is_one() -> None:
    dag = build(quarantine_to="gs://bucket/quarantine", validation={"sample_size": None}, pool="healthcare")
    task = dag.get_task("chain.quarantine_dicom")
    assert task.trigger_rule == "one_failed"
    validate: Any = dag.get_task("chain.validate")
    assert validate.sample_size is None
    assert {task.pool for task in dag.tasks} == {"healthcare"}


def test_bad_input_is_named_in_the_dag_file() -> None:
    with pytest.raises(ConfigError, match="dicom"):
        build(config={"dicom": {"filterProfile": "ALL"}})
