"""What the demo prints: steps with the time they came at, one line that moves, and a table."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDEST_VALUE = 44


class Console:
    """Prints to standard output, with the seconds since it was made in front of each line."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._moving = ""
        self._live = sys.stdout.isatty()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._started

    def step(self, text: str) -> None:
        """A line that stays."""
        self._end_moving_line()
        print(self._stamped(text), flush=True)

    def move(self, text: str) -> None:
        """A line that replaces the one before it; without a terminal, a line of its own when it says something new."""
        if text == self._moving:
            return
        if self._live:
            print(f"\r\x1b[K{self._stamped(text)}", end="", flush=True)
        else:
            print(self._stamped(text), flush=True)
        self._moving = text

    def table(self, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
        """Columns as wide as their widest value, within reason."""
        self._end_moving_line()
        lines = [tuple(_shortened(cell) for cell in row) for row in (header, *rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for number, line in enumerate(lines):
            print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
            if number == 0:
                print("  " + "  ".join("-" * width for width in widths))
        print(flush=True)

    def text(self, text: str = "") -> None:
        self._end_moving_line()
        print(text, flush=True)

    def _stamped(self, text: str) -> str:
        return f"[{self.elapsed:5.1f} s] {text}"

    def _end_moving_line(self) -> None:
        if self._moving and self._live:
            print()
        self._moving = ""


def _shortened(cell: str) -> str:
    return cell if len(cell) <= WIDEST_VALUE else f"{cell[: WIDEST_VALUE - 1]}…"
