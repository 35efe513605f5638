"""The walk over bytes arrives at what the plain way with pydicom arrives at, on every file that pydicom ships."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.config import DicomConfig, TagFilterProfile
from airflow_healthcare_deid.engine.errors import UndecodableError
from tests.engine.dicom.files import (
    BASIC,
    MALFORMED,
    deidentifier,
    keep_list,
    read,
    readable_files,
    remove_list,
    usable_files,
)
from tests.engine.dicom.reference import deidentified

if TYPE_CHECKING:
    from pydicom import Dataset

CONFIGS = {
    "keep all": DicomConfig(),
    "keep all, ids too": DicomConfig(skip_id_redaction=True),
    "minimal": DicomConfig(filter_profile=TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE),
    "basic": BASIC,
    "basic, ids kept": DicomConfig(filter_profile=BASIC.filter_profile, skip_id_redaction=True),
    "keep list": keep_list(
        "PatientID", "StudyDate", "ContentSequence", "RequestAttributesSequence", "ROIContourSequence"
    ),
    "remove list": remove_list("PatientName", "StudyDate", "00081140", "ConceptNameCodeSequence"),
}


def described(dataset: Dataset) -> list[object]:
    """Return all elements with their VRs and values as pydicom reads them, group lengths left out."""
    found: list[object] = []
    for element in dataset:
        if element.tag.element == 0:
            continue
        if element.VR == "SQ":
            found.append((element.tag, "SQ", [described(item) for item in element.value]))
        else:
            found.append((element.tag, element.VR, "" if element.is_empty else repr(element.value)))
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_equals_the_plain_way_on_every_file(name: str) -> None:
    deid = deidentifier(CONFIGS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's own files break rules that it warns of
        for path, data in usable_files().items():
            assert described(read(deid.deidentify(data).data)) == described(deidentified(data, CONFIGS[name])), path


def test_there_are_enough_files_to_mean_something() -> None:
    assert len(usable_files()) > 140


@pytest.mark.parametrize("path", [path for path in readable_files() if path.rpartition("/")[2] in MALFORMED])
def test_malformed_files_are_refused_by_name_of_the_fault_only(path: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        deidentifier(BASIC).deidentify(readable_files()[path])
    assert str(caught.value)
    assert not any(character.isdigit() for character in str(caught.value))
