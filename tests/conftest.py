"""Shared by all tests: an Airflow home of their own, and a running emulator."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

    from airflow_healthcare_deid.emulator import Emulator

# Airflow reads its settings, and writes a default configuration, when it is first imported.
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "HEALTHCARE_", "GOOGLE_", "CLOUDSDK_"))]:
    del os.environ[name]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
if version("apache-airflow").startswith("2."):
    # Its hooks import this when it is first asked for providers, and much of what that imports is deprecated by now.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("flask_appbuilder.fieldwidgets")

# The tests' own client tells of each request, which Airflow 2 writes where commands write their output.
logging.getLogger("httpx").setLevel(logging.WARNING)

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the end-to-end tests first: they take the longest."""
    items.sort(key=lambda item: item.path.parent.name != "e2e")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Give one worker all end-to-end tests, which wait a lot, and the others a file of tests at a time meanwhile."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduler(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)

    return Scheduler(config, log)


@pytest.fixture(scope="session")
def session_emulator() -> Iterator[Emulator]:
    """One emulator for the whole session: for tests that keep to datasets of their own."""
    from airflow_healthcare_deid.emulator import Emulator

    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A fresh emulator, without data and without faults."""
    from airflow_healthcare_deid.emulator import Emulator

    with Emulator() as emulator:
        yield emulator
