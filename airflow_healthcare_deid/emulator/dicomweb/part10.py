"""Reading DICOM files (PS3.10) that anybody may have sent. Runs in worker processes only."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from pydicom import config as pydicom_config
from pydicom import dcmread
from pydicom.filereader import read_dataset, read_partial, read_preamble
from pydicom.uid import DeflatedExplicitVRLittleEndian

from airflow_healthcare_deid.emulator.dicomweb.attributes import SEARCH_KEYS, SUMMARY_TAGS
from airflow_healthcare_deid.emulator.dicomweb.json_model import to_json
from airflow_healthcare_deid.emulator.instances import InstanceRecord, words_of_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset, FileDataset

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
# Columns of the index that searches look at, with the tag each is filled from.
_COLUMNS = {column: int(tag, 16) for keys in SEARCH_KEYS.values() for tag, column in keys.values()}
_IDENTITY = {"StudyInstanceUID": "study", "SeriesInstanceUID": "series", "SOPInstanceUID": "sop"}
_MAX_INFLATED = 512 * 1024**2
_CHUNK = 1024**2

pydicom_config.settings.reading_validation_mode = pydicom_config.IGNORE


class NotStorableError(Exception):
    """A file can't be taken in; the text says why without any of its values."""


def read(path: Path, *, pixels: bool = False) -> FileDataset:
    """Read a file, by default without its pixel data.

    :raises NotStorableError: if it is no DICOM file, or would inflate beyond all bounds.
    """
    with path.open("rb") as file:
        _check(file)
    try:
        return dcmread(path, stop_before_pixels=not pixels)
    except Exception:  # noqa: BLE001  (pydicom raises anything on broken files, with their values in the text)
        raise NotStorableError("The data set can't be parsed.") from None


def read_record(path: Path) -> InstanceRecord:
    """Read what the index keeps of a file.

    :raises NotStorableError: if it is no DICOM file or lacks what identifies an instance.
    """
    size = path.stat().st_size
    header_size = size

    def at_pixels(tag: int, _: str | None, __: int) -> bool:
        nonlocal header_size
        if tag in _PIXEL_DATA:
            header_size = min(size, file.tell())
            return True
        return False

    with path.open("rb") as file:
        _check(file)
        try:
            dataset = read_partial(file, stop_when=at_pixels, specific_tags=[int(tag, 16) for tag in SUMMARY_TAGS])
            transfer_syntax = str(dataset.file_meta.TransferSyntaxUID)
            summary = to_json(dataset, "", SUMMARY_TAGS)
        except Exception:  # noqa: BLE001
            raise NotStorableError("The data set can't be parsed.") from None
    return record_of(
        lambda tag: text_of(dataset, tag),
        transfer_syntax=transfer_syntax,
        size=size,
        header_size=header_size,
        summary=msgspec.json.encode(summary).decode(),
    )


def record_of(
    text: Callable[[int], str], *, transfer_syntax: str, size: int, header_size: int, summary: str
) -> InstanceRecord:
    """Return what the index keeps of an instance.

    :param text: returns the value of an element as text; empty if it is not there.
    :raises NotStorableError: if it lacks what identifies an instance.
    """
    values = {column: text(tag) for column, tag in _COLUMNS.items()}
    for keyword, column in _IDENTITY.items():
        if len(values[column]) > 64 or not _UID.fullmatch(values[column]):
            raise NotStorableError(f"{keyword} is missing or no valid UID.")
    return InstanceRecord(
        **values,
        transfer_syntax=transfer_syntax,
        size=size,
        header_size=header_size,
        patient_words=words_of_name(values["patient_name"]),
        summary=summary,
    )


def _check(file: BinaryIO) -> None:
    """Refuse what is no DICOM file, and deflated data that would fill the memory; leaves the file at its start."""
    try:
        read_preamble(file, force=False)
        meta = read_dataset(file, False, True, stop_when=lambda tag, _, __: tag >> 16 != 2)
        deflated = meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    except Exception:  # noqa: BLE001
        raise NotStorableError("This is no DICOM file with meta information (PS3.10).") from None
    if deflated and not _inflates_within_bounds(file):
        raise NotStorableError("The deflated data set is broken or inflates beyond all bounds.")
    file.seek(0)


def _inflates_within_bounds(file: BinaryIO) -> bool:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    try:
        while not inflater.eof and (chunk := inflater.unconsumed_tail or file.read(_CHUNK)):
            size += len(inflater.decompress(chunk, _CHUNK))
            if size > _MAX_INFLATED:
                return False
    except zlib.error:
        return False
    return True


def text_of(dataset: Dataset, tag: int) -> str:
    """Return the value of an element as text, without padding; empty if it is not there or broken."""
    try:
        element = dataset.get(tag)
    except Exception:  # noqa: BLE001  (a broken value is no value)
        return ""
    value = None if element is None else element.value
    return "" if value is None else str(value).strip().rstrip("\0")
