"""A storage emulator with a bucket, Google's client for it, and stores to transfer from and to."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from airflow_healthcare_deid.emulator.storage_emulator import StorageEmulator
from tests.support.google_api import fhir_stores, http, make_store, store, wait

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["fhir_stores", "http", "make_store", "store", "wait"]


@pytest.fixture(scope="session")
def storage_emulator() -> Iterator[StorageEmulator]:
    """One storage emulator for all tests; each has a bucket of its own."""
    with StorageEmulator() as running:
        yield running


@pytest.fixture
def bucket(storage_emulator: StorageEmulator) -> Iterator[Any]:
    """A new bucket, by Google's storage client."""
    client = Client(project="p", credentials=AnonymousCredentials())
    yield client.create_bucket(f"b-{uuid.uuid4().hex}")
    client.close()


@pytest.fixture
def dicom_stores(service: Any) -> Any:
    """The resource ``dicomStores`` of Google's client."""
    return service.projects().locations().datasets().dicomStores()
