"""Makes frames visible to OCR: 8 bits, red, green and blue, in the contrasts that a viewer would choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset

    Image = NDArray[np.uint8]


def views(frame: NDArray[Any], photometric: str, dataset: Dataset) -> list[Image]:
    """Return a frame as images shaped (rows, columns, 3), one for each contrast worth looking at.

    :param frame: decoded pixels: (rows, columns) or (rows, columns, samples).
    :param photometric: their photometric interpretation.
    :param dataset: holds the palette of a ``PALETTE COLOR`` image.
    """
    if photometric == "PALETTE COLOR":
        return [_windowed(palette_colors(frame, dataset))]
    if photometric.startswith("YBR_FULL"):
        from pydicom.pixels.processing import convert_color_space

        frame = convert_color_space(frame, "YBR_FULL", "RGB")
    if frame.ndim == 3:
        return [_windowed(frame)]
    return [np.repeat(view[:, :, None], 3, axis=2) for view in _contrasts(frame, inverted=photometric == "MONOCHROME1")]


def palette_colors(frame: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """Return the colors of a frame of palette indices."""
    from pydicom.pixels.processing import apply_color_lut

    colors: NDArray[Any] = apply_color_lut(frame, dataset)
    return colors[:, :, :3]


def _contrasts(frame: NDArray[Any], *, inverted: bool) -> list[Image]:
    low, high = float(np.min(frame)), float(np.max(frame))
    if not np.isfinite(low) or not np.isfinite(high):
        frame = np.nan_to_num(frame.astype(np.float64), posinf=0.0, neginf=0.0)
        low, high = float(frame.min()), float(frame.max())
    if frame.dtype == np.uint8:
        windows = [(0.0, 255.0)] if high > 127 else [(low, high)]
    else:
        # Text is mostly the brightest there is and the tissue far below, so the whole range shows the one, the
        # middle of it the other.
        inner_low, inner_high = (float(value) for value in np.percentile(frame, (1, 99)))
        windows = [(low, high)]
        if high - low > 1.5 * (inner_high - inner_low) > 0:
            windows.append((inner_low, inner_high))
    return [_window(frame, *window, inverted=inverted) for window in windows]


def _window(frame: NDArray[Any], low: float, high: float, *, inverted: bool = False) -> Image:
    scaled = (frame.astype(np.float32) - low) * (255.0 / ((high - low) or 1.0))
    image: Image = np.clip(scaled, 0, 255).astype(np.uint8)
    return 255 - image if inverted else image


def _windowed(colors: NDArray[Any]) -> Image:
    if colors.dtype == np.uint8:
        return colors
    # Palettes of 16 bits, and color of more than 8: what counts is the range that the data uses.
    return _window(colors, 0.0, max(255.0, float(colors.max())))
