"""keepList, removeList and the profiles that are lists."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from airflow_healthcare_deid.config import ALWAYS_KEPT_TAGS, DicomConfig, TagFilterProfile
from airflow_healthcare_deid.engine.dicom.policies import tags
from airflow_healthcare_deid.engine.rules import load_rules
from tests.engine.dicom.files import deidentifier, keep_list, read, remove_list, usable_files
from tests.engine.dicom.test_uids import instance, written

MINIMAL = DicomConfig(filter_profile=TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE)
KEPT_UIDS = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"}


def source() -> bytes:
    """Return the instance of Google's offline redactor tests: comments, a name, and a name in a sequence."""
    dataset = instance()
    dataset.PatientName, dataset.IdentifyingComments = "Person^Name", "Test String"
    failed = Dataset()
    failed.PatientName, failed.StudyInstanceUID = "Person^Name", "1.2.3"
    dataset.FailedSOPSequence = [failed]
    for group in (0x6000, 0x6002):
        dataset.add_new(group << 16 | 0x3000, "OW", b"\1\2")
        dataset.add_new(group << 16 | 0x0010, "US", 1)
    dataset.private_block(0x0009, "VENDOR", create=True).add_new(1, "LO", "private")
    return written(dataset)


def keywords(dataset: Dataset) -> set[str]:
    return {element.keyword for element in dataset}


def test_keep_list_keeps_what_is_listed_and_what_is_needed() -> None:
    out = read(deidentifier(keep_list("PatientName")).deidentify(source()).data)
    assert keywords(out) == KEPT_UIDS | {"PatientName"}
    assert out.PatientName == "Person^Name"


def test_empty_keep_list_keeps_what_is_needed() -> None:
    assert keywords(read(deidentifier(keep_list()).deidentify(source()).data)) == KEPT_UIDS


@pytest.mark.parametrize("tag", ["PatientName", "00100010", "(0010,0010)"])
def test_remove_list_removes_what_is_listed_at_every_depth(tag: str) -> None:
    out = read(deidentifier(remove_list(tag)).deidentify(source()).data)
    assert "PatientName" not in out
    assert "PatientName" not in out.FailedSOPSequence[0]
    assert out.IdentifyingComments == "Test String"
    assert out[0x00091001].value == "private"


def test_remove_list_removes_overlay_data_of_every_plane_by_default() -> None:
    out = read(deidentifier(remove_list("PatientName")).deidentify(source()).data)
    assert 0x60003000 not in out
    assert 0x60023000 not in out
    assert out[0x60000010].value == 1
    assert 0x60003000 in read(deidentifier().deidentify(source()).data)


def test_remove_list_removes_a_whole_sequence() -> None:
    assert "FailedSOPSequence" not in read(deidentifier(remove_list("00081198")).deidentify(source()).data)


def test_what_every_instance_needs_cannot_be_removed() -> None:
    out = read(deidentifier(remove_list("TransferSyntaxUID", "SOPInstanceUID", "Rows")).deidentify(source()).data)
    assert out.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert "SOPInstanceUID" in out


def test_private_tag_on_a_list() -> None:
    assert 0x00091001 not in read(deidentifier(remove_list("00091001")).deidentify(source()).data)
    assert 0x00091001 in read(deidentifier(keep_list("00091001")).deidentify(source()).data)


def test_a_sequence_on_a_keep_list_is_kept_with_what_it_holds() -> None:
    out = read(deidentifier(keep_list("FailedSOPSequence")).deidentify(source()).data)
    assert out.FailedSOPSequence[0].PatientName == "Person^Name"
    assert out.FailedSOPSequence[0].StudyInstanceUID == out.StudyInstanceUID != "1.2.3"


def test_minimal_profile_keeps_pixels_and_their_description_only() -> None:
    kept = ALWAYS_KEPT_TAGS | tags(load_rules("dicom")["also_kept"]["keywords"])
    for path, data in usable_files().items():
        before, after = read(data), read(deidentifier(MINIMAL).deidentify(data).data)
        assert set(after.keys()) <= kept, path
        assert after.get("PixelData") == before.get("PixelData"), path


@pytest.mark.parametrize("profile", [None, "TAG_FILTER_PROFILE_UNSPECIFIED", "KEEP_ALL_PROFILE"])
def test_keep_all_changes_the_uids_only(profile: str | None) -> None:
    config = DicomConfig(filter_profile=None if profile is None else TagFilterProfile(profile))
    before = read(source())
    out = read(deidentifier(config).deidentify(source()).data)
    changed = {element.keyword for element in out if before[element.tag] != element}
    assert keywords(out) == keywords(before)
    assert changed == {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FailedSOPSequence"}


def test_without_dicom_config_all_is_kept() -> None:
    from airflow_healthcare_deid.config import DeidentifyConfig
    from airflow_healthcare_deid.engine.dicom import DicomDeidentifier
    from airflow_healthcare_deid.engine.keys import KeyRing

    result = DicomDeidentifier(DeidentifyConfig(), KeyRing()).deidentify(source())
    assert result == deidentifier(DicomConfig()).deidentify(source())
