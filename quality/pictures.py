"""An image of the set before and after."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO

from airflow_healthcare_deid.engine.image.ocr import default_engine, read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from quality.burnt_in import Text
    from quality.dicom_set import Instance


class Picture:
    """One image and what became of it.

    :param instance: from the set.
    :param after: the file that came out.
    """

    def __init__(self, instance: Instance, after: bytes) -> None:
        assert instance.burnt_in is not None
        self.name = instance.name
        self.texts = instance.burnt_in.texts
        self._elsewhere = instance.burnt_in.elsewhere
        self._before = _pixels(instance.data)
        self._after = _pixels(after)

    def hides(self, text: Text) -> bool:
        """Tell whether a text was painted over in one color, and OCR reads nothing of it anywhere in the image."""
        left, top, right, bottom = text.box
        area = self._after[top:bottom, left:right].reshape((bottom - top) * (right - left), -1)
        return bool((area == area[0]).all()) and not self.shows(text)

    def shows(self, text: Text) -> bool:
        """Tell whether OCR reads a text afterwards."""
        return _letters(text.words) in self._read_afterwards

    def keeps(self, text: Text) -> bool:
        """Tell whether a text is as it was."""
        left, top, right, bottom = text.box
        return bool((self._after[top:bottom, left:right] == self._before[top:bottom, left:right]).all())

    def keeps_elsewhere(self) -> bool:
        """Tell whether all pixels away from text are as they were."""
        return bool((self._after[self._elsewhere] == self._before[self._elsewhere]).all())

    @cached_property
    def _read_afterwards(self) -> str:
        return _read(self._after)


def _pixels(data: bytes) -> NDArray[Any]:
    pixels: NDArray[Any] = dcmread(DicomBytesIO(data)).pixel_array
    return pixels


def _read(pixels: NDArray[Any]) -> str:
    low, high = int(pixels.min()), int(pixels.max())
    gray = ((pixels.astype(np.float64) - low) / max(1, high - low) * 255).astype(np.uint8)
    color = gray if gray.ndim == 3 else np.repeat(gray[:, :, None], 3, axis=2)
    return _letters(" ".join(line.text for line in read_text(color, default_engine())))


def _letters(text: str) -> str:
    """Return a text as far as OCR can be relied on: without spaces, case, and letters that look like digits."""
    return re.sub(r"[^a-z0-9]", "", text.lower()).translate(str.maketrans("oil", "011"))
