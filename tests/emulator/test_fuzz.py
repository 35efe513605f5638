"""Requests made up from the discovery document: whatever is sent, the answer is a clean one and never a 500."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from tests.emulator.client import Client
from tests.emulator.fuzzing import METHODS, Sent, answer, check, prepare, requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator import Emulator


@pytest.fixture(scope="module")
def fuzzed(session_emulator: Emulator) -> Iterator[Client]:
    with Client(session_emulator.url) as client:
        yield client


def test_every_method_of_the_api_is_tried() -> None:
    assert len(METHODS) > 150
    assert {"fhir", "dicomWeb", "hl7V2Stores", "operations"} <= {
        part for m in METHODS for part in m["flatPath"].split("/")
    }


@given(request=requests())
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_emulator(fuzzed: Client, request: Sent) -> None:
    prepare(fuzzed)
    check(request, *answer(fuzzed.url, request))
