"""The example DAGs run as they stand, and the demo holds what it promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo import tour
from demo.console import Console
from demo.pipeline import DAG
from demo.playground import SOURCE
from tests.support.airflow_runs import wait_for_run

if TYPE_CHECKING:
    from demo.playground import Playground

ONE_TASK = "example_deidentify_dataset"
TASK = "deidentify"


@pytest.fixture(scope="module")
def stored(playground: Playground) -> tuple[int, int]:
    playground.wait_for_examples()
    return tour.load(playground, Console())


def test_every_file_is_parsed(playground: Playground) -> None:
    playground.wait_for_examples()
    assert playground.airflow.api.import_errors() == {}
    assert {DAG, ONE_TASK} <= playground.airflow.api.dag_ids()


def test_a_dataset_is_deidentified_through_the_triggerer(playground: Playground, stored: tuple[int, int]) -> None:
    run_id = playground.airflow.api.trigger(ONE_TASK)
    assert wait_for_run(playground.airflow, ONE_TASK, run_id) == "success"
    summary = playground.airflow.api.xcom(ONE_TASK, run_id, TASK)
    assert summary["operation"] in {o["name"] for o in playground.healthcare.deidentifications(SOURCE)}
    assert summary["success"] == sum(stored)
    assert "TriggerEvent" in playground.airflow.task_log(ONE_TASK, run_id, TASK)


def test_the_demo_publishes_what_is_proven(
    playground: Playground, stored: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    tour.run(playground, stored, Console())
    assert "None of the source's" in capsys.readouterr().out
