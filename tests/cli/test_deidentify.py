from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

SOURCE = "projects/p/locations/us-central1/datasets/raw"
CLEAN = "projects/p/locations/us-central1/datasets/clean"
BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (
            f"--destination-dataset clean --filter-profile {BASIC} --fhir",
            {"destinationDataset": CLEAN, "config": {"dicom": {"filterProfile": BASIC}, "fhir": {}}},
        ),
        (
            f"-r .config.dicom filter-profile={BASIC} . destination-dataset=clean",
            {"destinationDataset": CLEAN, "config": {"dicom": {"filterProfile": BASIC}}},
        ),
        (
            f"-r .config.dicom -r skip-id-redaction=true --destination-dataset {CLEAN}",
            {"destinationDataset": CLEAN, "config": {"dicom": {"skipIdRedaction": True}}},
        ),
        (
            "--destination-dataset clean --gcs-config-uri gs://bucket/config.json",
            {"destinationDataset": CLEAN, "gcsConfigUri": "gs://bucket/config.json"},
        ),
        (
            (
                "--dicom-store ct --destination-store out --keep-list-tags PatientID --keep-list-tags 00080060 "
                "--resource-paths-gcs-uri gs://bucket/filter"
            ),
            {
                "destinationStore": f"{SOURCE}/dicomStores/out",
                "config": {"dicom": {"keepList": {"tags": ["PatientID", "00080060"]}}},
                "filterConfig": {"resourcePathsGcsUri": "gs://bucket/filter"},
            },
        ),
        (
            "--fhir-store ehr --destination-store out --fhir --resources Patient/1 --skip-modified-resources",
            {
                "destinationStore": f"{SOURCE}/fhirStores/out",
                "config": {"fhir": {}},
                "resourceFilter": {"resources": {"resources": ["Patient/1"]}},
                "skipModifiedResources": True,
            },
        ),
    ],
)
def test_a_dry_run_prints_the_checked_request(run: Run, arguments: str, request_: object) -> None:
    result = run("deidentify", SOURCE, *shlex.split(arguments), "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == request_


def test_a_config_comes_from_a_file_or_standard_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("dicom: {filterProfile: KEEP_ALL_PROFILE}\n")
    arguments = ("deidentify", SOURCE, "--destination-dataset", "clean", "--dry-run", "--config")
    from_file = run(*arguments, str(file))
    with file.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        from_stdin = run(*arguments, "-")
    assert from_file == from_stdin
    assert json.loads(from_file.out)["config"] == {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--destination-dataset clean", "config: is missing"),
        ("--destination-dataset clean --fhir --config none.json", "--config: is given together with fields"),
        ("--destination-dataset clean --config none.json", "none.json cannot be read"),
        ("--destination-dataset clean --fhir --gcs-config-uri gs://b/o", "cannot be set together"),
        ("--destination-dataset clean --keep-list-tags PatientNam", "Did you mean PatientName?"),
        ("--destination-dataset clean -r ..", "leads above the top"),
        ("--destination-dataset clean --fhir -r", "'-r' requires an argument"),
        ("--destination-dataset clean -r --fhir", "'-r' requires an argument"),
        ("--destination-dataset clean --fhir --max-failed-resources -1", "--max-failed-resources"),
        ("--fhir", "destinationDataset: is missing"),
        ("--fhir --destination-store x", "has no field"),
        ("--dicom-store a --fhir-store b", "cannot be given together"),
    ],
)
def test_a_mistake_ends_with_code_2_and_sends_nothing(run: Run, arguments: str, message: str) -> None:
    result = run("deidentify", SOURCE, *shlex.split(arguments))
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_what_the_arguments_built_is_shown_beside_the_mistake(run: Run) -> None:
    fields = ".config.dicom filter-profile=KEEP_ALL_PROFILE keep-list tags=PatientID"
    result = run("deidentify", SOURCE, "--destination-dataset", "clean", "--dry-run", "-r", *fields.split())
    assert result.code == 2
    assert "config.dicom.keepList: cannot be set together with filterProfile" in result.err
    assert json.loads(result.out)["config"]["dicom"] == {
        "filterProfile": "KEEP_ALL_PROFILE",
        "keepList": {"tags": ["PatientID"]},
    }


def test_every_problem_of_a_config_is_named_with_its_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("dicom:\n  filterProfil: KEEP_ALL_PROFILE\ntext:\n  excludeInfoTypes: [location]\n")
    result = run("deidentify", SOURCE, "--destination-dataset", "clean", "--dry-run", "--config", str(file))
    assert (result.code, result.out) == (2, "")
    assert f"{file}:2: dicom.filterProfil: is no field of DicomConfig. Did you mean filterProfile?" in result.err
    assert f"{file}:4: text.excludeInfoTypes[0]" in result.err


def test_a_dataset_after_the_cursor_is_asked_for_in_its_place(run: Run) -> None:
    result = run("deidentify", "--destination-dataset", "clean", "-r", ".config.fhir", SOURCE)
    assert result.code == 2
    assert "healthcare-deid deidentify SOURCE_DATASET [OPTIONS]" in result.err


@pytest.mark.parametrize("output", ["nowhere/operation.json", "."])
def test_an_answer_that_cannot_be_written_starts_nothing(run: Run, dataset: str, output: str) -> None:
    result = run("deidentify", dataset, "--destination-dataset", "clean", "--fhir", "-o", output)
    assert result.code == 2
    assert "-o" in result.err
    assert "DeidentifyDataset" not in run("operations", "list", dataset).out


def test_a_malformed_source_is_refused(run: Run) -> None:
    result = run("deidentify", "datasets/raw", "--dry-run")
    assert result.code == 2
    assert "projects/P/locations/L/datasets/D" in result.err


def test_an_operation_is_started_and_followed(run: Run, dataset: str, tmp_path: Path) -> None:
    answer = tmp_path / "operation.json"
    arguments = (
        "deidentify",
        dataset,
        "--destination-dataset",
        "clean",
        "--filter-profile",
        BASIC,
        "--wait",
        "-o",
        str(answer),
    )
    result = run(*arguments)
    assert result.code == 0, result.err
    operation = json.loads(answer.read_text())
    assert operation["done"] is True
    assert operation["name"].startswith(f"{dataset}/operations/")

    again = run(*arguments)
    assert again.code == 1
    assert "409" in again.err

    listed = run("operations", "list", dataset)
    assert "SUCCEEDED" in listed.out
    assert operation["name"] in listed.out
    got = run("operations", "get", operation["name"])
    assert json.loads(got.out) == operation
    waited = run("operations", "wait", operation["name"])
    assert waited.code == 0
    late = run("operations", "cancel", operation["name"])
    assert late.code == 1
    assert "400" in late.err


def test_it_starts_without_airflow_and_without_the_engine() -> None:
    code = (
        "import sys, airflow_healthcare_deid.cli.deidentify, airflow_healthcare_deid.cli.operations;"
        "print([m for m in ('airflow', 'pydicom', 'numpy', 'googleapiclient', 'google.auth', 'requests')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
