"""An Airflow of its own, in processes that run one DAG each, beside the emulator of this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.chain import bucket, data, storage_emulator
from tests.support.run_dag import MARK
from tests.support.wing import PROJECT, admin, connection, hook, waits, wing_emulator

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator import Emulator

__all__ = ["admin", "bucket", "connection", "data", "hook", "storage_emulator", "waits", "wing_emulator"]

REPOSITORY = Path(__file__).parents[2]


class Run(NamedTuple):
    """How a DAG run ended."""

    state: str
    tasks: dict[str, str]
    log: str


RunDag = Callable[..., Run]


class Runner:
    """A process that runs DAGs.

    :param home: its `AIRFLOW_HOME`.
    :param url: where the emulator listens.
    """

    def __init__(self, home: Path, url: str) -> None:
        extra = {"project": PROJECT, "healthcare_api_endpoint": url}
        connection = {"conn_type": "google_cloud_platform", "extra": extra}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.run_dag"],
            cwd=REPOSITORY,
            env=os.environ
            | {
                "AIRFLOW_HOME": str(home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                # An asset makes Airflow import all of Google's provider, which takes long on a busy machine.
                "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
                "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(connection),
            },
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._answer()

    def run(self, name: str, date: str | None = "2026-01-02") -> Run:
        """Run an example DAG for a day, or without a logical date."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([str(REPOSITORY / "dags" / f"{name}.py"), date]) + "\n")
        self._process.stdin.flush()
        found, log = self._answer()
        return Run(found["state"], found["tasks"], log)

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.stdout.close()
        self._process.wait()

    def _answer(self) -> tuple[dict[str, Any], str]:
        assert self._process.stdout is not None
        log: list[str] = []
        for line in self._process.stdout:
            if line.startswith(MARK):
                return json.loads(line.removeprefix(MARK)), "".join(log)
            log.append(line)
        raise AssertionError("the process ended:\n" + "".join(log[-100:]))


@pytest.fixture(scope="module")
def runner(
    tmp_path_factory: pytest.TempPathFactory, wing_emulator: Emulator, storage_emulator: None
) -> Iterator[Runner]:
    """One process for the DAGs of a file of tests."""
    runner = Runner(tmp_path_factory.mktemp("airflow"), wing_emulator.url)
    yield runner
    runner.stop()


@pytest.fixture
def run_dag(runner: Runner) -> RunDag:
    """Run an example DAG for a day: ``run_dag("example_nightly_studies", "2026-01-02")``."""
    return runner.run
