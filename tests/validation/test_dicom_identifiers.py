"""An identifier is found where it stays, and what means something else raises nothing."""

from __future__ import annotations

import pytest

from airflow_healthcare_deid.config import load_config
from airflow_healthcare_deid.validation.runner import validate
from airflow_healthcare_deid.validation.sampling import Sampling, Scope
from tests.validation.memory_side import MemorySide, deidentified, instance
from tests.validation.test_runner import BASIC, clean, failures, run


@pytest.mark.parametrize(
    ("name", "tag", "vr", "value"),
    [
        ("Head", "BodyPartExamined", "CS", "HEAD"),
        ("Head^CT", "ProtocolName", "LO", "CT head"),
        ("CT", "Modality", "CS", "CT"),
        ("Whitcombe^Arabella^^Mrs^PhD", "ProtocolName", "LO", "PhD project"),
        # A newborn: any other date may be the day of birth.
        ("Whitcombe^Arabella", "DateOfLastCalibration", "DA", "19701205"),
    ],
)
def test_what_means_something_else_raises_nothing(name: str, tag: str, vr: str, value: str) -> None:
    source = MemorySide({"ct": [instance("1.2.3", "1.2.3.4", 1, name)]})
    source.dicom["ct"][0].BodyPartExamined = "HEAD"
    destination = MemorySide({"ct": [deidentified(i) for i in source.dicom["ct"]]})
    destination.dicom["ct"][0].add_new(tag, vr, value)
    report = validate(source, destination, BASIC, names=("s", "d"), scope=Scope(Sampling(), failed=0))
    assert failures(report) == set()


@pytest.mark.parametrize(("tag", "vr", "value"), [("PatientName", "PN", "WHITCOMBE"), ("PatientID", "LO", "7")])
def test_where_an_identifier_belongs_nothing_of_it_may_stay(tag: str, vr: str, value: str) -> None:
    source = MemorySide({"ct": [instance("1.2.3", "1.2.3.4", 1)]})
    source.dicom["ct"][0].PatientID = "7"
    destination = MemorySide({"ct": [deidentified(i) for i in source.dicom["ct"]]})
    destination.dicom["ct"][0].add_new(tag, vr, value)
    config = load_config({"dicom": {"removeList": {"tags": ["PatientName", "PatientID"]}}})
    [result] = [r for r in run(destination, config, source=source).results if r.check == "dicom_identifiers"]
    assert [finding.location for finding in result.findings] == [tag]


def test_a_search_of_contents_passes_over_short_numbers() -> None:
    source = MemorySide({"ct": [instance("1.2.3", "1.2.3.4", 1)]})
    destination = MemorySide({"ct": [deidentified(i) for i in source.dicom["ct"]]})
    source.dicom["ct"][0].AccessionNumber = destination.dicom["ct"][0].AccessionNumber = "1"
    config = load_config({"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}})
    assert failures(run(destination, config, source=source)) == set()


def test_bulk_data_that_may_be_text_is_counted() -> None:
    config = load_config({"dicom": {"removeList": {"tags": ["PatientName"]}}})
    destination = clean()
    destination.dicom["ct"][0].add_new(0x00091010, "UN", b"WHITCOMBE^ARABELLA")
    [result] = [r for r in run(destination, config).results if r.check == "dicom_identifiers"]
    assert result.note == "1 elements of unknown representation are bulk data, and were not read"


def test_a_placeholder_is_no_name() -> None:
    source = MemorySide({"ct": [instance("1.2.3", "1.2.3.4", 1, "Person^Name")]})
    destination = MemorySide({"ct": [deidentified(i) for i in source.dicom["ct"]]})
    destination.dicom["ct"][0].ProtocolName = "Scan of [PERSON_NAME]"
    report = validate(source, destination, BASIC, names=("s", "d"), scope=Scope(Sampling()))
    assert failures(report) == set()


def test_a_name_without_its_middle_part_is_found() -> None:
    source = MemorySide({"ct": [instance("1.2.3", "1.2.3.4", 1, "Okonkwo^Ada^Beatrice^^PhD")]})
    destination = MemorySide({"ct": [deidentified(i) for i in source.dicom["ct"]]})
    destination.dicom["ct"][0].ProtocolName = "ada okonkwo, standard"
    report = validate(source, destination, BASIC, names=("s", "d"), scope=Scope(Sampling(), failed=0))
    assert {result.check for result in report.errors} == {"dicom_identifiers"}
