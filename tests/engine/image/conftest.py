"""Instances in every pixel format, and an OCR engine that reads what it is told to."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSNearLossless,
    SecondaryCaptureImageStorage,
)

from airflow_healthcare_deid.engine.image.boxes import Area
from airflow_healthcare_deid.engine.image.ocr import RapidOcr, TextLine
from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.text import TextDeidentifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS, COLUMNS = 64, 96


@dataclass
class ScriptedOcr:
    """Reads the given lines, wherever it looks; their places are those of a frame of 96 columns."""

    lines: list[TextLine]
    looks: int = 0

    def read(self, image: NDArray[np.uint8]) -> list[TextLine]:
        self.looks += 1
        scale = image.shape[1] // COLUMNS
        return [
            TextLine(
                one.text,
                one.score,
                Area(*(scale * edge for edge in (one.area.left, one.area.top, one.area.right, one.area.bottom))),
                tuple((scale * left, scale * right) for left, right in one.columns),
            )
            for one in self.lines
        ]


def line(text: str, left: float = 20, top: float = 20, width: float = 40, height: float = 12) -> TextLine:
    """Return a line of text with letters of equal width."""
    step = width / max(1, len(text))
    columns = tuple((left + step * index, left + step * (index + 1)) for index in range(len(text)))
    return TextLine(text, 1.0, Area(left, top, left + width, top + height), columns)


def texture(bits: int = 8, *, signed: bool = False, samples: int = 1, frames: int = 1, seed: int = 1) -> NDArray[Any]:
    """Return pixels that differ everywhere: (frames, rows, columns, samples), single dimensions left out."""
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    shape = tuple(n for n in (frames, ROWS, COLUMNS, samples) if n > 1)
    kind = np.dtype(f"{'i' if signed else 'u'}{8 if bits > 32 else 4 if bits > 16 else 2 if bits > 8 else 1}")
    return np.random.default_rng(seed).integers(low, high, shape).astype(kind)


def instance(
    pixels: NDArray[Any],
    photometric: str = "MONOCHROME2",
    syntax: UID = ExplicitVRLittleEndian,
    *,
    bits_stored: int | None = None,
    frames: int = 1,
    planar: int = 0,
) -> Dataset:
    """Return an instance as it comes out of a file, with these pixels in this transfer syntax."""
    color = photometric.startswith(("RGB", "YBR"))
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = (
        ExplicitVRBigEndian if syntax == ExplicitVRBigEndian else ExplicitVRLittleEndian
    )
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = UID("1.2.3")
    dataset.PatientName, dataset.PatientID = "Doe^Jane", "4471-2298"
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if color else 1), photometric
    if color:
        dataset.PlanarConfiguration = planar
    dataset.BitsAllocated = pixels.dtype.itemsize * 8
    dataset.BitsStored = bits_stored or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if frames > 1:
        dataset.NumberOfFrames = frames
    if planar:
        pixels = np.moveaxis(pixels, -1, -3)
    data = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    if syntax.is_encapsulated:
        compress(dataset, syntax)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    return reread(dataset)


def compress(dataset: Dataset, syntax: UID) -> None:
    if syntax == JPEGBaseline8Bit:
        dataset.PixelData = encapsulate([_jpeg(frame, dataset) for frame in _frames(dataset)])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.file_meta.TransferSyntaxUID = syntax
    else:
        options: dict[str, Any] = {"encoding_plugin": "pylibjpeg"} if syntax in (JPEG2000, JPEG2000Lossless) else {}
        options |= {"j2k_cr": [4]} if syntax == JPEG2000 else {"jls_error": 3} if syntax == JPEGLSNearLossless else {}
        dataset.compress(syntax, generate_instance_uid=False, **options)


def _frames(dataset: Dataset) -> list[NDArray[Any]]:
    pixels = dataset.pixel_array
    return list(pixels) if dataset.get("NumberOfFrames", 1) > 1 else [pixels]


def _jpeg(frame: NDArray[Any], dataset: Dataset) -> bytes:
    mode = "L" if frame.ndim == 2 else "YCbCr" if dataset.PhotometricInterpretation.startswith("YBR") else "RGB"
    image = Image.frombytes(mode, (COLUMNS, ROWS), np.ascontiguousarray(frame).tobytes())
    code = io.BytesIO()
    image.save(code, "JPEG", quality=90, keep_rgb=mode == "RGB")
    return code.getvalue()


def reread(dataset: Dataset) -> Dataset:
    """Return an instance written to a file and read from it."""
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    file.seek(0)
    return pydicom.dcmread(file)


def drawn(pixels: NDArray[Any], texts: dict[tuple[int, int], str], value: int, size: int = 14) -> NDArray[Any]:
    """Return pixels (rows, columns) with texts drawn in at (column, row), and nothing else changed."""
    mask = Image.new("1", (pixels.shape[1], pixels.shape[0]))
    font = ImageFont.load_default(size)
    for place, text in texts.items():
        ImageDraw.Draw(mask).text(place, text, fill=1, font=font)
    return np.where(np.asarray(mask), pixels.dtype.type(value), pixels)


@pytest.fixture
def text() -> TextDeidentifier:
    return TextDeidentifier(None, KeyRing(b"k" * 32))


@pytest.fixture(scope="session")
def ocr() -> RapidOcr:
    return RapidOcr()


@pytest.fixture(scope="session")
def read_words(ocr: RapidOcr) -> Callable[[NDArray[np.uint8]], str]:
    """Return a function that gives all text in a gray or color image of 8 bits."""

    def read(image: NDArray[np.uint8]) -> str:
        color = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
        return " | ".join(one.text for one in ocr.read(color) if one.score > 0.5)

    return read
