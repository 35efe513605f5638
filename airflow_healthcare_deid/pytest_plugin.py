"""A pytest plugin for tests of one's own DAGs: a running emulator, data in it, and a connection to it.

It is there as soon as the package is installed, and costs nothing until a fixture is asked for:

.. code-block:: python

    def test_my_dag(healthcare_connection, healthcare_sandbox):
        healthcare_sandbox.dicom_store("ct", [Path("tests/data/ct")])
        my_dag.test(run_conf={"source": str(healthcare_sandbox.name)})
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator import Emulator
    from airflow_healthcare_deid.emulator.sandbox import Sandbox


@pytest.fixture(scope="session")
def healthcare_emulator() -> Iterator[Emulator]:
    """A running emulator, one for the session; needs the extra ``emulator``."""
    from airflow_healthcare_deid.emulator import Emulator

    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def healthcare_sandbox(healthcare_emulator: Emulator) -> Iterator[Sandbox]:
    """A fresh dataset in the emulator, with methods that load DICOM files and FHIR resources and read them back."""
    from airflow_healthcare_deid.emulator.sandbox import Sandbox

    with Sandbox(healthcare_emulator.url) as sandbox:
        yield sandbox


@pytest.fixture
def healthcare_connection(healthcare_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a connection to the emulator, ``google_cloud_default``; hooks and operators use it by themselves."""
    connection = {"conn_type": "google_cloud_platform", "extra": {"project": "test-project"}}
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", healthcare_emulator.url)
    return "google_cloud_default"
