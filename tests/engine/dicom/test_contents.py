"""DEIDENTIFY_TAG_CONTENTS: text in elements, typed values, character sets, and results that a VR cannot hold."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from pydicom.config import RAISE
from pydicom.valuerep import validate_value

from airflow_healthcare_deid.config import (
    CharacterMaskConfig,
    CryptoHashConfig,
    DateShiftConfig,
    InfoTypeTransformation,
    RedactConfig,
    ReplaceWithInfoTypeConfig,
    TextConfig,
)
from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.rules import load_rules
from tests.engine.dicom.files import CONTENTS, KEY, deidentifier, element, item, part10, read, sequence, usable_files

if TYPE_CHECKING:
    from pydicom import Dataset

PATIENT_ID = element(0x00100020, "LO", b"MRN-4711")
NAME = element(0x00100010, "PN", b"M\xfcller^Jane")
LATIN = element(0x00080005, "CS", b"ISO_IR 100")
HEAD = LATIN + NAME + PATIENT_ID
TRANSFORMATIONS = {
    "redact": InfoTypeTransformation(redact_config=RedactConfig()),
    "replace": InfoTypeTransformation(replace_with_info_type_config=ReplaceWithInfoTypeConfig()),
    "mask": InfoTypeTransformation(character_mask_config=CharacterMaskConfig()),
    "hash": InfoTypeTransformation(crypto_hash_config=CryptoHashConfig()),
    "shift": InfoTypeTransformation(date_shift_config=DateShiftConfig()),
}


def contents(body: bytes, text: TextConfig | None = None, syntax: str = "1.2.840.10008.1.2.1") -> Dataset:
    """Return a data set after DEIDENTIFY_TAG_CONTENTS."""
    return read(deidentifier(CONTENTS, text).deidentify(part10(body, syntax)).data)


def config(name: str) -> TextConfig:
    return TextConfig(additional_transformations=[TRANSFORMATIONS[name]])


def test_names_are_replaced_and_the_patients_own_are_found_in_all_text() -> None:
    body = HEAD + element(0x00104000, "LT", b"Jane M\xfcller feels fine. MRN-4711.")
    body += sequence(0x00081140, item(element(0x0040A160, "UT", b"Seen: MULLER, JANE")))
    out = contents(body)
    assert out.PatientName == "[PERSON_NAME]"
    assert out.PatientID == "[MEDICAL_RECORD_NUMBER]"
    for text in (out.PatientComments, out.ReferencedImageSequence[0].TextValue):
        assert not any(part in text.casefold() for part in ("jane", "müller", "muller", "4711"))
    assert "feels fine" in out.PatientComments


@pytest.mark.parametrize("vr", ["AE", "CS", "IS", "TM", "UI", "UN", "UR"])
def test_other_vrs_are_not_inspected(vr: str) -> None:
    inspected = vr in load_rules("dicom_contents")["vrs"]["names"]
    out = read(deidentifier(CONTENTS).deidentify(part10(HEAD + element(0x00091001, vr, b"MRN-4711"))).data)
    assert (out.get_item(0x00091001).value == b"MRN-4711") == (not inspected)


def shift_of(patient: str) -> timedelta:
    return timedelta(days=KeyRing(KEY).date_shift_days(DateShiftConfig(), patient))


def test_dates_are_shifted_per_patient() -> None:
    body = element(0x00080020, "DA", b"20200229") + element(0x0008002A, "DT", b"20200229101500.5+0100") + PATIENT_ID
    out = contents(body)
    expected = (date(2020, 2, 29) + shift_of("MRN-4711")).strftime("%Y%m%d")
    assert out.StudyDate == expected != "20200229"
    assert out.AcquisitionDateTime == f"{expected}101500.5+0100"


def test_without_patient_id_the_study_fixes_the_shift() -> None:
    study = element(0x0020000D, "UI", b"1.2.3\0")
    expected = (date(2020, 2, 29) + shift_of("1.2.3")).strftime("%Y%m%d")
    for patient_id in (b"", element(0x00100020, "LO", b"")):
        assert contents(element(0x00080020, "DA", b"20200229") + patient_id + study).StudyDate == expected


def test_several_values_are_treated_one_by_one() -> None:
    body = PATIENT_ID + element(0x00181200, "DA", b"20200229\\20200301") + element(0x00101001, "PN", b"A^B\\C^D ")
    out = contents(body)
    moved = [(day + shift_of("MRN-4711")).strftime("%Y%m%d") for day in (date(2020, 2, 29), date(2020, 3, 1))]
    assert list(out.DateOfLastCalibration) == moved
    assert list(out.OtherPatientNames) == ["[PERSON_NAME]", "[PERSON_NAME]"]


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00080020, "DA", b"20200229"),
        (0x00080020, "DA", b"2020.02.29"),
        (0x0008002A, "DT", b"20200229101500.123456+0100"),
        (0x0008002A, "DT", b"2020"),
        (0x00101010, "AS", b"045Y"),
        (0x00100010, "PN", b"Doe^Jane^^Dr=\x1b"),
        (0x00080050, "SH", b"ACC-20200229-9"),
        (0x00081010, "SH", b"MRN-4711"),
        (0x00020016, "AE", b"MRN-4711"),
        (0x00081030, "LO", b"CT of Jane Doe, MRN-4711, on 02/29/2020, and once more Jane Doe "),
        (0x00104000, "LT", b"Jane Doe was here on 02/29/2020."),
    ],
)
def test_results_are_valid_values_of_their_vr(name: str, tag: int, vr: str, value: bytes) -> None:
    body = element(0x00100010, "PN", b"Doe^Jane") + PATIENT_ID + element(tag, vr, value)
    deid = deidentifier(CONTENTS, config(name))
    out = read(deid.deidentify(part10(body)).data)
    result = out.get_item(tag).value
    assert len(result or b"") % 2 == 0
    if b"\x1b" not in value and value != b"2020.02.29":
        validate_value(vr, (result or b"").decode("ascii").rstrip(" "), RAISE)
    assert b"4711" not in (result or b"")
    assert b"Jane" not in (result or b"")


def test_a_label_does_not_fit_a_date_so_the_date_is_redacted() -> None:
    out = contents(PATIENT_ID + element(0x00080020, "DA", b"20200229"), config("replace"))
    assert out.StudyDate == ""


def test_a_hash_does_not_fit_a_short_string_so_the_value_is_redacted() -> None:
    out = contents(PATIENT_ID + element(0x00081010, "SH", b"MRN-4711"), config("hash"))
    assert out.StationName == ""
    assert len(out.PatientID) == 44


def test_excluded_info_types_stay() -> None:
    out = contents(
        HEAD + element(0x00080020, "DA", b"20200229"), TextConfig(exclude_info_types=["PERSON_NAME", "DATE"])
    )
    assert out.PatientName == "Müller^Jane"
    assert out.StudyDate == "20200229"


def test_text_that_its_character_set_cannot_hold_is_redacted() -> None:
    out = contents(element(0x00080005, "CS", b"ISO_IR 192") + element(0x00104000, "LT", b"M\xfcller") + PATIENT_ID)
    assert out.PatientComments == ""


def test_character_set_of_an_item_holds_in_the_item_only() -> None:
    name = element(0x00100010, "PN", "Müller=山田^太郎".encode())
    kanji = element(0x00080005, "CS", b"ISO_IR 192") + element(0x0040A160, "UT", "太郎 is fine. ".encode())
    outer = element(0x00104000, "LT", b"Jane M\xfcller, gr\xfc\xdft")
    body = HEAD + sequence(0x00081140, item(kanji + name), item(outer)) + outer
    out = contents(body)
    assert out.ReferencedImageSequence[0].TextValue == "[PERSON_NAME] is fine."
    for dataset in (out, out.ReferencedImageSequence[1]):
        assert "grüßt" in dataset.PatientComments
        assert "Müller" not in dataset.PatientComments


def test_implicit_vr_is_inspected_by_the_dictionary() -> None:
    body = element(0x00100010, "PN", b"Doe^Jane", implicit=True)
    assert contents(body, syntax="1.2.840.10008.1.2").PatientName == "[PERSON_NAME]"


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("name", [*TRANSFORMATIONS, "default"])
def test_every_file_stays_readable_and_loses_its_names(name: str) -> None:
    deid = deidentifier(CONTENTS, None if name == "default" else config(name))
    files = usable_files()
    for path in list(files)[:: 1 if name == "default" else 5]:
        data = files[path]
        before, after = read(data), read(deid.deidentify(data).data)
        str(after)
        names = {str(e.value) for e in before.iterall() if e.VR == "PN" and e.value}
        assert not [e for e in after.iterall() if e.VR == "PN" and str(e.value) in names], path
        assert after.get("PixelData") == before.get("PixelData"), path
