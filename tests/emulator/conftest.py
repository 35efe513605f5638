"""Fixtures for tests over real HTTP, on the emulator that the whole session shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.client import Client
from tests.support.google_api import dataset, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator import Emulator

__all__ = ["dataset", "service"]


@pytest.fixture(scope="session")
def client(session_emulator: Emulator) -> Iterator[Client]:
    """Plain HTTP requests, for what Google's client would not send."""
    with Client(session_emulator.url) as made:
        yield made


@pytest.fixture
def own(emulator: Emulator) -> Iterator[Client]:
    """Requests to an emulator of the test's own, for faults and other settings that all its clients share."""
    with Client(emulator.url) as made:
        yield made


@pytest.fixture
def dicom_store(service: Any, dataset: str) -> str:
    """A new DICOM store in a new dataset."""
    stores = service.projects().locations().datasets().dicomStores()
    stores.create(parent=dataset, dicomStoreId="store", body={}).execute()
    return f"{dataset}/dicomStores/store"
