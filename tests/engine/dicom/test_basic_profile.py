"""ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE: nothing that the profile names is left, and nothing else is touched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from pydicom.config import RAISE
from pydicom.uid import UID_dictionary  # type: ignore[attr-defined]
from pydicom.valuerep import validate_value

from airflow_healthcare_deid.engine.dicom.policies import basic_profile_codes
from airflow_healthcare_deid.engine.errors import MissingPartError
from airflow_healthcare_deid.engine.rules import load_rules
from tests.engine.dicom.files import BASIC, deidentifier, read, usable_files
from tests.engine.dicom.spike import CANARIES, spike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("undefined", [False, True])
def test_no_canary_survives(implicit: bool, undefined: bool) -> None:
    data = spike(implicit=implicit, undefined=undefined)
    out = deidentifier(BASIC).deidentify(data).data
    assert data.count(b"CANARY") > 2000
    assert {canary: out.count(canary) for canary in CANARIES if canary in out} == {}


@pytest.mark.parametrize("implicit", [False, True])
def test_each_code_does_what_it_stands_for(implicit: bool) -> None:
    out = read(deidentifier(BASIC).deidentify(spike(implicit=implicit)).data)
    actions = load_rules("dicom_basic_profile")["codes"]
    for item in (out, out.SharedFunctionalGroupsSequence[0]):
        for tag, code in basic_profile_codes().items():
            if tag >> 16 in (0, 2):
                continue
            action = actions[code]
            assert (tag in item) == (action != "remove"), hex(tag)
            if action != "remove" and item[tag].VR not in ("SQ", "FD"):
                assert item[tag].is_empty == (action == "empty"), hex(tag)


def test_what_the_profile_does_not_name_is_byte_identical() -> None:
    source = spike()
    out = deidentifier(BASIC).deidentify(source).data
    before, after = read(source), read(out)
    for keyword in ("Modality", "Manufacturer", "SeriesNumber", "ImageType", "Rows", "PixelData", "BitsAllocated"):
        assert after.get_item(keyword).value == before.get_item(keyword).value
    assert all(source[source.index(head) :][:20] in out for head in (b"\x08\0\x60\0CS", b"\xe0\x7f\x10\0OW"))


def test_pixel_data_of_every_file_is_byte_identical() -> None:
    for path, data in usable_files().items():
        before, after = read(data), read(deidentifier(BASIC).deidentify(data).data)
        assert after.get("PixelData") == before.get("PixelData"), path


def elements_of(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield VR and text of every value, at every depth; but for the UIDs of public coding schemes."""
    for element in dataset.iterall():
        if element.VR != "SQ" and element.value is not None and element.keyword != "CodingSchemeUID":
            for value in element.value if isinstance(element.value, (list, tuple)) else [element.value]:
                yield element.VR, str(value)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_no_identifier_of_any_file_is_left_in_it() -> None:
    identifying = {"PN", "DA", "DT", "UI"}
    dummies = set(load_rules("dicom_basic_profile")["dummies"].values())
    for path, data in usable_files().items():
        source = read(data)
        secrets = {text for vr, text in elements_of(source) if vr in identifying and len(text) > 3}
        secrets |= {str(source.get(keyword, "")) for keyword in ("PatientID", "AccessionNumber", "InstitutionName")}
        secrets -= {"", *UID_dictionary, *dummies}
        out = read(deidentifier(BASIC).deidentify(data).data)
        left = {(vr, text) for vr, text in elements_of(out) if vr in identifying and text in secrets}
        assert left == set(), path
        kept_text = [text for vr, text in elements_of(out) if vr in ("LO", "SH", "LT", "ST", "UT", "PN", "AE")]
        names = {text for vr, text in elements_of(source) if vr == "PN" and len(text) > 3 and text not in dummies}
        assert [text for text in kept_text for name in names if name in text] == [], path


def test_dummies_are_valid_values_of_their_vr() -> None:
    for vr, value in load_rules("dicom_basic_profile")["dummies"].items():
        if vr != "source":
            validate_value(vr, value, RAISE)


def test_structure_of_a_replaced_content_sequence_stays() -> None:
    data = usable_files()["test-SR.dcm"]
    before, after = read(data), read(deidentifier(BASIC).deidentify(data).data)
    assert len(after.ContentSequence) == len(before.ContentSequence) > 0
    for old, new in zip(before.ContentSequence, after.ContentSequence, strict=True):
        assert new.ValueType == old.ValueType
        assert new.get("ConceptNameCodeSequence") == old.get("ConceptNameCodeSequence")
        if old.ValueType == "TEXT":
            assert new.TextValue == "DEIDENTIFIED"


def test_without_the_package_that_carries_the_table_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    basic_profile_codes.cache_clear()
    monkeypatch.setitem(sys.modules, "dicomanonymizer.dicom_anonymization_databases", None)
    with pytest.raises(MissingPartError, match=r"airflow-healthcare-deid\[emulator\]"):
        deidentifier(BASIC)
