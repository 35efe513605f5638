"""Covers rectangles: in decoded frames, and in native pixel data where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from airflow_healthcare_deid.engine.image.render import palette_colors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pydicom import Dataset

    from airflow_healthcare_deid.engine.image.boxes import Box

_MID_CHROMA = 128


def black(frame: NDArray[Any], photometric: str, dataset: Dataset) -> tuple[float, ...]:
    """Return the darkest pixel of a frame, one value for each sample.

    Where any stored value could be the darkest, it is the one that the frame uses, so that a viewer which fits its
    window to the pixels still shows the image as before.
    """
    if photometric == "MONOCHROME1":
        return (float(frame.max()),)
    if photometric == "PALETTE COLOR":
        return (float(_darkest_index(frame, dataset)),)
    if photometric.startswith("YBR_FULL"):
        return (0, _MID_CHROMA << (8 * frame.dtype.itemsize - 8), _MID_CHROMA << (8 * frame.dtype.itemsize - 8))
    if frame.ndim == 3:
        return (0.0,) * int(frame.shape[2])
    return (min(0.0, float(frame.min())),)


def cover(frame: NDArray[Any], boxes: Iterable[Box], color: tuple[float, ...]) -> None:
    """Paint boxes into a decoded frame: (rows, columns) or (rows, columns, samples)."""
    value: Any = color if frame.ndim == 3 else color[0]
    for box in boxes:
        frame[box.top : box.bottom, box.left : box.right] = value


def cover_native(
    dataset: Dataset, keyword: str, boxes: dict[int, list[Box]], colors: dict[int, tuple[float, ...]]
) -> None:
    """Paint boxes into uncompressed pixel data; every bit outside them stays as it is.

    :param dataset: the instance; its pixel data is replaced.
    :param keyword: the element that holds it: ``PixelData``, ``FloatPixelData`` or ``DoubleFloatPixelData``.
    :param boxes: boxes by frame.
    :param colors: the color to paint in, by frame.
    """
    data = _in_order(dataset, keyword, bytes(dataset[keyword].value))
    rows, columns, samples = dataset.Rows, dataset.Columns, dataset.get("SamplesPerPixel", 1)
    allocated = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(keyword) or dataset.BitsAllocated
    if allocated == 1:
        _cover_bits(data, boxes, colors, rows, columns)
    else:
        dtype = _dtype(dataset, keyword, allocated)
        subsampled = dataset.PhotometricInterpretation == "YBR_FULL_422"
        length = rows * columns * (2 if subsampled else samples) * dtype.itemsize
        for number, frame_boxes in boxes.items():
            frame = np.frombuffer(data, dtype, length // dtype.itemsize, number * length)
            if subsampled:
                _cover_422(frame.reshape(rows, columns // 2, 4), frame_boxes)
            elif samples > 1 and dataset.get("PlanarConfiguration") == 1:
                cover(frame.reshape(samples, rows, columns).transpose(1, 2, 0), frame_boxes, colors[number])
            else:
                shape = (rows, columns, samples) if samples > 1 else (rows, columns)
                cover(frame.reshape(shape), frame_boxes, colors[number])
    dataset[keyword].value = bytes(_in_order(dataset, keyword, data))


def _dtype(dataset: Dataset, keyword: str, allocated: int) -> np.dtype[Any]:
    from pydicom.uid import ExplicitVRBigEndian

    big_endian = dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    kind = "f" if keyword != "PixelData" else "i" if dataset.get("PixelRepresentation") == 1 else "u"
    return np.dtype(f"{'>' if big_endian else '<'}{kind}{allocated // 8}")


def _in_order(dataset: Dataset, keyword: str, data: bytes | bytearray) -> bytearray:
    """Return pixel data with its bytes in the order of the pixels, or, from there, as it was."""
    from pydicom.uid import ExplicitVRBigEndian

    in_order = bytearray(data)
    if (
        dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
        and dataset.BitsAllocated == 8
        and dataset[keyword].VR == "OW"
    ):
        # Single bytes that are written as big-endian words stand the wrong way round in each pair.
        in_order[0::2], in_order[1::2] = data[1::2], data[0::2]
    return in_order


def _cover_422(frame: NDArray[Any], boxes: list[Box]) -> None:
    # Two pixels share their color: Y Y Cb Cr.
    for box in boxes:
        frame[box.top : box.bottom, box.left // 2 : (box.right + 1) // 2] = (0, 0, _MID_CHROMA, _MID_CHROMA)


def _cover_bits(
    data: bytearray, boxes: dict[int, list[Box]], colors: dict[int, tuple[float, ...]], rows: int, columns: int
) -> None:
    packed = np.frombuffer(data, np.uint8)
    bits = np.unpackbits(packed, bitorder="little")
    for number, frame_boxes in boxes.items():
        frame = bits[number * rows * columns : (number + 1) * rows * columns].reshape(rows, columns)
        cover(frame, frame_boxes, colors[number])
    packed[:] = np.packbits(bits, bitorder="little")


def _darkest_index(frame: NDArray[Any], dataset: Dataset) -> int:
    _, first, _ = (int(value) for value in dataset.RedPaletteColorLookupTableDescriptor)
    entries = max(1, int(dataset.RedPaletteColorLookupTableDescriptor[0]) or 1 << 16)
    last = min(first + entries, 1 << int(dataset.BitsStored))
    indices = np.arange(max(first, 0), max(last, 1)).astype(frame.dtype)
    brightness = palette_colors(indices[None, :], dataset).astype(np.int64).sum(axis=2)[0]
    return int(indices[int(np.argmin(brightness))])
