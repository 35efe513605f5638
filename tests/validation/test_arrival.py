"""What was lost is told, unless the operation counted it."""

from __future__ import annotations

from airflow_healthcare_deid.validation.report import Status
from tests.validation.memory_side import MemorySide
from tests.validation.test_runner import clean, failures, fhir_destination, lost_resource, lost_study, run


def test_counted_failures_account_for_what_is_missing() -> None:
    destination = clean()
    lost_study(destination)
    assert failures(run(destination, failed=1)) == set()
    assert failures(run(destination, failed=None)) == {"counts"}
    assert failures(run(destination, subset=True)) == set()


def test_what_is_missing_is_named() -> None:
    destination = clean()
    lost_study(destination)
    [result] = [r for r in run(destination).results if r.check == "counts"]
    assert [(finding.resource, finding.problem) for finding in result.findings] == [
        ("dicomStores/ct", "1 resources are missing")
    ]


def test_a_study_that_was_asked_for_must_arrive() -> None:
    destination = clean()
    lost_study(destination)
    assert failures(run(destination, subset=True, selected=True)) == {"studies_arrived"}
    report = run(destination, subset=True, selected=True, failed=1)
    assert not report.errors
    assert {result.check for result in report.warnings} == {"studies_arrived"}


def test_nothing_arrived_is_no_success() -> None:
    report = run(MemorySide({"ct": []}, {"ehr": fhir_destination()}), subset=True, selected=True)
    assert {result.check for result in report.errors} == {"studies_arrived"}
    others = clean()
    for ds in others.dicom["ct"]:
        ds.StudyInstanceUID = f"2.25.{ds.StudyInstanceUID[5:9]}"
    report = run(others, subset=True, selected=True)
    assert not report.errors
    assert "studies_arrived" in {result.check for result in report.warnings}


def test_an_instance_of_a_study_that_was_asked_for_must_arrive() -> None:
    destination = clean()
    del destination.dicom["ct"][1]
    assert failures(run(destination, subset=True, selected=True)) == {"studies_arrived"}
    assert failures(run(destination, subset=True, selected=True, whole_studies=False)) == set()


def test_a_patient_under_another_id_is_told() -> None:
    destination = clean()
    destination.fhir["ehr"][0]["id"] = "renamed"
    destination.fhir["ehr"][1]["subject"]["reference"] = "Patient/renamed"
    report = run(destination)
    assert {result.check for result in report.warnings} == {"patients_arrived"}


def test_resources_that_could_not_be_read_are_told() -> None:
    destination = clean()
    lost_resource(destination)
    [result] = [r for r in run(destination, failed=1).results if r.check == "patients_arrived"]
    assert result.status is Status.PASSED
    assert result.note == "0 patients and 1 of the resources were not found, and so not checked"
