"""The observer hears of every change, and hearing changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.config import DicomConfig
from tests.engine.dicom.files import (
    BASIC,
    CONTENTS,
    deidentifier,
    element,
    item,
    keep_list,
    part10,
    remove_list,
    sequence,
    usable_files,
)

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.changes import Change


def changes(config: DicomConfig, data: bytes) -> dict[str, Change]:
    heard: list[Change] = []
    deidentifier(config).deidentify(data, heard.append)
    by_path = {change.path: change for change in heard}
    assert len(by_path) == len(heard)
    return by_path


@pytest.mark.parametrize("config", [DicomConfig(), BASIC, CONTENTS, keep_list("PatientID"), remove_list("PatientName")])
def test_watching_changes_nothing(config: DicomConfig) -> None:
    deid = deidentifier(config)
    for path, data in usable_files().items():
        heard: list[Change] = []
        result = deid.deidentify(data, heard.append)
        assert result == deid.deidentify(data), path
        assert heard or not result.sop_instance_uid, path


def test_what_is_heard() -> None:
    nested = sequence(
        0x00081140,
        item(element(0x00081150, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")),
        item(element(0x00081155, "UI", b"1.2.3\0")),
    )
    body = (
        element(0x00080000, "UL", b"\0\0\0\0")
        + element(0x00080005, "CS", b"ISO_IR 100")
        + nested
        + element(0x00081030, "LO", b"B\xe4uchlein")
        + element(0x00091001, "OB", b"\1\2")
        + element(0x00100010, "PN", b"Doe^Jane")
        + element(0x00100020, "LO", b"")
        + element(0x00181030, "LO", b"Head\\Neck ")
    )
    heard = changes(BASIC, part10(body, meta=element(0x00020016, "AE", b"WARD7 ")))
    assert {path: (c.action, c.before, c.after) for path, c in heard.items()} == {
        "ReferencedImageSequence[1].ReferencedSOPInstanceUID": (
            "uid",
            "1.2.3",
            "2.25.235153174557024093797895412215599142974",
        ),
        "StudyDescription": ("remove", "Bäuchlein", None),
        "00091001": ("remove", None, None),
        "PatientName": ("empty", "Doe^Jane", ""),
        "ProtocolName": ("dummy", "Head\\Neck", "DEIDENTIFIED"),
        "MediaStorageSOPInstanceUID": ("uid", "1.2.5", "2.25.291421206658433162738860295383136573243"),
        "SourceApplicationEntityTitle": ("remove", "WARD7", None),
    }
    assert heard["StudyDescription"].rule == "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE X"
    assert heard["ProtocolName"].rule == "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE X/D"
    assert heard["MediaStorageSOPInstanceUID"].rule == "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE U"


def test_regenerated_uids_are_named_by_the_field_that_would_keep_them() -> None:
    assert changes(DicomConfig(), part10(b""))["MediaStorageSOPInstanceUID"].rule == "skipIdRedaction"


def test_what_was_recognized_is_named() -> None:
    body = element(0x00100010, "PN", b"Doe^Jane") + element(0x00104000, "LT", b"Mrs Doe is well.")
    heard = changes(CONTENTS, part10(body))
    assert heard["PatientName"].info_type == heard["PatientComments"].info_type == "PERSON_NAME"
    assert heard["PatientComments"].rule == "DEIDENTIFY_TAG_CONTENTS"


def test_private_bytes_that_only_look_like_items_are_not_reported() -> None:
    looks_like = element(0x00091001, "UN", item(element(0x00100010, "PN", b"Doe^Jane", implicit=True) + b"no more"))
    assert set(changes(remove_list("PatientName"), part10(looks_like))) == {"MediaStorageSOPInstanceUID"}


def test_representation_of_a_change_hides_the_values() -> None:
    change = changes(BASIC, part10(element(0x00100010, "PN", b"Doe^Jane")))["PatientName"]
    assert "Jane" not in repr(change)
