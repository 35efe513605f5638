from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_healthcare_deid.config import DeidentifyConfig, load_config
from airflow_healthcare_deid.errors import InvalidRequestError
from airflow_healthcare_deid.validation.report import CHECKS, Severity, Status, ValidationReport
from airflow_healthcare_deid.validation.runner import validate
from airflow_healthcare_deid.validation.sampling import Sampling, Scope
from tests.validation.memory_side import MemorySide, deidentified, instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset

BASIC = load_config({"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}, "fhir": {}})
CANARIES = ("whitcombe", "arabella", "mrn-", "acc-555", "19701205", "elm road", "hillcrest")


def dicom_source() -> list[Dataset]:
    return [instance("1.2.3", "1.2.3.4", n) for n in (1, 2, 3)] + [instance("1.2.9", "1.2.9.1", 7, "Okonkwo^Ada")]


def fhir_source() -> list[dict[str, Any]]:
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Whitcombe", "given": ["Arabella"]}],
        "birthDate": "1970-12-05",
        "identifier": [{"value": "MRN-77881"}],
        "telecom": [{"value": "(555) 867-5309"}],
        "address": [{"line": ["12 Hillcrest Lane"]}],
    }
    note = {
        "resourceType": "Observation",
        "id": "o1",
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2024-01-02",
        "valueString": "fine",
    }
    return [patient, note]


def fhir_destination() -> list[dict[str, Any]]:
    return [
        {"resourceType": "Patient", "id": "p1", "birthDate": "1970-11-20"},
        {
            "resourceType": "Observation",
            "id": "o1",
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": "2023-12-18",
            "valueString": "fine",
        },
    ]


def run(
    destination: MemorySide,
    config: DeidentifyConfig = BASIC,
    *,
    source: MemorySide | None = None,
    failed: int | None = 0,
    **scope: bool,
) -> ValidationReport:
    return validate(
        source or MemorySide({"ct": dicom_source()}, {"ehr": fhir_source()}),
        destination,
        config,
        names=("projects/p/locations/l/datasets/s", "projects/p/locations/l/datasets/d"),
        scope=Scope(Sampling(), failed, **scope),
    )


def clean() -> MemorySide:
    return MemorySide({"ct": [deidentified(i) for i in dicom_source()]}, {"ehr": fhir_destination()})


def failures(report: ValidationReport) -> set[str]:
    text = msgspec.json.encode(report.to_dict()).decode().casefold()
    assert not [canary for canary in CANARIES if canary in text], "the report holds a value"
    return {result.check for result in report.results if result.status is Status.FAILED}


def test_a_clean_pair_raises_nothing() -> None:
    report = run(clean())
    assert failures(report) == set()
    assert report.to_dict()["passed"] is True
    assert {result.check for result in report.results} | {"dicom_identifiers_name_parts"} == CHECKS
    checked = {result.check for result in report.results if result.status is Status.PASSED}
    assert checked >= {
        "counts",
        "source_uids",
        "uid_hierarchy",
        "dicom_identifiers",
        "tag_filter",
        "pixels",
        "fhir_identifiers",
    }
    assert report.sampled == {
        "studies": 2,
        "studies_looked_into": 2,
        "instances_unmatched": 0,
        "patients": 1,
        "patients_looked_into": 1,
    }


def nested_name(side: MemorySide) -> None:
    side.dicom["ct"][1].ReferencedImageSequence[0].add_new("SeriesDescription", "LO", "for ARABELLA WHITCOMBE only")


def kept_uid(side: MemorySide) -> None:
    side.dicom["ct"][0].SOPInstanceUID = "1.2.3.4.1"


def uid_in_reference(side: MemorySide) -> None:
    side.dicom["ct"][0].ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.4.1"


def lost_study(side: MemorySide) -> None:
    side.dicom["ct"].pop()


def private_element(side: MemorySide) -> None:
    side.dicom["ct"][0].add_new(0x00091001, "LO", "x")


def listed_element(side: MemorySide) -> None:
    side.dicom["ct"][0].PatientAddress = "somewhere"


def birth_date_in_text(side: MemorySide) -> None:
    side.dicom["ct"][0].add_new("ProtocolName", "LO", "born 5 Dec 1970")


def accession_in_text(side: MemorySide) -> None:
    side.dicom["ct"][0].add_new("ProtocolName", "LO", "see (acc-555123).")


def changed_pixel(side: MemorySide) -> None:
    side.dicom["ct"][2].PixelData = bytes([9, 9, 9, 9])


def split_series(side: MemorySide) -> None:
    side.dicom["ct"][0].StudyInstanceUID = "2.25.1"


def other_series(side: MemorySide) -> None:
    side.dicom["ct"][0].StudyInstanceUID = side.dicom["ct"][3].StudyInstanceUID
    side.dicom["ct"][0].SeriesInstanceUID = side.dicom["ct"][3].SeriesInstanceUID


def store_too_many(side: MemorySide) -> None:
    side.dicom["forgotten"] = dicom_source()


def kept_date(side: MemorySide) -> None:
    side.dicom["ct"][0].StudyDate = "20240102"


def lost_for_another(side: MemorySide) -> None:
    side.dicom["ct"].pop()
    side.fhir["ehr"].append({"resourceType": "Observation", "id": "new"})


def twin(side: MemorySide) -> None:
    side.dicom["ct"][0].SOPInstanceUID = side.dicom["ct"][1].SOPInstanceUID


def fhir_name_in_narrative(side: MemorySide) -> None:
    side.fhir["ehr"][1]["text"] = {"div": "<div>seen: <b>Whitcombe</b>, Arabella</div>"}


def fhir_phone(side: MemorySide) -> None:
    side.fhir["ehr"][1]["valueString"] = "call +1 555 867 5309"


def fhir_address(side: MemorySide) -> None:
    side.fhir["ehr"][0]["address"] = [{"text": "12 Hillcrest  Lane, Anytown"}]


def lost_resource(side: MemorySide) -> None:
    side.fhir["ehr"].pop()


@pytest.mark.parametrize(
    ("defect", "check"),
    [
        (nested_name, "dicom_identifiers"),
        (kept_uid, "source_uids"),
        (uid_in_reference, "source_uids_in_references"),
        (lost_study, "counts"),
        (private_element, "tag_filter"),
        (listed_element, "tag_filter"),
        (birth_date_in_text, "dicom_identifiers"),
        (accession_in_text, "dicom_identifiers"),
        (changed_pixel, "pixels"),
        (split_series, "uid_hierarchy"),
        (twin, "uid_hierarchy"),
        (other_series, "uid_hierarchy"),
        (store_too_many, "counts"),
        (kept_date, "tag_filter"),
        (lost_for_another, "counts"),
        (fhir_name_in_narrative, "fhir_identifiers"),
        (fhir_phone, "fhir_identifiers"),
        (fhir_address, "fhir_identifiers"),
        (lost_resource, "counts"),
    ],
)
def test_a_seeded_defect_is_caught(defect: Callable[[MemorySide], None], check: str) -> None:
    destination = clean()
    defect(destination)
    report = run(destination)
    assert check in failures(report)
    assert check in {result.check for result in report.errors}


def test_a_kept_uid_is_not_carried_on() -> None:
    destination = clean()
    instance_ = destination.dicom["ct"][0]
    instance_.StudyInstanceUID, instance_.SeriesInstanceUID, instance_.SOPInstanceUID = "1.2.3", "1.2.3.4", "1.2.3.4.1"
    instance_.PatientName = "Whitcombe^Arabella"
    report = run(destination)
    assert failures(report) >= {"source_uids", "dicom_identifiers"}
    named = {finding.resource for result in report.results for finding in result.findings}
    assert "dicomStores/ct" in named
    assert not [name for name in named if "1.2.3" in name.split("/")]


def test_a_kept_study_uid_is_seen_outside_of_the_sample() -> None:
    studies = [instance(f"1.2.{number}", f"1.2.{number}.1", 1, f"Patient{number}^Name") for number in range(40)]
    destination = MemorySide({"ct": [deidentified(ds) for ds in studies]})
    source = MemorySide({"ct": studies})
    drawn = Sampling().draw(source.studies("ct"))
    kept = next(number for number, ds in enumerate(studies) if ds.StudyInstanceUID not in drawn)
    destination.dicom["ct"][kept].StudyInstanceUID = studies[kept].StudyInstanceUID
    assert failures(run(destination, source=source)) == {"source_uids"}


def test_severities_are_a_matter_of_choice() -> None:
    destination = clean()
    lost_study(destination)
    report = run(destination).with_severities({"counts": Severity.WARNING})
    assert not report.errors
    assert {result.check for result in report.warnings} == {"counts"}
    with pytest.raises(InvalidRequestError, match="is no check"):
        report.with_severities({"count": Severity.ERROR})


def test_a_lone_part_of_a_name_is_a_warning() -> None:
    destination = clean()
    destination.dicom["ct"][0].ProtocolName = "Whitcombe protocol"
    report = run(destination)
    assert not report.errors
    assert [result.check for result in report.warnings] == ["dicom_identifiers_name_parts"]


def test_what_was_kept_on_purpose_raises_nothing() -> None:
    kept = load_config({"dicom": {"filterProfile": "KEEP_ALL_PROFILE", "skipIdRedaction": True}})
    report = run(MemorySide({"ct": dicom_source()}), kept)
    assert failures(report) == set()
    notes = {result.check for result in report.results if result.status is Status.NOT_CHECKED}
    assert {"source_uids", "dicom_identifiers", "tag_filter"} <= notes


def test_a_keep_list_holds() -> None:
    config = load_config({"dicom": {"keepList": {"tags": ["PatientID", "Modality", "InstanceNumber"]}}})
    left = [deidentified(i) for i in dicom_source()]
    for ds, before in zip(left, dicom_source(), strict=True):
        ds.PatientID = before.PatientID
        del ds.ReferencedImageSequence
    assert failures(run(MemorySide({"ct": left}), config)) == set()
    left[0].StudyDate = "20240102"
    assert failures(run(MemorySide({"ct": left}), config)) == {"tag_filter"}


def test_instances_are_matched_by_structure_where_uids_tell_nothing() -> None:
    destination = clean()
    for number, ds in enumerate(destination.dicom["ct"]):
        ds.SOPInstanceUID = f"9.9.{number}"
    report = run(destination)
    assert report.sampled["instances_unmatched"] == 0
    changed_pixel(destination)
    assert "pixels" in failures(run(destination))


def test_instances_of_samples_are_not_matched_by_structure() -> None:
    """Each sample may have one instance that is unlike all others in it, and these need not belong together."""
    source, destination = MemorySide({"ct": []}), MemorySide({"ct": []})
    for number in range(60):
        before = instance(f"1.2.{number}", f"1.2.{number}.1", number % 40)
        before.PixelData = bytes([number] * 4)
        before["PixelData"].VR = "OB"
        after = deidentified(before)
        after.StudyInstanceUID, after.SeriesInstanceUID, after.SOPInstanceUID = (f"9.{n}.{number}" for n in range(3))
        after.ReferencedImageSequence[0].ReferencedSOPInstanceUID = after.SOPInstanceUID
        source.dicom["ct"].append(before)
        destination.dicom["ct"].append(after)
    report = run(destination, source=source)
    assert failures(report) == set()
    assert report.sampled["instances_unmatched"] == report.sampled["studies_looked_into"] == 25
    assert "pixels" in {result.check for result in report.results if result.status is Status.NOT_CHECKED}


def test_a_family_of_tags_is_removed_as_a_whole() -> None:
    config = load_config({"dicom": {"removeList": {"tags": ["OverlayData"]}}})
    destination = MemorySide({"ct": clean().dicom["ct"]})
    destination.dicom["ct"][0].add_new(0x60023000, "OW", bytes(2))
    assert failures(run(destination, config)) == {"tag_filter"}


SHIFT = load_config(
    {
        "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
        "text": {"additionalTransformations": [{"infoTypes": ["DATE"], "dateShiftConfig": {}}]},
    }
)


def shifted() -> MemorySide:
    side = clean()
    for ds in side.dicom["ct"]:
        ds.StudyDate, ds.SeriesDate, ds.PatientBirthDate = "20231223", "20231224", "19701125"
    return MemorySide({"ct": side.dicom["ct"]})


def test_dates_move_by_one_shift_per_patient() -> None:
    assert "dicom_dates" not in failures(run(shifted(), SHIFT))
    unmoved = shifted()
    unmoved.dicom["ct"][0].SeriesDate = "20240103"
    assert "dicom_dates" in failures(run(unmoved, SHIFT))
    in_a_time = shifted()
    in_a_time.dicom["ct"][0].AcquisitionDateTime = "20240102101500"
    source = MemorySide({"ct": dicom_source()})
    source.dicom["ct"][0].AcquisitionDateTime = "20240102101500"
    assert "dicom_dates" in failures(run(in_a_time, SHIFT, source=source))
    uneven = shifted()
    uneven.dicom["ct"][0].SeriesDate = "20231225"
    assert "dicom_dates" in failures(run(uneven, SHIFT))


def test_a_sample_can_be_drawn_again_and_must_hold_something() -> None:
    names = [str(n) for n in range(100)]
    assert Sampling(5, seed=3).draw(names) == Sampling(5, seed=3).draw(reversed(names))
    assert Sampling(None).draw(names) == sorted(names)
    with pytest.raises(InvalidRequestError, match="sample_size"):
        Sampling(0)
