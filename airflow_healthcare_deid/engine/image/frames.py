"""The frames of an instance: decoded one at a time, and written back with what was covered."""

from __future__ import annotations

import hashlib
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from airflow_healthcare_deid.engine.errors import MissingPartError, UndecodableError
from airflow_healthcare_deid.engine.image.encode import cover_jpeg, encode_lossless, jpeg_grid
from airflow_healthcare_deid.engine.image.paint import black, cover, cover_native
from airflow_healthcare_deid.engine.image.render import views
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydicom import Dataset

    from airflow_healthcare_deid.engine.image.boxes import Box

_ELEMENTS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LOSSY_TOLERANCE = 16
# JPEG decoders smooth subsampled color over the edge of a block: what shows there comes from outside the box.
_INTERPOLATED = 2


# The filters of warnings are those of the process, not of the thread.
_QUIET_LOCK = threading.RLock()


class _NotEncodableError(Exception):
    """No encoder takes these pixels in this syntax."""


@dataclass(slots=True)
class Frame:
    """A decoded frame.

    :param number: from 0.
    :param pixels: (rows, columns) or (rows, columns, samples).
    :param photometric: photometric interpretation of these pixels, which may differ from that of the code.
    :param properties: what else the decoder says of them.
    :param digest: equal for equal frames.
    """

    number: int
    pixels: NDArray[Any]
    photometric: str
    properties: dict[str, Any]
    digest: bytes

    @property
    def rows(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def columns(self) -> int:
        return int(self.pixels.shape[1])


class Pixels:
    """The pixel data of one instance. Iterating decodes one frame after the other.

    :param dataset: the instance, changed in place by `write`.
    :param keyword: the element that holds the pixels.
    :raises UndecodableError: when the pixels are too large or in a syntax that is not supported.
    """

    def __init__(self, dataset: Dataset, keyword: str) -> None:
        self._dataset = dataset
        self._keyword = keyword
        self._syntax = _syntax_of(dataset)
        rules = load_rules("image")
        row = rules["syntaxes"]["rows"].get(str(self._syntax))
        if row is None:
            raise UndecodableError(f"pixels in transfer syntax {self._syntax.name} cannot be decoded")
        self._row = row
        self._limit = rules["limits"]
        self._count = self._frame_count()
        self.grid = 1
        self._check_size()

    @classmethod
    def of(cls, dataset: Dataset) -> Pixels | None:
        """Return the pixels of an instance, or None when it has none."""
        keyword = next((keyword for keyword in _ELEMENTS if keyword in dataset), None)
        return cls(dataset, keyword) if keyword is not None and dataset[keyword].value else None

    def __iter__(self) -> Iterator[Frame]:
        for number in range(self._count):
            frame = self._decoded(number)
            self.grid = jpeg_grid(frame.properties) if self._row["encode"] == "jpeg" else 1
            yield frame

    def views(self, frame: Frame) -> list[NDArray[np.uint8]]:
        """Return a frame as OCR should see it."""
        return views(frame.pixels, frame.photometric, self._dataset)

    def cover(self, frame: Frame, boxes: list[Box]) -> None:
        """Paint boxes into a decoded frame."""
        cover(frame.pixels, boxes, black(frame.pixels, frame.photometric, self._dataset))

    def write(self, boxes: dict[int, list[Box]]) -> None:
        """Put the frames with their boxes into the dataset, and make sure that nothing shows through.

        :raises UndecodableError: when the result does not show the boxes.
        """
        target = UID(self._row.get("to", str(self._syntax)))
        family = self._row["encode"]
        if family == "native" and not self._syntax.is_encapsulated:
            colors = {number: self._color(number) for number in boxes}
            cover_native(self._dataset, self._keyword, boxes, colors)
        elif family == "native":
            self._write_decoded(boxes, target)
        else:
            try:
                self._write_encoded(family, boxes, target)
            except _NotEncodableError:
                family = "native"
                self._write_decoded(boxes, UID(load_rules("image")["syntaxes"]["fallback"]))
        self._verify(boxes, lossy=family == "jpeg")

    def _color(self, number: int) -> tuple[float, ...]:
        frame = self._decoded(number)
        return black(frame.pixels, frame.photometric, self._dataset)

    def _write_encoded(self, family: str, boxes: dict[int, list[Box]], target: UID) -> None:
        dataset = self._dataset
        photometric = str(dataset.PhotometricInterpretation)
        # The irreversible color transform has no lossless code, so then no frame can stay as it is.
        all_frames = target != self._syntax or photometric == "YBR_ICT"
        if family == "jpeg_2000" and photometric in ("YBR_ICT", "YBR_RCT"):
            photometric = "YBR_RCT"
        encoded = []
        for number, code in enumerate(self._codes()):
            frame_boxes = boxes.get(number, [])
            if not frame_boxes and not all_frames:
                encoded.append(code)
            elif family == "jpeg":
                encoded.append(_covered_jpeg(code, frame_boxes, photometric))
            else:
                frame = self._decoded(number)
                self.cover(frame, frame_boxes)
                encoded.append(_encoded(family, frame, photometric))
        if family == "jpeg" and dataset.get("LossyImageCompression") == "00":
            dataset.LossyImageCompression = load_rules("image")["lossy_image_compression"]["value"]
        dataset.PhotometricInterpretation = photometric
        self._set(encapsulate(encoded), target)
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True

    def _write_decoded(self, boxes: dict[int, list[Box]], target: UID) -> None:
        dataset = self._dataset
        parts = []
        for number in range(self._count):
            frame = self._decoded(number)
            self.cover(frame, boxes.get(number, []))
            parts.append(frame.pixels.tobytes())
        data = b"".join(parts)
        dataset.PhotometricInterpretation = frame.photometric
        if frame.pixels.ndim == 3:
            dataset.PlanarConfiguration = 0
        self._set(data + b"\0" * (len(data) % 2), target)
        dataset["PixelData"].VR = "OW" if frame.pixels.dtype.itemsize > 1 else "OB"
        dataset["PixelData"].is_undefined_length = False

    def _set(self, data: bytes, syntax: UID) -> None:
        self._dataset.PixelData = data
        self._dataset.file_meta.TransferSyntaxUID = syntax
        self._syntax = syntax
        self._row = load_rules("image")["syntaxes"]["rows"][str(syntax)]
        for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
            if keyword in self._dataset:
                delattr(self._dataset, keyword)

    def _verify(self, boxes: dict[int, list[Box]], *, lossy: bool) -> None:
        for number, frame_boxes in boxes.items():
            pixels = self._decoded(number).pixels
            for box in frame_boxes:
                edge = _INTERPOLATED if lossy else 0
                covered = pixels[box.top + edge : box.bottom - edge, box.left + edge : box.right - edge]
                if covered.size == 0:
                    continue
                spread = np.ptp(covered.reshape(-1, *covered.shape[2:]).astype(np.float64), axis=0)
                if np.max(spread) > (_LOSSY_TOLERANCE if lossy else 0):
                    raise UndecodableError("text in the pixels could not be covered in this pixel format")

    def _codes(self) -> Iterator[bytes]:
        table = self._dataset.get("ExtendedOffsetTable")
        lengths = self._dataset.get("ExtendedOffsetTableLengths")
        offsets = (table, lengths) if table and lengths else None
        return generate_frames(self._dataset.PixelData, number_of_frames=self._count, extended_offsets=offsets)

    def _decoded(self, number: int) -> Frame:
        plugin = self._row.get("decode", "")
        decoder = get_decoder(self._syntax)
        if not decoder.is_available or (plugin and plugin not in decoder.available_plugins):
            raise MissingPartError("image")
        try:
            with _quiet():
                pixels, properties = decoder.as_array(self._dataset, index=number, raw=True, decoding_plugin=plugin)
        # Decoders raise whatever they come across, with values of the record in their messages.
        except Exception as error:  # noqa: BLE001
            raise UndecodableError(f"frame {number} cannot be decoded ({type(error).__name__})") from None
        digest = hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()
        return Frame(number, pixels, str(properties["photometric_interpretation"]), dict(properties), digest)

    def _frame_count(self) -> int:
        try:
            with _quiet():
                return max(1, int(self._dataset.get("NumberOfFrames") or 1))
        except (TypeError, ValueError):
            raise UndecodableError("NumberOfFrames is not a number") from None

    def _check_size(self) -> None:
        dataset = self._dataset
        numbers = [dataset.get(keyword) for keyword in ("Rows", "Columns")]
        if not all(isinstance(number, int) and number > 0 for number in numbers):
            raise UndecodableError("Rows and Columns do not give a size")
        samples, allocated = dataset.get("SamplesPerPixel") or 1, dataset.get("BitsAllocated") or 8
        decoded = numbers[0] * numbers[1] * samples * self._count * max(allocated, 8) // 8
        if len(dataset[self._keyword].value) > self._limit["encoded_bytes"] or decoded > self._limit["decoded_bytes"]:
            raise UndecodableError("the pixel data exceeds 1 GB, or 2 GB uncompressed, the limits of image redaction")


def _encoded(family: str, frame: Frame, photometric: str) -> bytes:
    try:
        with _quiet():
            return encode_lossless(family, frame.pixels, frame.properties, photometric)
    # Encoders too raise whatever they come across.
    except Exception:  # noqa: BLE001
        raise _NotEncodableError from None


def _covered_jpeg(code: bytes, boxes: list[Box], photometric: str) -> bytes:
    try:
        return cover_jpeg(code, boxes, photometric)
    except ValueError:
        raise _NotEncodableError from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the warnings of pydicom, which may hold values of the record."""
    with _QUIET_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _syntax_of(dataset: Dataset) -> UID:
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is None:
        raise UndecodableError("TransferSyntaxUID is missing")
    return UID(syntax)
