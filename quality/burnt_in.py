"""Text drawn into the pixels of real images, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from quality.plants import BOTH, Kind, Place, Plant
from quality.sayings import dates

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset

    from quality.people import Person

Edges: TypeAlias = "tuple[int, int, int, int]"
"""Left, top, right and bottom; the last two are exclusive."""

_LETTER_HEIGHT = 14
_MARGIN = 10
"""Pixels around a text that may be covered with it."""
_SMALLEST = 240
_HARMLESS = "SUPINE"
# The ultrasound image has little room: name, id, date, telephone number and the harmless word have these corners there.
_ULTRASOUND = ((4, 172), (4, 188), (4, 204), (46, 148), (200, 200))
# Texts that the ultrasound image came with, as (left, top, right, bottom): they go or stay as they may.
_NATIVE_TEXT = {
    "US": ((0, 0, 320, 62), (0, 62, 42, 122), (290, 62, 320, 122), (115, 172, 195, 198), (150, 220, 320, 240)),
}


@dataclass(frozen=True)
class Text:
    """One line that was drawn.

    :param words: what it says, without the label in front of it.
    :param box: where these words are.
    :param identifies: whether it has to go with sensitive text; all lines have to with all text.
    """

    words: str
    box: Edges
    identifies: bool


@dataclass(frozen=True)
class BurntIn:
    """What was drawn into one image.

    :param texts: the lines.
    :param elsewhere: the pixels that no text is near, as a mask of the image.
    :param plants: the identifiers among the lines, in their order.
    """

    texts: tuple[Text, ...]
    elsewhere: NDArray[np.bool_]
    plants: tuple[Plant, ...]


def burn(dataset: Dataset, source: str, person: Person) -> BurntIn:
    """Draw a patient's identifiers and one harmless word into an image, enlarged if it is small.

    :param dataset: an image of one frame in a native transfer syntax; changed in place.
    """
    pixels = dataset.pixel_array
    factor = -(-_SMALLEST // min(pixels.shape[:2]))
    pixels = np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)
    visit = person.visits[-1]
    lines = (
        ("", person.given.upper(), Kind.NAME, (person.given,)),
        ("ID ", person.patient_id, Kind.ID, (person.patient_id,)),
        ("", f"{visit:%Y-%m-%d}", Kind.DATE, dates(visit)),
        ("TEL ", person.phone, Kind.PHONE, (person.phone,)),
        ("", _HARMLESS, None, ()),
    )
    rows, columns = pixels.shape[:2]
    corners = _ULTRASOUND if dataset.Modality == "US" else [(16, 14 + 30 * index) for index in range(len(lines))]
    elsewhere = np.ones((rows, columns), dtype=bool)
    for edges in _NATIVE_TEXT.get(dataset.Modality, ()):
        _clear(elsewhere, edges, 0)
    texts: list[Text] = []
    plants: list[Plant] = []
    for corner, (label, words, kind, needles) in zip(corners, lines, strict=True):
        mask = _drawn(label + words, corner, (columns, rows))
        pixels = np.where(mask if pixels.ndim == 2 else mask[:, :, None], pixels.dtype.type(pixels.max()), pixels)
        _clear(elsewhere, _edges(mask), _MARGIN)
        box = _edges(mask & ~_drawn(label, corner, (columns, rows)))
        texts.append(Text(words, box, kind is not None))
        if kind is not None:
            plants.append(Plant(kind, Place.PIXELS, source, (), needles, person.number, BOTH))
    _write(dataset, pixels)
    return BurntIn(tuple(texts), elsewhere, tuple(plants))


def _drawn(words: str, corner: tuple[int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
    image = Image.new("1", size)
    ImageDraw.Draw(image).text(corner, words, fill=1, font=ImageFont.load_default(_LETTER_HEIGHT))
    return np.asarray(image)


def _edges(mask: NDArray[np.bool_]) -> Edges:
    rows, columns = np.nonzero(mask)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def _clear(mask: NDArray[np.bool_], edges: Edges, margin: int) -> None:
    left, top, right, bottom = edges
    mask[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = False


def _write(dataset: Dataset, pixels: NDArray[Any]) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
