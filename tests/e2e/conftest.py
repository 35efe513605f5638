"""A real Airflow, wired to an emulator in a process of its own; one for each file of tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.playground import EXAMPLES, Playground
from tests.support.emulator_admin import EmulatorAdmin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DAGS = Path(__file__).parent / "dags"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)
            # Airflow 3.3 fails a task that is resumed before the scheduler has read that its first part ended.
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="module")
def dags_folder() -> Path:
    """The DAGs that Airflow serves; a file of tests that brings its own overrides this."""
    return EXAMPLES


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """Airflow's settings, as environment variables; a file of tests that needs others overrides this."""
    return {}


@pytest.fixture(scope="module")
def playground(dags_folder: Path, settings: Mapping[str, str]) -> Iterator[Playground]:
    with Playground(dags_folder, environment=settings) as playground:
        playground.connect()
        yield playground


@pytest.fixture
def admin(playground: Playground) -> Iterator[EmulatorAdmin]:
    """The emulator's own interface; what a test set there is gone afterwards."""
    with EmulatorAdmin(playground.emulator.url) as admin:
        yield admin
        admin.remove_faults()
        admin.set_progression("work")
