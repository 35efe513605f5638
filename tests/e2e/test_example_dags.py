"""The example DAGs run as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.playground import SOURCE
from demo.tour import EXAMPLE_DAG, TASK
from tests.support.airflow_runs import wait_for_run

if TYPE_CHECKING:
    from demo.playground import Playground


def test_every_file_is_parsed(playground: Playground) -> None:
    assert playground.airflow.api.import_errors() == {}
    assert EXAMPLE_DAG in playground.airflow.api.dag_ids()


def test_a_dataset_is_deidentified_through_the_triggerer(playground: Playground) -> None:
    stored = playground.load_samples(lambda _: None)
    run_id = playground.airflow.api.trigger(EXAMPLE_DAG)
    assert wait_for_run(playground.airflow, EXAMPLE_DAG, run_id) == "success"
    summary = playground.airflow.api.xcom(EXAMPLE_DAG, run_id, TASK)
    [operation] = playground.healthcare.deidentifications(SOURCE)
    assert summary["operation"] == operation["name"]
    assert int(operation["metadata"]["counter"]["success"]) == stored
    assert "TriggerEvent" in playground.airflow.task_log(EXAMPLE_DAG, run_id, TASK)
