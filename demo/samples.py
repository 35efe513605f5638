"""The public sample files that pydicom ships, made ready to be stored."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import generate_uid

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True)
class Sample:
    """One instance: the file that it came from, and its bytes in the DICOM file format."""

    name: str
    data: bytes


def samples() -> list[Sample]:
    """Every usable file, in the order of their names.

    A file is usable when it is in the DICOM file format, is whole, and names its study, its series and itself. Some
    files hold one instance in several transfer syntaxes; a store takes each instance once, so that all but the first
    of them get a SOP Instance UID of their own.
    """
    folder = Path(pydicom.__file__).parent / "data"
    seen: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The files are there to test a parser: many break a rule on purpose.
        read = [_read(path, seen) for path in sorted(folder.rglob("*")) if path.is_file()]
    return [sample for sample in read if sample]


def _read(path: Path, seen: set[str]) -> Sample | None:
    if "truncated" in path.name:
        return None
    try:
        dataset = pydicom.dcmread(path)
    except (InvalidDicomError, OSError):
        return None
    if not all(dataset.get(keyword) for keyword in UIDS):
        return None
    if dataset.SOPInstanceUID not in seen:
        seen.add(dataset.SOPInstanceUID)
        return Sample(path.name, path.read_bytes())
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return Sample(path.name, buffer.getvalue())
