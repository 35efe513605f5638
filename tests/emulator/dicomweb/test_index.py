"""What the index keeps of an instance: the short way, for what the engine wrote, finds what pydicom finds."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.emulator.dicomweb.part10 import NotStorableError, read_record
from airflow_healthcare_deid.emulator.dicomweb.written import written_record
from tests.emulator.dicom_files import instance
from tests.engine.dicom.files import BASIC, deidentifier, element, keep_list, part10, sequence, usable_files
from tests.engine.dicom.files import item as sequence_item

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_healthcare_deid.config import DicomConfig
    from airflow_healthcare_deid.emulator.instances import InstanceRecord

_UIDS = [(0x00080018, "UI", b"1.2\0"), (0x0020000D, "UI", b"1.3\0"), (0x0020000E, "UI", b"1.4 ")]


def _both(tmp_path: Path, data: bytes) -> tuple[InstanceRecord | str, InstanceRecord | str]:
    file = tmp_path / "file"
    file.write_bytes(data)
    found: list[InstanceRecord | str] = []
    for read in (lambda: written_record(data), lambda: read_record(file)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(read())
        except NotStorableError as error:
            found.append(str(error))
    return found[0], found[1]


@pytest.mark.parametrize("config", [BASIC, keep_list("PatientID", "RequestAttributesSequence"), None])
@pytest.mark.parametrize("name", usable_files())
def test_what_the_engine_wrote_is_indexed_as_pydicom_reads_it(
    tmp_path: Path, name: str, config: DicomConfig | None
) -> None:
    short, plain = _both(tmp_path, deidentifier(config).deidentify(usable_files()[name]).data)
    assert short == plain


@pytest.mark.parametrize(
    "elements",
    [
        [(0x00080005, "CS", b"ISO_IR 144"), (0x00100010, "PN", b"\xbb\xee\xdace\xdc^\xd1y\xdf\xd3")],
        [(0x00080005, "CS", b"ISO_IR 100"), (0x00100010, "PN", b"Buc^J\xe9r\xf4me")],
        [(0x00080005, "CS", b"ISO_IR 192"), (0x00100020, "LO", b'"\\\xc3\xa4\\ \\')],
        [(0x00080020, "DA", b""), (0x00080060, "CS", b"CT\\MR"), (0x00100020, "LO", b"\0\0")],
        [(0x00080020, "DA", b"no date."), (0x00200010, "SH", b" a"), (0x00200013, "IS", b"12 ")],
        [(0x00080016, "UI", b"1.2.3\\1.2"), (0x00280010, "US", b"\x08\0\x09\0")],
    ],
)
def test_values_are_read_as_pydicom_reads_them(tmp_path: Path, elements: list[tuple[int, str, bytes]]) -> None:
    short, plain = _both(tmp_path, part10(b"".join(element(*each) for each in sorted([*_UIDS, *elements]))))
    assert short == plain
    assert not isinstance(short, str)


@pytest.mark.parametrize("undefined", [False, True])
def test_a_sequence_is_indexed(tmp_path: Path, undefined: bool) -> None:
    inner = element(0x00400007, "LO", b"Knee") + sequence(0x00400008, sequence_item(element(0x00080100, "SH", b"K1")))
    requests = sequence(0x00400275, sequence_item(inner, undefined=undefined), undefined=undefined)
    short, plain = _both(tmp_path, part10(b"".join(element(*each) for each in _UIDS) + requests))
    assert short == plain
    assert not isinstance(short, str)
    (request,) = short.attributes["00400275"]["Value"]
    assert request["00400008"]["Value"][0]["00080100"]["Value"] == ["K1"]


def test_an_instance_without_its_uids_is_refused(tmp_path: Path) -> None:
    short, plain = _both(tmp_path, instance(SeriesInstanceUID=None))
    assert short == plain == "SeriesInstanceUID is missing or no valid UID."
