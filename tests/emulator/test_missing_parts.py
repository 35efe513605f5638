"""An emulator without its optional extras: who needs one is told which, before anything starts; all else works."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.client import Client
from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Python imports this module at its start: in the emulator, and in its workers.
HIDE = """
import os, sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *arguments):
        hidden = name.partition(".")[0] in os.environ["HIDDEN_PARTS"].split()
        return None if hidden else self.finder.find_spec(name, *arguments)

    def __getattr__(self, name):  # how installed distributions are found, for one
        return getattr(self.finder, name)

sys.meta_path[:] = map(Hiding, sys.meta_path)
"""
PATIENT = {"resourceType": "Patient", "id": "a", "name": [{"family": "Kowalski"}]}
BASIC = {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}
WHOLE_FIELDS = {"fieldMetadataList": [{"paths": ["HumanName.family"], "action": "TRANSFORM"}]}
INSPECTED = {"fieldMetadataList": [{"paths": ["Markdown"], "action": "INSPECT_AND_TRANSFORM"}]}


@contextmanager
def _emulator_without(parts: str, folder: Path) -> Iterator[Client]:
    (folder / "sitecustomize.py").write_text(HIDE)
    environment = {**os.environ, "PYTHONPATH": str(folder), "HIDDEN_PARTS": parts}
    command = [sys.executable, "-m", "airflow_healthcare_deid.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        with Client(process.stdout.readline().strip().partition("=")[2]) as client:
            yield client
        process.terminate()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Neither the extra ``text`` nor the extra ``image``."""
    with _emulator_without("regex numpy PIL onnxruntime rapidocr cv2", tmp_path_factory.mktemp("bare")) as client:
        yield client


@pytest.fixture(scope="module")
def without_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The extra ``text`` alone."""
    with _emulator_without("onnxruntime rapidocr", tmp_path_factory.mktemp("text")) as client:
        yield client


def _filled(client: Client) -> str:
    """Return a dataset with an instance and a resource."""
    dataset = client.new_dataset()
    client.new_store(dataset, [instance()])
    body = {"version": "R4", "enableUpdateCreate": True}
    client.call("POST", f"{dataset}/fhirStores", body, fhirStoreId="fhir")
    client.call("PUT", f"{dataset}/fhirStores/fhir/fhir/Patient/a", PATIENT, status=201)
    return dataset


def _refused(client: Client, config: dict[str, Any], extra: str) -> None:
    dataset = _filled(client)
    body = {"destinationDataset": f"{dataset}-deid", "config": config}
    assert f"airflow-healthcare-deid[{extra}]" in client.error("POST", f"{dataset}:deidentify", body, status=400)
    client.error("GET", f"{dataset}-deid", status=403)
    if "fhir" in config:
        client.call("POST", f"{dataset}/fhirStores", {"version": "R4"}, fhirStoreId="copy")
        body = {"destinationStore": f"{dataset}/fhirStores/copy", "config": config}
        message = client.error("POST", f"{dataset}/fhirStores/fhir:deidentify", body, status=400)
        assert f"airflow-healthcare-deid[{extra}]" in message


@pytest.mark.parametrize(
    ("config", "extra"),
    [
        ({"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}, "text"),
        ({"fhir": {}}, "text"),
        ({"dicom": BASIC, "fhir": INSPECTED}, "text"),
        ({"dicom": BASIC, "image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}}, "text"),
        ({"dicom": BASIC, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}, "image"),
        ({"dicom": BASIC, "image": {"customRegexes": [{"pattern": "A"}]}}, "image"),
    ],
)
def test_the_extra_that_is_missing_is_named(bare: Client, config: dict[str, Any], extra: str) -> None:
    _refused(bare, config, extra)


def test_what_needs_no_extra_works_without_any(bare: Client) -> None:
    dataset = _filled(bare)
    body = {"destinationDataset": f"{dataset}-deid", "config": {"dicom": BASIC, "fhir": WHOLE_FIELDS}}
    operation = bare.finished(bare.call("POST", f"{dataset}:deidentify", body)["name"])
    assert operation["metadata"]["counter"] == {"success": "2"}
    patient = bare.call("GET", f"{dataset}-deid/fhirStores/fhir/fhir/Patient/a")
    assert "Kowalski" not in str(patient)


@pytest.mark.parametrize("mode", ["REDACT_ALL_TEXT", "REDACT_SENSITIVE_TEXT"])
def test_ocr_is_asked_for_by_its_own_extra(without_image: Client, mode: str) -> None:
    _refused(without_image, {"dicom": BASIC, "image": {"textRedactionMode": mode}}, "image")


def test_text_is_searched_without_ocr(without_image: Client) -> None:
    dataset = _filled(without_image)
    config = {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, "fhir": {}}
    body = {"destinationDataset": f"{dataset}-deid", "config": config}
    operation = without_image.finished(without_image.call("POST", f"{dataset}:deidentify", body)["name"])
    assert operation["metadata"]["counter"] == {"success": "2"}
