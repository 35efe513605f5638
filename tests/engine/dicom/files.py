"""DICOM files to test with: those that pydicom ships, and files written byte by byte."""

from __future__ import annotations

import struct
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from airflow_healthcare_deid.config import DeidentifyConfig, DicomConfig, TagFilterList, TagFilterProfile, TextConfig
from airflow_healthcare_deid.engine.dicom import DicomDeidentifier
from airflow_healthcare_deid.engine.keys import KeyRing

KEY = b"0123456789abcdef"
BASIC = DicomConfig(filter_profile=TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE)
CONTENTS = DicomConfig(filter_profile=TagFilterProfile.DEIDENTIFY_TAG_CONTENTS)
UNDEFINED = 0xFFFFFFFF

MALFORMED = {
    "MR_truncated.dcm": "the pixels are cut off",
    "rtplan_truncated.dcm": "a sequence is cut off",
    "DICOMDIR-nooffset": "an item is longer than its sequence",
    "meta_missing_tsyntax.dcm": "the transfer syntax is missing",
}
"""Files that pydicom reads by guessing, or as far as they go, and why nobody can de-identify them safely."""

_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
_LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}


@cache
def readable_files() -> dict[str, bytes]:
    """Return all files of pydicom's that it reads without being forced to, by path."""
    found: dict[str, bytes] = {}
    for path in sorted(path for path in _FILES.rglob("*") if path.is_file()):
        try:
            read(path.read_bytes())
        except InvalidDicomError:
            continue
        found[str(path.relative_to(_FILES))] = path.read_bytes()
    return found


def usable_files() -> dict[str, bytes]:
    """Return the readable files that are well-formed to their end."""
    return {name: data for name, data in readable_files().items() if Path(name).name not in MALFORMED}


def read(data: bytes) -> Dataset:
    """Read a file with pydicom, which warns of much that is in its own files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(BytesIO(data))


def deidentifier(
    dicom: DicomConfig | None = None, text: TextConfig | None = None, keys: KeyRing | None = None
) -> DicomDeidentifier:
    """Return the de-identifier of a configuration, with a fixed key."""
    return DicomDeidentifier(DeidentifyConfig(dicom=dicom, text=text), keys or KeyRing(KEY))


def keep_list(*tags: str, **more: Any) -> DicomConfig:
    return DicomConfig(keep_list=TagFilterList(tags=list(tags)), **more)


def remove_list(*tags: str, **more: Any) -> DicomConfig:
    return DicomConfig(remove_list=TagFilterList(tags=list(tags)), **more)


def element(
    tag: int, vr: str, value: bytes, *, implicit: bool = False, order: str = "<", length: int | None = None
) -> bytes:
    """Return an element; `length` claims another length than the value has."""
    size = len(value) if length is None else length
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack(f"{order}L", size) + value
    if vr in _LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(f"{order}L", size) + value
    return head + vr.encode() + struct.pack(f"{order}H", size) + value


def item(content: bytes, *, undefined: bool = False, order: str = "<") -> bytes:
    """Return an item, closed by its length or by a delimiter."""
    if undefined:
        return struct.pack(f"{order}HHL", 0xFFFE, 0xE000, UNDEFINED) + content + delimiter(0xE00D, order)
    return struct.pack(f"{order}HHL", 0xFFFE, 0xE000, len(content)) + content


def delimiter(element_number: int, order: str = "<") -> bytes:
    """Return an item delimiter (E00D) or a sequence delimiter (E0DD)."""
    return struct.pack(f"{order}HHL", 0xFFFE, element_number, 0)


def sequence(tag: int, *items: bytes, undefined: bool = False, implicit: bool = False, order: str = "<") -> bytes:
    """Return a sequence of items, closed by its length or by a delimiter."""
    value = b"".join(items)
    if not undefined:
        return element(tag, "SQ", value, implicit=implicit, order=order)
    return element(tag, "SQ", value + delimiter(0xE0DD, order), implicit=implicit, order=order, length=UNDEFINED)


def part10(body: bytes, syntax: str = "1.2.840.10008.1.2.1", meta: bytes = b"", preamble: bytes = bytes(128)) -> bytes:
    """Return a file around a data set."""
    uid = syntax.encode() + b"\0" * (len(syntax) & 1)
    elements = element(0x00020003, "UI", b"1.2.5\0") + element(0x00020010, "UI", uid) + meta
    return preamble + b"DICM" + element(0x00020000, "UL", struct.pack("<L", len(elements))) + elements + body


def body_of(data: bytes) -> bytes:
    """Return the data set of a file as its bytes."""
    (length,) = struct.unpack_from("<L", data, 140)
    return data[144 + length :]
