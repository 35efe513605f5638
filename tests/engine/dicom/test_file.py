"""The file around the data set: preamble, file meta information, deflation."""

from __future__ import annotations

import pickle
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_healthcare_deid.config import DicomConfig
from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.rules import load_rules
from tests.engine.dicom.files import (
    BASIC,
    CONTENTS,
    body_of,
    deidentifier,
    element,
    keep_list,
    part10,
    read,
    remove_list,
    usable_files,
)

DEFLATED = "1.2.840.10008.1.2.1.99"
NUMBER = element(0x00200011, "IS", b"7 ")
TITLES = element(0x00020016, "AE", b"WARD7 ") + element(0x00020102, "OB", b"secret")


def test_sender_is_scrubbed_from_the_file_meta_information_in_the_basic_profile() -> None:
    out = read(deidentifier(BASIC).deidentify(part10(NUMBER, meta=TITLES)).data)
    assert "SourceApplicationEntityTitle" not in out.file_meta
    assert "PrivateInformation" not in out.file_meta


def test_file_meta_information_follows_the_lists() -> None:
    data = part10(NUMBER, meta=TITLES)
    assert read(deidentifier().deidentify(data).data).file_meta.SourceApplicationEntityTitle == "WARD7"
    listed = deidentifier(keep_list("SourceApplicationEntityTitle")).deidentify(data).data
    assert read(listed).file_meta.SourceApplicationEntityTitle == "WARD7"
    assert "PrivateInformation" not in read(listed).file_meta
    gone = deidentifier(remove_list("SourceApplicationEntityTitle")).deidentify(data).data
    assert "SourceApplicationEntityTitle" not in read(gone).file_meta
    assert read(gone).file_meta.PrivateInformation == b"secret"


@pytest.mark.parametrize("config", [DicomConfig(), BASIC, CONTENTS, keep_list()])
def test_file_meta_information_is_right(config: DicomConfig) -> None:
    for path, data in usable_files().items():
        result = deidentifier(config).deidentify(data).data
        out, rules = read(result), load_rules("dicom")["file_meta"]
        assert out.file_meta.TransferSyntaxUID == read(data).file_meta.TransferSyntaxUID, path
        assert str(out.file_meta.ImplementationClassUID) == rules["implementation_class_uid"]
        assert out.file_meta.ImplementationVersionName == rules["implementation_version_name"]
        (length,) = struct.unpack_from("<L", result, 140)
        assert result[144 + length : 146 + length] != b"\x02\x00", path


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        (DicomConfig(), True),
        (remove_list("PatientName"), True),
        (BASIC, False),
        (CONTENTS, False),
        (keep_list(), False),
    ],
)
def test_preamble_is_zeroed_where_what_is_not_named_goes(config: DicomConfig, kept: bool) -> None:
    preamble = b"Doe^Jane".ljust(128, b"\0")
    out = deidentifier(config).deidentify(part10(NUMBER, preamble=preamble)).data
    assert out[:132] == (preamble if kept else bytes(128)) + b"DICM"


def deflated(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


def test_deflated_data_sets_are_inflated_and_deflated() -> None:
    name = element(0x00100010, "PN", b"Doe^Jane")
    out = deidentifier(remove_list("PatientName")).deidentify(part10(deflated(name + NUMBER), DEFLATED)).data
    assert len(body_of(out)) % 2 == 0
    assert zlib.decompressobj(wbits=-15).decompress(body_of(out)) == NUMBER


def test_a_deflated_bomb_is_refused_without_inflating_it() -> None:
    limits = load_rules("dicom")["limits"]
    zeros = element(0x7FE00010, "OW", bytes(limits["inflated_bytes"] + 2))
    bomb = deflated(zeros)
    assert len(bomb) * limits["inflated_ratio"] < limits["inflated_bytes"]
    with pytest.raises(UndecodableError, match="inflates to more than"):
        deidentifier(BASIC).deidentify(part10(bomb, DEFLATED))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a DICOM file"),
        (bytes(300), "not a DICOM file"),
        (bytes(128) + b"DICM", "TransferSyntaxUID"),
        (bytes(128) + b"DICM" + element(0x00020010, "UI", b"1.2", length=200), "longer than the file"),
        (bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI", "ends inside"),
        (bytes(128) + b"DICM" + element(0x00020010, "", b"1.2.840.10008.1.2\0", implicit=True), "explicit VR"),
        (part10(b"\xff\xff", DEFLATED), "not deflated"),
        (part10(deflated(NUMBER)[:-3], DEFLATED), "cut off"),
    ],
)
def test_what_is_no_dicom_file_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(UndecodableError, match=problem):
        deidentifier(BASIC).deidentify(data)


def test_pickled_and_used_from_threads_it_does_the_same() -> None:
    files = list(usable_files().values())
    deid = deidentifier(BASIC)
    copy = pickle.loads(pickle.dumps(deid))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(deid.deidentify, files)) == [copy.deidentify(data) for data in files]
