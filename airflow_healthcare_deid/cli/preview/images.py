"""The first frame of an instance before and after, with what was covered outlined."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom import Dataset

Box = tuple[int, int, int, int]
"""Left, top, right and bottom edge in pixels, the latter two exclusive."""

_SIDE = 480
_OUTLINES = (("black", 5), ("#ffd400", 3))


class ImageError(Exception):
    """There is no picture; the message says why and holds no value."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The first frame.

    :param before: of the source, a ``data:`` address of a PNG.
    :param after: of the output.
    :param width: of both, in pixels of the page.
    :param height: of both.
    :param size: of the frame itself: columns by rows.
    :param frames: how many frames there are.
    :param boxes: how many rectangles are outlined.
    """

    before: str
    after: str
    width: int
    height: int
    size: str
    frames: int
    boxes: int


def has_image_extra() -> bool:
    """Tell whether pixels can be read and shown."""
    return all(find_spec(part) is not None for part in ("numpy", "PIL", "regex"))


def picture(source: Dataset, output: Dataset, boxes: Sequence[Box]) -> Picture:
    """Draw the first frames of two instances in the same window.

    :param boxes: what was covered in the first frame.
    :raises ImageError: when they cannot be drawn.
    """
    if not has_image_extra():
        raise ImageError("install it with pip install 'airflow-healthcare-deid[image]'")
    try:
        before, window = _frame(source, None)
        after, _ = _frame(output, window)
        scale = min(1.0, _SIDE / max(before.shape[:2]))
        images = [_png(pixels, scale, boxes) for pixels in (before, after)]
    except ImageError:
        raise
    except EngineError as error:
        raise ImageError(str(error)) from None
    except Exception as error:  # noqa: BLE001  (decoders raise nearly anything, with values in their messages)
        raise ImageError(f"the pixels cannot be shown ({type(error).__name__})") from None
    rows, columns = before.shape[:2]
    (first, width, height), (second, _, _) = images
    frames = int(source.get("NumberOfFrames") or 1)
    return Picture(first, second, width, height, f"{columns} by {rows}", frames, len(boxes))


def _frame(dataset: Dataset, window: tuple[float, float] | None) -> tuple[Any, tuple[float, float] | None]:
    """Return the first frame as 8 bits, (rows, columns, 3), and the window that was used, in stored values."""
    import numpy as np

    from airflow_healthcare_deid.engine.image.frames import Pixels
    from airflow_healthcare_deid.engine.image.render import views

    pixels = Pixels.of(dataset)
    if pixels is None:
        raise ImageError("there are no pixels")
    frame = next(iter(pixels))
    if not frame.photometric.startswith("MONOCHROME"):
        return views(frame.pixels, frame.photometric, dataset)[0], None
    stored = np.nan_to_num(frame.pixels.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = window or _window(dataset, stored)
    scaled = np.clip((stored - low) * (255.0 / ((high - low) or 1.0)), 0, 255).astype(np.uint8)
    if frame.photometric == "MONOCHROME1":
        scaled = 255 - scaled
    return np.repeat(scaled[:, :, None], 3, axis=2), (low, high)


def _window(dataset: Dataset, stored: Any) -> tuple[float, float]:
    """Return the window that the instance asks for, or one that shows most of what is there."""
    import numpy as np

    def first(keyword: str, default: float | None = None) -> float | None:
        value = dataset.get(keyword)
        value = value[0] if isinstance(value, (list, tuple)) or hasattr(value, "append") else value
        return default if value in (None, "") else float(value)

    center, width = first("WindowCenter"), first("WindowWidth")
    slope, intercept = first("RescaleSlope", 1.0), first("RescaleIntercept", 0.0)
    if center is not None and width and width > 1 and slope and intercept is not None:
        return (center - width / 2 - intercept) / slope, (center + width / 2 - intercept) / slope
    low, high = (float(value) for value in np.percentile(stored, (0.5, 99.8)))
    return (low, high) if high > low else (float(stored.min()), float(stored.max()))


def _png(pixels: Any, scale: float, boxes: Sequence[Box]) -> tuple[str, int, int]:
    from PIL import Image, ImageDraw

    image = Image.fromarray(pixels)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(image)
    for color, width in _OUTLINES:
        for left, top, right, bottom in boxes:
            edges = [left * scale - 2, top * scale - 2, right * scale + 1, bottom * scale + 1]
            draw.rectangle(edges, outline=color, width=width)
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}", image.width, image.height
