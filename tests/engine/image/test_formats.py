"""Every pixel format: what is in the box is gone, what is outside of it is as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from airflow_healthcare_deid.config import ImageConfig, TextRedactionMode
from airflow_healthcare_deid.engine.image import Box, frames, redact_image
from tests.engine.image.conftest import COLUMNS, ROWS, ScriptedOcr, instance, line, reread, texture

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset

    from airflow_healthcare_deid.engine.text import TextDeidentifier

ALL = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT)
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
COMPRESSED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


def _redacted(dataset: Dataset, text: TextDeidentifier) -> tuple[Dataset, list[Box]]:
    boxes = redact_image(dataset, ALL, text, None, engine=ScriptedOcr([line("TEXT")]))
    return reread(dataset), boxes


def _check(before: NDArray[Any], after: NDArray[Any], boxes: list[Box], color: object) -> None:
    """Assert that the boxes hold one color, and all pixels outside are equal."""
    outside = np.ones(before.shape[:2], bool)
    for box in boxes:
        assert np.all(after[box.top : box.bottom, box.left : box.right] == color)
        outside[box.top : box.bottom, box.left : box.right] = False
    assert 0 < outside.sum() < outside.size
    np.testing.assert_array_equal(before[outside], after[outside])


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize(
    ("bits", "signed", "photometric", "darkest"),
    [
        (8, False, "MONOCHROME2", 0),
        (8, False, "MONOCHROME1", 255),
        (12, False, "MONOCHROME2", 0),
        (16, True, "MONOCHROME2", None),
        (16, False, "MONOCHROME1", None),
    ],
)
def test_gray(
    syntax: UID, bits: int, signed: bool, photometric: str, darkest: int | None, text: TextDeidentifier
) -> None:
    pixels = texture(bits, signed=signed)
    dataset = instance(pixels, photometric, syntax, bits_stored=bits)
    if darkest is None:
        darkest = int(pixels.min() if photometric == "MONOCHROME2" else pixels.max())
    after, boxes = _redacted(dataset, text)
    assert after.file_meta.TransferSyntaxUID == syntax
    _check(pixels, after.pixel_array, boxes, darkest)


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("planar", [0, 1])
def test_red_green_blue(syntax: UID, planar: int, text: TextDeidentifier) -> None:
    pixels = texture(samples=3)
    after, boxes = _redacted(instance(pixels, "RGB", syntax, planar=0 if syntax.is_encapsulated else planar), text)
    assert after.PhotometricInterpretation == "RGB"
    _check(pixels, after.pixel_array, boxes, (0, 0, 0))


def test_color_of_16_bits(text: TextDeidentifier) -> None:
    pixels = texture(16, samples=3)
    after, boxes = _redacted(instance(pixels, "RGB"), text)
    _check(pixels, after.pixel_array, boxes, (0, 0, 0))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless], ids=lambda syntax: syntax.name)
def test_luminance_and_chrominance(syntax: UID, text: TextDeidentifier) -> None:
    dataset = instance(texture(samples=3), "YBR_FULL", syntax)
    before = dataset.pixel_array.copy()
    after, boxes = _redacted(dataset, text)
    _check(before, after.pixel_array, boxes, (0, 0, 0))


def test_subsampled_chrominance_lies_beside_its_luminance(text: TextDeidentifier) -> None:
    dataset = instance(texture(samples=3), "YBR_FULL")
    quads = np.random.default_rng(1).integers(0, 256, (ROWS, COLUMNS // 2, 4)).astype(np.uint8)
    dataset.PhotometricInterpretation, dataset.PixelData = "YBR_FULL_422", quads.tobytes()
    before = dataset.pixel_array.copy()
    after, boxes = _redacted(dataset, text)
    even = [Box(0, box.left // 2 * 2, box.top, -(-box.right // 2) * 2, box.bottom) for box in boxes]
    _check(before, after.pixel_array, even, (0, 0, 0))


def test_palette_is_covered_in_its_darkest_color(text: TextDeidentifier) -> None:
    dataset = instance(texture(), "PALETTE COLOR")
    before = dataset.pixel_array.copy()
    for name in ("Red", "Green", "Blue"):
        table = np.roll(np.arange(256, dtype=np.uint16) * 257, 77)
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        setattr(dataset, f"{name}PaletteColorLookupTableData", table.tobytes())
    after, boxes = _redacted(dataset, text)
    _check(before, after.pixel_array, boxes, 77)


def test_single_bits(text: TextDeidentifier) -> None:
    pixels = texture() % 2
    dataset = instance(pixels)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    after, boxes = _redacted(dataset, text)
    _check(pixels, after.pixel_array, boxes, 0)


def test_floating_point_pixels(text: TextDeidentifier) -> None:
    dataset = instance(texture())
    pixels = texture().astype(np.float32) / 7
    del dataset.PixelData
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = pixels.tobytes()
    after, boxes = _redacted(dataset, text)
    _check(pixels, after.pixel_array, boxes, 0)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, *COMPRESSED], ids=lambda syntax: syntax.name)
def test_each_frame_is_covered(syntax: UID, text: TextDeidentifier) -> None:
    pixels = texture(frames=3)
    after, boxes = _redacted(instance(pixels, syntax=syntax, frames=3), text)
    assert [box.frame for box in boxes] == [0, 1, 2]
    for number in range(3):
        _check(pixels[number], after.pixel_array[number], [boxes[number]], 0)


def test_bits_above_those_stored_stay_outside_the_boxes(text: TextDeidentifier) -> None:
    pixels = texture(12) | 0xA000
    after, boxes = _redacted(instance(pixels, bits_stored=12), text)
    written = np.frombuffer(after.PixelData, np.uint16).reshape(ROWS, COLUMNS)
    _check(pixels, written, boxes, 0)


@pytest.mark.parametrize("syntax", [JPEGLSNearLossless, JPEG2000], ids=lambda syntax: syntax.name)
def test_lossy_syntax_is_kept_and_loses_no_more(syntax: UID, text: TextDeidentifier) -> None:
    dataset = instance(texture(), syntax=syntax)
    before = dataset.pixel_array.copy()
    after, boxes = _redacted(dataset, text)
    assert after.file_meta.TransferSyntaxUID == syntax
    _check(before, after.pixel_array, boxes, 0)


@pytest.mark.parametrize("photometric", ["YBR_RCT", "YBR_ICT"])
def test_color_in_jpeg_2000(photometric: str, text: TextDeidentifier) -> None:
    syntax = JPEG2000Lossless if photometric == "YBR_RCT" else JPEG2000
    dataset = instance(texture(samples=3), photometric, syntax)
    before = dataset.pixel_array.copy()
    after, boxes = _redacted(dataset, text)
    assert (after.file_meta.TransferSyntaxUID, after.PhotometricInterpretation) == (syntax, "YBR_RCT")
    _check(before, after.pixel_array, boxes, (0, 0, 0))


@pytest.mark.parametrize(("photometric", "samples"), [("MONOCHROME2", 1), ("YBR_FULL_422", 3), ("RGB", 3)])
def test_jpeg_baseline_stays_close_outside_whole_blocks(photometric: str, samples: int, text: TextDeidentifier) -> None:
    smooth = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)).astype(np.uint8)
    pixels = smooth if samples == 1 else np.stack([smooth, smooth // 2 + 64, 255 - smooth], axis=2)
    dataset = instance(pixels, photometric.removesuffix("_422"), JPEGBaseline8Bit)
    dataset.PhotometricInterpretation = photometric
    dataset.LossyImageCompression = "00"
    before = dataset.pixel_array.astype(int)
    after, [box] = _redacted(dataset, text)
    covered = after.pixel_array.astype(int)
    # Decoders interpolate subsampled color over the edges of blocks.
    assert np.all(covered[box.top + 2 : box.bottom - 2, box.left + 2 : box.right - 2] < 8)
    outside = np.ones((ROWS, COLUMNS), bool)
    outside[box.top - 2 : box.bottom + 2, box.left - 2 : box.right + 2] = False
    assert np.max(np.abs(covered - before)[outside]) <= 3
    assert after.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert after.LossyImageCompression == "01"


def test_frames_without_text_are_copied_byte_by_byte(text: TextDeidentifier) -> None:
    from pydicom.encaps import generate_frames

    pixels = texture(frames=2)
    dataset = instance(pixels, syntax=JPEG2000, frames=2)
    before = list(generate_frames(dataset.PixelData, number_of_frames=2))

    class SecondFrame(ScriptedOcr):
        def read(self, image: NDArray[np.uint8]) -> list[Any]:
            lines = super().read(image)
            return [] if self.looks == 1 else lines

    boxes = redact_image(dataset, ALL, text, None, engine=SecondFrame([line("TEXT")]))
    after = list(generate_frames(dataset.PixelData, number_of_frames=2))
    assert [box.frame for box in boxes] == [1]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_bytes_in_big_endian_words(text: TextDeidentifier) -> None:
    pixels = texture(samples=3)
    dataset = instance(pixels, "RGB", ExplicitVRBigEndian)
    dataset["PixelData"].VR = "OW"
    dataset.PixelData = np.frombuffer(dataset.PixelData, np.uint16).byteswap().tobytes()
    after, boxes = _redacted(dataset, text)
    _check(pixels, after.pixel_array, boxes, (0, 0, 0))


def test_what_its_encoder_refuses_becomes_explicit_little_endian(
    text: TextDeidentifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = instance(texture(samples=3), "RGB", RLELossless)
    before = dataset.pixel_array.copy()
    with monkeypatch.context() as patch:
        patch.setattr(frames, "encode_lossless", _refuse)
        after, boxes = _redacted(dataset, text)
    assert after.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    _check(before, after.pixel_array, boxes, (0, 0, 0))


def _refuse(*_: object) -> bytes:
    raise ValueError("One or more of the following values is not valid")
