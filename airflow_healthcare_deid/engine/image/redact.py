"""Covers burnt-in text in the pixels of an instance, as an `ImageConfig` asks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from airflow_healthcare_deid.engine.changes import Change
from airflow_healthcare_deid.engine.errors import MissingPartError, UndecodableError
from airflow_healthcare_deid.engine.image.boxes import Area, Box
from airflow_healthcare_deid.engine.image.ocr import TextLine, default_engine, read_text
from airflow_healthcare_deid.engine.image.sensitive import custom_spans, page, sensitive_spans
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from airflow_healthcare_deid.config import ImageConfig
    from airflow_healthcare_deid.engine.changes import Observer
    from airflow_healthcare_deid.engine.image.frames import Frame, Pixels
    from airflow_healthcare_deid.engine.image.ocr import OcrEngine
    from airflow_healthcare_deid.engine.text import RecordIdentifiers, TextDeidentifier

_ALL, _SENSITIVE = "REDACT_ALL_TEXT", "REDACT_SENSITIVE_TEXT"
_MODE_RULE = "image.textRedactionMode"
_MOSTLY = 0.8


def redact_image(
    dataset: Dataset,
    config: ImageConfig,
    text: TextDeidentifier,
    record: RecordIdentifiers | None,
    observer: Observer | None = None,
    *,
    engine: OcrEngine | None = None,
) -> list[Box]:
    """Cover text in an instance's pixels with opaque rectangles and return these; the dataset is changed in place.

    Frames in which nothing is covered stay as they are, byte by byte. The others are encoded again in their transfer
    syntax; `rules/image.yaml` lists the syntaxes that cannot be written and what takes their place.

    :param dataset: an instance; one without pixel data is left alone.
    :param config: which text to cover.
    :param text: recognizes what is sensitive.
    :param record: the identifiers of the patient, always covered with ``REDACT_SENSITIVE_TEXT``.
    :param observer: is told of every line or part of a line that is covered.
    :param engine: reads the text; the default is RapidOCR, one for the process.
    :raises MissingPartError: when the extra ``image`` is not installed.
    :raises UndecodableError: when the pixels cannot be decoded, are larger than Google's limits, or a custom pattern
        takes too long.
    """
    redaction = _Redaction(config, text, record, observer)
    if not redaction.wanted:
        return []
    if any(find_spec(part) is None for part in ("numpy", "PIL", "regex")):
        raise MissingPartError("image")
    from airflow_healthcare_deid.engine.image.frames import Pixels

    pixels = Pixels.of(dataset)
    if pixels is None:
        return []
    if engine is None:
        engine = default_engine()
    boxes: dict[int, list[Box]] = {}
    seen: dict[bytes, list[Box]] = {}
    for frame in pixels:
        known = seen.get(frame.digest)
        if known is None:
            known = seen[frame.digest] = redaction.cover(frame, engine, pixels)
        if known:
            boxes[frame.number] = [
                Box(frame.number, box.left, box.top, box.right, box.bottom, box.info_type) for box in known
            ]
    if boxes:
        pixels.write(boxes)
    if config.text_redaction_mode is not None:
        _mark(dataset, config.text_redaction_mode)
    return [box for frame_boxes in boxes.values() for box in frame_boxes]


@dataclass(frozen=True, slots=True)
class _Match:
    """A part of a line that is to be covered, and the field of the configuration that says so."""

    line: TextLine
    start: int
    end: int
    rule: str
    info_type: str | None = None


class _Redaction:
    """What one configuration wants covered."""

    def __init__(
        self,
        config: ImageConfig,
        text: TextDeidentifier,
        record: RecordIdentifiers | None,
        observer: Observer | None,
    ) -> None:
        self._mode = config.text_redaction_mode
        self._patterns = [
            (one.pattern, tuple(one.group_indexes or ())) for one in config.custom_regexes or () if one.pattern
        ]
        self._text = text
        self._record = record
        self._observer = observer
        self._rules = load_rules("image")

    @property
    def wanted(self) -> bool:
        return self._mode in (_ALL, _SENSITIVE) or bool(self._patterns)

    def cover(self, frame: Frame, engine: OcrEngine, pixels: Pixels) -> list[Box]:
        """Return the boxes that cover a frame's text, found until a look at the covered frame finds no more."""
        boxes: list[Box] = []
        for _ in range(self._rules["text"]["rounds"]):
            lines = _distinct(line for view in pixels.views(frame) for line in read_text(view, engine))
            new: list[Box] = []
            lines = [line for line in lines if not self._is_made_of(line, boxes)]
            for match in self._matches(lines):
                box = self._box(match, frame, pixels.grid)
                if box is not None and not _inside(box, boxes + new):
                    new.append(box)
                    self._tell(match, box)
            if not new:
                break
            boxes += new
            pixels.cover(frame, new)
        return boxes

    def _is_made_of(self, line: TextLine, boxes: list[Box]) -> bool:
        """Tell whether a line is no text but the bars that cover text, which look like strokes of one large letter."""
        share = self._rules["text"]["taller_than_its_boxes"]
        return any(
            line.area.height > share * (box.bottom - box.top)
            and line.area.overlap(Area(box.left, box.top, box.right, box.bottom)) > _MOSTLY
            for box in boxes
        )

    def _matches(self, lines: list[TextLine]) -> Iterator[_Match]:
        read = page(lines)
        if self._mode == _ALL:
            yield from (_Match(line, 0, len(line.text), _MODE_RULE) for line in read.lines)
            return
        if self._mode == _SENSITIVE:
            for found in sensitive_spans(read.text, self._text, self._record):
                for index, start, end in read.parts(found.start, found.end):
                    yield _Match(read.lines[index], start, end, _MODE_RULE, found.info_type)
        try:
            custom = list(custom_spans(read, self._patterns, self._rules["custom_regexes"]["seconds"]))
        except TimeoutError:
            raise UndecodableError("image.customRegexes: a pattern took too long to search") from None
        for number, index, start, end in custom:
            yield _Match(read.lines[index], start, end, f"image.customRegexes[{number}]")

    def _tell(self, match: _Match, box: Box) -> None:
        if self._observer is not None:
            covered = match.line.text[match.start : match.end]
            edges = (box.left, box.top, box.right, box.bottom)
            self._observer(
                Change(f"PixelData[{box.frame}]", "cover", match.rule, covered, None, match.info_type, edges)
            )

    def _box(self, match: _Match, frame: Frame, grid: int) -> Box | None:
        rules = self._rules["text"]
        area = match.line.part(match.start, match.end)
        margin = max(rules["min_padding"], rules["padding"] * match.line.letter_height)
        left, top = (max(0, math.floor((edge - margin) / grid) * grid) for edge in (area.left, area.top))
        right = min(frame.columns, math.ceil((area.right + margin) / grid) * grid)
        bottom = min(frame.rows, math.ceil((area.bottom + margin) / grid) * grid)
        return Box(frame.number, left, top, right, bottom, match.info_type) if left < right and top < bottom else None


def _distinct(lines: Iterator[TextLine]) -> list[TextLine]:
    """Return lines without those that another contrast or tile showed too; all are kept that read differently."""
    kept: list[TextLine] = []
    for line in sorted(lines, key=lambda line: -line.score):
        if not any(line.text == other.text and line.area.overlap(other.area) > _MOSTLY for other in kept):
            kept.append(line)
    return kept


def _inside(box: Box, boxes: list[Box]) -> bool:
    return any(
        other.left <= box.left and other.top <= box.top and other.right >= box.right and other.bottom >= box.bottom
        for other in boxes
    )


def _mark(dataset: Dataset, mode: str) -> None:
    value = load_rules("image")["burned_in_annotation"]["after"].get(str(mode))
    if value is not None and "BurnedInAnnotation" in dataset:
        dataset.BurnedInAnnotation = value
