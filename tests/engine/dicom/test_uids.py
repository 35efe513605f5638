"""UIDs: golden values, consistency, and what keeps them."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from airflow_healthcare_deid.config import DicomConfig, TagFilterProfile
from airflow_healthcare_deid.engine.errors import UndecodableError
from tests.engine.dicom.files import BASIC, CONTENTS, deidentifier, keep_list, read, remove_list

# The first three: Google's offline redactor (healthcare-deid, DicomRedactorTest). The next: its file basic.dcm, as
# redacted there. The last: the NIH sample of Google's code samples, computed.
GOLDEN = {
    "1.2.3": "2.25.235153174557024093797895412215599142974",
    "1.2.4": "2.25.11567562993222170604478667374799402574",
    "1.2.5": "2.25.291421206658433162738860295383136573243",
    "1.2.276.0.7230010.3.1.4.1784944219.230771.1519337370.699151": "2.25.291962382700397441066801267166783648206",
    "1.2.276.0.7230010.3.1.2.1784944219.230771.1519337370.699150": "2.25.41001729045337103070712660052828673010",
    "1.2.276.0.7230010.3.1.3.1784944219.230771.1519337370.699149": "2.25.173552272703055068628122303781123315441",
    "1.3.6.1.4.1.11129.5.5.111396399361969898205364400549799252857604": "2.25.30280108837082498901363391865150595114",
}
CONFIGS = {
    "keep all": DicomConfig(),
    "unspecified": DicomConfig(filter_profile=TagFilterProfile.TAG_FILTER_PROFILE_UNSPECIFIED),
    "minimal": DicomConfig(filter_profile=TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE),
    "basic": BASIC,
    "contents": CONTENTS,
    "empty keep list": keep_list(),
    "remove list": remove_list("PatientName"),
}


def instance(study: str = "1.2.3", series: str = "1.2.4", sop: str = "1.2.5") -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(sop)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = study, series, sop
    return dataset


def written(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize("name", CONFIGS)
def test_the_four_ids_are_regenerated_whatever_the_profile(name: str) -> None:
    result = deidentifier(CONFIGS[name]).deidentify(written(instance()))
    out = read(result.data)
    assert out.StudyInstanceUID == result.study_instance_uid == GOLDEN["1.2.3"]
    assert out.SeriesInstanceUID == result.series_instance_uid == GOLDEN["1.2.4"]
    assert out.SOPInstanceUID == result.sop_instance_uid == GOLDEN["1.2.5"]
    assert out.file_meta.MediaStorageSOPInstanceUID == GOLDEN["1.2.5"]
    assert out.SOPClassUID == out.file_meta.MediaStorageSOPClassUID == CTImageStorage


@pytest.mark.parametrize("uid", GOLDEN)
def test_golden_uids(uid: str) -> None:
    assert deidentifier().deidentify(written(instance(sop=uid))).sop_instance_uid == GOLDEN[uid]


@pytest.mark.parametrize("name", CONFIGS)
def test_skip_id_redaction_leaves_all_four(name: str) -> None:
    config = CONFIGS[name]
    kept = DicomConfig(
        filter_profile=config.filter_profile,
        keep_list=config.keep_list,
        remove_list=config.remove_list,
        skip_id_redaction=True,
    )
    result = deidentifier(kept).deidentify(written(instance()))
    out = read(result.data)
    assert out.StudyInstanceUID == result.study_instance_uid == "1.2.3"
    assert out.SeriesInstanceUID == result.series_instance_uid == "1.2.4"
    assert out.SOPInstanceUID == result.sop_instance_uid == "1.2.5"
    assert out.file_meta.MediaStorageSOPInstanceUID == "1.2.5"


def with_references() -> Dataset:
    dataset = instance()
    dataset.FrameOfReferenceUID = "1.2.6"
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = CTImageStorage, "1.2.5"
    series = Dataset()
    series.SeriesInstanceUID = "1.2.4"
    series.ReferencedInstanceSequence = [image]
    dataset.ReferencedSeriesSequence = [series]
    dataset.ReferencedImageSequence = [image]
    return dataset


def test_references_stay_consistent_in_the_basic_profile() -> None:
    out = read(deidentifier(BASIC).deidentify(written(with_references())).data)
    series = out.ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == out.SeriesInstanceUID
    assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == out.SOPInstanceUID
    assert out.ReferencedImageSequence[0].ReferencedSOPInstanceUID == out.SOPInstanceUID
    assert out.ReferencedImageSequence[0].ReferencedSOPClassUID == CTImageStorage
    assert out.FrameOfReferenceUID not in ("1.2.6", "")


def test_references_stay_consistent_when_the_basic_profile_skips_ids() -> None:
    config = DicomConfig(filter_profile=BASIC.filter_profile, skip_id_redaction=True)
    out = read(deidentifier(config).deidentify(written(with_references())).data)
    series = out.ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == out.SeriesInstanceUID == "1.2.4"
    assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == out.SOPInstanceUID == "1.2.5"
    assert out.FrameOfReferenceUID != "1.2.6"


def test_references_inside_a_replaced_sequence_stay_when_ids_do() -> None:
    config = DicomConfig(filter_profile=BASIC.filter_profile, skip_id_redaction=True)
    dataset = with_references()
    content = Dataset()
    content.ReferencedSOPSequence = dataset.ReferencedImageSequence
    content.UID = "1.2.7"
    dataset.ContentSequence = [content]
    out = read(deidentifier(config).deidentify(written(dataset)).data)
    assert out.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.5"
    assert out.ContentSequence[0].UID != "1.2.7"


def test_more_uids_than_an_element_can_hold_once_replaced() -> None:
    dataset = instance()
    dataset.FailedSOPInstanceUIDList = ["1.2.3"] * 10_000
    with pytest.raises(UndecodableError, match="too short"):
        deidentifier(BASIC).deidentify(written(dataset))


def test_a_registered_frame_of_reference_stays() -> None:
    dataset = instance()
    dataset.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"  # Talairach brain atlas
    assert read(deidentifier(BASIC).deidentify(written(dataset)).data).FrameOfReferenceUID == "1.2.840.10008.1.4.1.1"


def test_several_uids_in_one_element_are_replaced_one_by_one() -> None:
    dataset = instance()
    dataset.FailedSOPInstanceUIDList = ["1.2.3", "1.2.4"]
    out = read(deidentifier(BASIC).deidentify(written(dataset)).data)
    assert list(out.FailedSOPInstanceUIDList) == [GOLDEN["1.2.3"], GOLDEN["1.2.4"]]


def test_file_meta_uid_follows_the_data_set_when_they_disagree() -> None:
    dataset = instance()
    dataset.SOPInstanceUID = "1.2.3"
    buffer = BytesIO()
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.5")
    dataset.save_as(buffer, enforce_file_format=True)
    data = buffer.getvalue()
    assert read(deidentifier().deidentify(data).data).file_meta.MediaStorageSOPInstanceUID == GOLDEN["1.2.3"]
