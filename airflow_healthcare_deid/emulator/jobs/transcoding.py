"""Writing a DICOM file in another transfer syntax; runs in worker processes.

What pydicom's own codecs and the installed ones allow: the native syntaxes, deflated, RLE, JPEG-LS (pyjpegls),
JPEG 2000 (pylibjpeg-openjpeg) and, for 8 bits, JPEG Baseline (Pillow).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pydicom import dcmwrite
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSNearLossless,
    RLELossless,
)

from airflow_healthcare_deid.emulator.dicomweb.part10 import read

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import FileDataset

_JPEG_QUALITY = 90
# Transfer syntax: what pydicom's encoder takes, and what the result has to be called (PS3.3 C.7.6.1.1.5).
_LOSSY: dict[UID, tuple[dict[str, Any], str]] = {
    JPEGLSNearLossless: ({"jls_error": 2}, "ISO_14495_1"),
    JPEG2000: ({"j2k_cr": [10]}, "ISO_15444_1"),
    JPEGBaseline8Bit: ({}, "ISO_10918_1"),
}


def transcode(source: Path, target: Path, transfer_syntax: str) -> bool:
    """Write an instance in a transfer syntax.

    :return: False if no installed codec can do it; nothing is written then.
    """
    wanted = UID(transfer_syntax)
    try:
        dataset = read(source, pixels=True)
        if wanted.is_encapsulated and "PixelData" not in dataset:
            wanted = ExplicitVRLittleEndian  # nothing to compress (inferred)
        if dataset.file_meta.TransferSyntaxUID != wanted:
            _convert(dataset, wanted)
        dataset.file_meta.TransferSyntaxUID = wanted
        # Forced, since pydicom asks who leaves big endian to turn the pixel data himself: `_reorder` does.
        dcmwrite(target, dataset, implicit_vr=wanted == ImplicitVRLittleEndian, little_endian=True, force_encoding=True)
    except Exception:  # noqa: BLE001  (codecs raise anything)
        target.unlink(missing_ok=True)
        return False
    return True


def _convert(dataset: FileDataset, wanted: UID) -> None:
    current = dataset.file_meta.TransferSyntaxUID
    if "PixelData" in dataset:
        if current.is_encapsulated:
            dataset.decompress(generate_instance_uid=False)
        elif current == ExplicitVRBigEndian or (wanted.is_encapsulated and dataset.get("PlanarConfiguration")):
            _reorder(dataset)
    if wanted == JPEGBaseline8Bit:
        _to_jpeg(dataset)
    elif wanted.is_encapsulated:
        # GDCM's encoder of RLE ends the process where an image does not suit it.
        options = {"encoding_plugin": "pydicom"} if wanted == RLELossless else _LOSSY.get(wanted, ({}, ""))[0]
        dataset.compress(wanted, generate_instance_uid=False, **options)
    if wanted in _LOSSY:
        dataset.LossyImageCompression = "01"
        dataset.LossyImageCompressionMethod = _LOSSY[wanted][1]


def _reorder(dataset: FileDataset) -> None:
    """Write native pixel data in little endian, and by pixel instead of by plane."""
    if dataset.BitsAllocated > 1:
        pixels = pixel_array(dataset, raw=True)
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
        if dataset.SamplesPerPixel > 1:
            dataset.PlanarConfiguration = 0


def _to_jpeg(dataset: FileDataset) -> None:
    from PIL import Image

    if dataset.BitsStored > 8 or dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2", "RGB"):
        raise ValueError
    frames = []
    for index in range(int(dataset.get("NumberOfFrames") or 1)):
        picture = io.BytesIO()
        pixels = pixel_array(dataset, index=index).astype("uint8")
        Image.fromarray(pixels).save(picture, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:2")
        frames.append(picture.getvalue())
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    if dataset.PhotometricInterpretation == "RGB":
        dataset.PhotometricInterpretation = "YBR_FULL_422"
        dataset.PlanarConfiguration = 0
