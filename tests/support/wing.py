"""Fixtures of the airflow wing's tests: an emulator of their own, a connection that leads to it, and short waits."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
from airflow_healthcare_deid.operators.base import HealthcareOperationOperator
from airflow_healthcare_deid.resource_names import DatasetName
from tests.support.emulator_admin import EmulatorAdmin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator import Emulator

PROJECT = "demo-project"
LOCATION = "us-central1"
SOURCE = DatasetName(PROJECT, LOCATION, "source")
DESTINATION = DatasetName(PROJECT, LOCATION, "destination")


@pytest.fixture(scope="module")
def wing_emulator() -> Iterator[Emulator]:
    from airflow_healthcare_deid.emulator import Emulator

    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def admin(wing_emulator: Emulator) -> Iterator[EmulatorAdmin]:
    """The emulator's own interface; everything in the emulator is forgotten before each test."""
    with EmulatorAdmin(wing_emulator.url) as admin:
        admin.reset()
        yield admin


@pytest.fixture
def connection(wing_emulator: Emulator, admin: EmulatorAdmin, monkeypatch: pytest.MonkeyPatch) -> None:
    """``google_cloud_default`` leads to the emulator, where the dataset ``source`` has a DICOM and a FHIR store."""
    extra = {"project": PROJECT, "healthcare_api_endpoint": wing_emulator.url}
    value = json.dumps({"conn_type": "google_cloud_platform", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", value)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Cut all waits in workers short; the list says how long they would have been."""
    asked: list[float] = []
    pause = threading.Event()

    def sleep(seconds: float) -> None:
        asked.append(seconds)
        pause.wait(min(seconds, 0.01))

    monkeypatch.setattr(HealthcareHook, "_sleep", staticmethod(sleep))
    monkeypatch.setattr(HealthcareOperationOperator, "_sleep", staticmethod(sleep))
    return asked


@pytest.fixture
def hook(connection: None, waits: list[float]) -> Iterator[HealthcareHook]:
    """A hook, with the source dataset in place."""
    hook = HealthcareHook()
    hook.create_dataset(SOURCE)
    hook.create_dicom_store(SOURCE.dicom_store("images"))
    hook.create_fhir_store(SOURCE.fhir_store("records"), {"version": "R4"})
    yield hook
    hook.close()
