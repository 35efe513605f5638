"""The generated tables are current, complete, and true of a running emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from airflow_healthcare_deid.cli.cursor import build_request
from airflow_healthcare_deid.config import DeidentifyDatasetRequest
from airflow_healthcare_deid.resource_names import DatasetName
from scripts.doc_tables.__main__ import PAGES, ROOT
from scripts.doc_tables.endpoints import DONE, NOT, PARTLY, coverage, sample_path
from scripts.doc_tables.fields import OPERATORS, config_rows, request_rows
from scripts.doc_tables.google_api import document, fields, methods

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator import Emulator


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == PAGES[name](), "run: python -m scripts.doc_tables"


def test_every_method_has_a_row() -> None:
    assert [row.method for row in coverage()] == methods()
    assert len(coverage()) == str(document()["resources"]).count("'flatPath'")


@pytest.fixture(scope="module")
def stores(session_emulator: Emulator) -> str:
    """The address of an emulator that has the stores which the sample paths name."""
    from airflow_healthcare_deid.emulator.sandbox import Sandbox

    with Sandbox(session_emulator.url, DatasetName("my-project", "us-central1", "x")) as sandbox:
        sandbox.dicom_store("x")
        sandbox.fhir_store("x")
    return session_emulator.url


@pytest.mark.parametrize("state", [DONE, PARTLY, NOT])
def test_the_emulator_refuses_what_the_page_says(state: str, stores: str) -> None:
    with httpx.Client(base_url=stores, timeout=60, trust_env=False) as client:
        for row in (row for row in coverage() if row.state == state):
            # What is served is asked for where there is nothing, so that nothing is deleted here.
            path = sample_path(row.method).replace("my-project", "my-project" if state == NOT else "nobodys")
            answer = client.request(row.method.verb, path)
            assert "Method not found" not in answer.text, row
            assert answer.status_code != 405, row
            assert (answer.status_code == 501) == (state == NOT), (row, answer.text)


def test_every_field_has_a_row() -> None:
    assert [row.field for row in config_rows()] == list(fields("DeidentifyConfig"))
    for request in OPERATORS:
        assert [row.field for row in request_rows(request)] == list(fields(request, without=("config",)))


def test_the_cursor_reaches_what_the_page_says() -> None:
    spelled = [row for row in config_rows() if row.option.startswith("`-r ")]
    assert spelled
    for row in spelled:
        name = row.option.strip("`").removeprefix("-r ")
        build_request(DeidentifyDatasetRequest, [name if row.field.kind[0].isupper() else f"{name}=true"])
