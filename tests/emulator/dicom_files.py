"""DICOM files made for tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, generate_uid

PIXELS = np.arange(64, dtype="<u2").reshape(8, 8)


def instance(*, syntax: str = ExplicitVRLittleEndian, frames: int = 0, **attributes: Any) -> bytes:
    """Return a small CT image.

    :param syntax: its transfer syntax: a native one, or RLE.
    :param frames: number of frames; 0 makes no multi-frame image and no NumberOfFrames.
    :param attributes: more elements, by keyword; None leaves one of the usual ones out.
    """
    dataset = Dataset()
    values: dict[str, Any] = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "PatientName": "Doe^Jane",
        "PatientID": "MRN-1",
        "PatientBirthDate": "19700102",
        "StudyDate": "20200304",
        "AccessionNumber": "ACC1",
        "Modality": "CT",
        "Rows": 8,
        "Columns": 8,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
    }
    if frames:
        values["NumberOfFrames"] = frames
    for keyword, value in (values | attributes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = PIXELS.tobytes() * (frames or 1)
    dataset["PixelData"].VR = "OW"
    return encoded(dataset, syntax)


def encoded(dataset: Dataset, syntax: str) -> bytes:
    """Return a data set as a DICOM file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CTImageStorage)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", generate_uid())
    dataset.file_meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian if syntax == RLELossless else syntax)
    if syntax == RLELossless:
        dataset.compress(RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True, enforce_file_format=True)
    return buffer.getvalue()


def parsed(data: bytes) -> FileDataset:
    """Return the data set in a DICOM file."""
    return dcmread(io.BytesIO(data))
