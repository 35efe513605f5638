"""Rectangles on a frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels that was covered.

    :param frame: number of the frame, from 0.
    :param left: first column.
    :param top: first row.
    :param right: column behind the last.
    :param bottom: row behind the last.
    :param info_type: what was recognized there; None where all text is covered, or a custom pattern matched.
    """

    frame: int
    left: int
    top: int
    right: int
    bottom: int
    info_type: str | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle on an image, in pixels that need not be whole; ``right`` and ``bottom`` are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def moved(self, right: float, down: float) -> Area:
        """Return it moved by some pixels."""
        return Area(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def overlap(self, other: Area) -> float:
        """Return the share of the smaller of two areas that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        smaller = min(self.width * self.height, other.width * other.height)
        return width * height / smaller if width > 0 and height > 0 and smaller > 0 else 0.0
