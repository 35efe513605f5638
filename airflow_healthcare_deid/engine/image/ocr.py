"""Reads text in an image. Any engine can take part that answers `OcrEngine.read`."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from airflow_healthcare_deid.engine.errors import MissingPartError
from airflow_healthcare_deid.engine.image.boxes import Area
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text in an image.

    :param text: what it says, as far as it could be read.
    :param score: how sure the engine is of that, 0 to 1.
    :param area: where it stands.
    :param columns: for each character, its first column and the one behind its last.
    """

    text: str
    score: float
    area: Area
    columns: tuple[tuple[float, float], ...]

    @property
    def runs_down(self) -> bool:
        """Whether it runs down the image, or up."""
        return self.area.height > 1.5 * self.area.width and len(self.text) > 2

    @property
    def letter_height(self) -> float:
        """How high its letters are, as far as that shows."""
        return self.area.width if self.runs_down else self.area.height

    def part(self, start: int, end: int) -> Area:
        """Return where some of its characters stand; all of it when it runs down."""
        if self.runs_down:
            return self.area
        columns = self.columns[start:end]
        # The engine tells the edges of letters to some pixels only.
        margin = self.area.height / 8
        left = self.area.left if start == 0 else max(self.area.left, min(left for left, _ in columns) - margin)
        right = self.area.right if end == len(self.text) else min(self.area.right, max(r for _, r in columns) + margin)
        return Area(left, self.area.top, right, self.area.bottom)

    def halved(self) -> TextLine:
        """Return it at half its size."""
        area = Area(self.area.left / 2, self.area.top / 2, self.area.right / 2, self.area.bottom / 2)
        return TextLine(self.text, self.score, area, tuple((left / 2, right / 2) for left, right in self.columns))


class OcrEngine(Protocol):
    """Finds and reads text."""

    def read(self, image: Image) -> list[TextLine]:
        """Return the lines of text in an image of 8 bits, shaped (rows, columns, 3), red first."""


class RapidOcr:
    """RapidOCR with the models that its wheel carries; nothing is downloaded.

    :raises MissingPartError: when the extra ``image`` is not installed.
    """

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR
        except ImportError:
            raise MissingPartError("image") from None
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                # Every candidate, with the columns of its characters; the caller knows what is too unsure.
                "Global.text_score": 0.0,
                "Global.return_word_box": True,
                "Global.return_single_char_box": True,
                # Its guess at what stands on its head is not told with the result: see `_turned`.
                "Global.use_cls": False,
                # The default enlarges what is small in one direction, for twice the time and no more text.
                "Det.limit_type": "max",
                "Det.limit_side_len": 960,
                "EngineConfig.onnxruntime.intra_op_num_threads": 2,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        self._lock = threading.Lock()

    def read(self, image: Image) -> list[TextLine]:
        rules = load_rules("image")["text"]
        # It expects what OpenCV reads from a file: blue first.
        image = image[:, :, ::-1].copy()
        with self._lock:
            result = self._engine(image, use_det=True)
            if result.txts is None or result.boxes is None:
                return []
            words = result.word_results if len(result.word_results) == len(result.txts) else [()] * len(result.txts)
            lines = [
                _line(text, float(score), corners, characters)
                for text, score, corners, characters in zip(
                    result.txts, result.scores, result.boxes, words, strict=True
                )
            ]
            return [
                self._turned(line, image) if rules["min_score"] <= line.score < rules["turn_below"] else line
                for line in lines
            ]

    def _turned(self, line: TextLine, image: Image) -> TextLine:
        """Return a line as it reads the other way up, if it reads better so; then its letters have no places."""
        area = line.area
        top, left = max(0, int(area.top)), max(0, int(area.left))
        cut = image[top : math.ceil(area.bottom), left : math.ceil(area.right)]
        # What runs from top to bottom was turned to the left before it was read: now it is turned to the right.
        turned = cut.transpose(1, 0, 2)[:, ::-1] if line.runs_down else cut[::-1, ::-1]
        result = self._engine(turned.copy(), use_det=False)
        if not result.txts or result.scores[0] <= line.score:
            return line
        text = result.txts[0]
        return TextLine(text, float(result.scores[0]), area, ((area.left, area.right),) * len(text))


@cache
def default_engine() -> OcrEngine:
    """Return the engine of this process, loaded on first use.

    :raises MissingPartError: when the extra ``image`` is not installed.
    """
    return RapidOcr()


def read_text(image: Image, engine: OcrEngine) -> list[TextLine]:
    """Return the lines of text in an image of any size, the unsure ones left out."""
    rules = load_rules("image")["text"]
    if max(image.shape[:2]) <= rules["enlarge_up_to"]:
        return [line.halved() for line in _read_tiles(_doubled(image), engine, rules)]
    return _read_tiles(image, engine, rules)


def _read_tiles(image: Image, engine: OcrEngine, rules: Mapping[str, Any]) -> list[TextLine]:
    lines: list[TextLine] = []
    for top, left, tile in _tiles(image, rules["tile"], rules["tile_overlap"]):
        for line in engine.read(tile):
            letters = len(line.text.strip())
            if letters and line.score >= rules["min_score" if letters > 1 else "min_score_of_single_letter"]:
                area = line.area.moved(left, top)
                columns = tuple((start + left, end + left) for start, end in line.columns)
                lines.append(TextLine(line.text, line.score, area, columns))
    return lines


def _doubled(image: Image) -> Image:
    import numpy as np
    from PIL import Image as Pillow

    rows, columns = image.shape[:2]
    return np.asarray(Pillow.fromarray(image).resize((2 * columns, 2 * rows), Pillow.Resampling.BICUBIC))


def _tiles(image: Image, side: int, overlap: int) -> Iterator[tuple[int, int, Image]]:
    rows, columns = image.shape[:2]
    if max(rows, columns) > side:
        # Once as a whole, for letters that fill more than a tile.
        yield 0, 0, image
    for top in _starts(rows, side, overlap):
        for left in _starts(columns, side, overlap):
            yield top, left, image[top : top + side, left : left + side]


def _starts(length: int, side: int, overlap: int) -> Sequence[int]:
    return range(0, max(1, length - overlap), side - overlap) if length > side else (0,)


def _line(text: str, score: float, corners: Any, characters: Any) -> TextLine:
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    area = Area(min(xs), min(ys), max(xs), max(ys))
    return TextLine(text, score, area, _columns(text, area, characters))


def _columns(text: str, area: Area, characters: Any) -> tuple[tuple[float, float], ...]:
    """Return the columns of each character: as the engine says, or in equal parts where it does not."""
    drawn = [
        (word, min(float(x) for x, _ in box), max(float(x) for x, _ in box))
        for word, _, box in characters
        if word.strip()
    ]
    if "".join(word for word, _, _ in drawn) != "".join(text.split()) or any(len(word) != 1 for word, _, _ in drawn):
        step = area.width / max(1, len(text))
        return tuple((area.left + step * index, area.left + step * (index + 1)) for index in range(len(text)))
    columns: list[tuple[float, float]] = []
    rest = iter(drawn)
    for character in text:
        if character.isspace():
            edge = columns[-1][1] if columns else area.left
            columns.append((edge, edge))
        else:
            _, left, right = next(rest)
            columns.append((left, right))
    return tuple(columns)
