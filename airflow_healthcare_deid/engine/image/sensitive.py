"""Which of the text in an image is to be covered."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING

from airflow_healthcare_deid.engine.text.dates import parse_date
from airflow_healthcare_deid.engine.text.findings import Finding, merge
from airflow_healthcare_deid.engine.text.info_types import info_type_ranks
from airflow_healthcare_deid.engine.text.patterns import require_regex
from airflow_healthcare_deid.engine.text.record import fold, name_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_healthcare_deid.engine.image.ocr import TextLine
    from airflow_healthcare_deid.engine.text import RecordIdentifiers, TextDeidentifier

# What OCR takes for one another.
_AS_DIGIT = str.maketrans("OoQDIl|!SsBZzGb", "000011115582266")
_SKELETON = str.maketrans("0o1il|!5s8b2z\u00d7", "ooiiiiissbbzzx")
_ALMOST_NUMBER = re.compile(r"(?<!\w)[\dOoQDIl|!SsBZzGb]{1,20}(?:[-/.:][\dOoQDIl|!SsBZzGb]{1,20}){0,5}(?!\w)")
# Where OCR drops a space: behind a label ("Tel555-123-4567", "IDZX-778812"), and between a number and a word.
_SPACE_LOST = re.compile(
    r"(?<!\w)(?:(?:acc|dob|dr|id|mr|mrn|mrs|ms|name|pat|patient|pid|pt)(?=\S{4})|[^\W\d_]{2,}(?=\d))"
    r"|\d(?=[^\W\d_]{3})",
    re.IGNORECASE,
)
_SHORT, _LONG = 4, 8
"""Letters up to which a word must be read as it is, and from which on two may be misread."""
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of an image as one text, in reading order.

    :param text: lines side by side are joined by a space, others by a line break.
    :param lines: the lines, in that order.
    :param starts: where each line starts in the text.
    """

    text: str
    lines: tuple[TextLine, ...]
    starts: tuple[int, ...]

    def parts(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (line, start, end) for what a stretch of the text covers of each line."""
        for index, (line, line_start) in enumerate(zip(self.lines, self.starts, strict=True)):
            first, last = max(start - line_start, 0), min(end - line_start, len(line.text))
            if first < last:
                yield index, first, last


def page(lines: Iterable[TextLine]) -> Page:
    """Return lines of text in reading order."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: (line.area.top + line.area.bottom, line.area.left)):
        middle = (line.area.top + line.area.bottom) / 2
        if rows and rows[-1][0].area.top <= middle <= rows[-1][0].area.bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    text, ordered, starts = "", [], []
    for row in rows:
        for index, line in enumerate(sorted(row, key=lambda line: line.area.left)):
            text += " " if index else "\n" if text else ""
            starts.append(len(text))
            ordered.append(line)
            text += line.text
    return Page(text, tuple(ordered), tuple(starts))


def sensitive_spans(text: str, deidentifier: TextDeidentifier, record: RecordIdentifiers | None) -> list[Finding]:
    """Return what the default DICOM infoTypes and the record find in text that was read from an image.

    The record's identifiers are found through the mistakes that OCR makes; so are numbers and dates.
    """
    found = list(_found(text, deidentifier, record))
    spaced, places = _spaced(text)
    if spaced != text:
        found += (
            replace(one, start=places[one.start], end=places[one.end - 1] + 1)
            for one in _found(spaced, deidentifier, record)
        )
    return merge(found, info_type_ranks())


def _found(text: str, deidentifier: TextDeidentifier, record: RecordIdentifiers | None) -> Iterator[Finding]:
    for version in dict.fromkeys((text, _digits_mended(text))):
        yield from deidentifier.inspect(version, record, defaults=True)
    yield from _dates_without_a_separator(text)
    if record is not None:
        yield from _misread(text, record)


def _spaced(text: str) -> tuple[str, list[int]]:
    """Return a text with the spaces that OCR may have dropped, and the place in ``text`` of each of its characters."""
    spaced, position = "", 0
    places: list[int] = []
    for match in _SPACE_LOST.finditer(text):
        spaced += text[position : match.end()] + " "
        places += (*range(position, match.end()), match.end() - 1)
        position = match.end()
    return spaced + text[position:], [*places, *range(position, len(text))]


def _dates_without_a_separator(text: str) -> Iterator[Finding]:
    """Yield dates such as ``2021-0409``, which has lost one of its two strokes."""
    for match in _ALMOST_NUMBER.finditer(_digits_mended(text)):
        digits = "".join(filter(str.isdigit, match[0]))
        if len(digits) == 8 < len(match[0]) and (parse_date(digits) or parse_date(digits[4:] + digits[:4])):
            yield Finding(match.start(), match.end(), "DATE")


def _digits_mended(text: str) -> str:
    """Return a text with the letters in numbers read as the digits they look like, each in its place."""

    def mended(match: re.Match[str]) -> str:
        written = match[0]
        return written.translate(_AS_DIGIT) if sum(map(str.isdigit, written)) * 2 >= len(written) else written

    return _ALMOST_NUMBER.sub(mended, text)


def _misread(text: str, record: RecordIdentifiers) -> Iterator[Finding]:
    regex = require_regex()
    folded = fold(text)
    skeleton = folded.translate(_SKELETON)
    for name in record.names:
        # The caret between the parts of a name is read as any letter, or as none.
        for first, second in permutations([token.translate(_SKELETON) for token in name_tokens(name)[:4]], 2):
            pattern = _bounded(rf"{re.escape(first)}\S{{0,2}}{re.escape(second)}")
            yield from _spans(re.finditer(pattern, skeleton), "PERSON_NAME")
    pairs = (pair for name in record.names for pair in permutations(name_tokens(name)[:2], 2))
    joined = (("".join(pair), "PERSON_NAME") for pair in pairs if len("".join(pair)) > _LONG)
    for word, info_type in dict.fromkeys((*record.words(), *joined)):
        yield from _spans(re.finditer(_bounded(_loosely(word.translate(_SKELETON))), skeleton), info_type)
        mistakes = _mistakes(word)
        if mistakes:
            pattern = regex.compile(_bounded(rf"(?:{regex.escape(word)}){{e<={mistakes}}}"), regex.BESTMATCH)
            yield from _spans(pattern.finditer(folded, timeout=_SECONDS), info_type)


def _loosely(word: str) -> str:
    """Return a pattern for a word whose separators may be lost or others, if it is long enough for that."""
    letters = list(filter(str.isalnum, word))
    return r"[\W_]{0,2}".join(letters) if len(letters) > _SHORT else re.escape(word)


def _bounded(pattern: str) -> str:
    return rf"(?<![^\W_]){pattern}(?![^\W_])"


def _spans(matches: Iterable[re.Match[str]], info_type: str) -> Iterator[Finding]:
    for match in matches:
        yield Finding(match.start(), match.end(), info_type, known=True)


def _mistakes(word: str) -> int:
    """Return how many letters may be misread: none in short words and in numbers, which would become others."""
    if len(word) <= _SHORT or sum(map(str.isdigit, word)) * 2 > len(word):
        return 0
    return 2 if len(word) > _LONG else 1


def custom_spans(
    read: Page, patterns: Iterable[tuple[str, Sequence[int]]], seconds: float
) -> Iterator[tuple[int, int, int, int]]:
    """Yield (pattern, line, start, end) for what custom patterns match in the lines and in rows of them.

    :param patterns: each pattern with the groups to cover; no group, or group 0, stands for the whole match.
    :param seconds: the time that one search may take.
    :raises TimeoutError: when a search takes longer.
    """
    regex = require_regex()

    for number, (source, groups) in enumerate(patterns):
        pattern = regex.compile(source)
        spans = set()
        for start, text in _texts(read):
            for match in pattern.finditer(text, timeout=seconds):
                spans |= {
                    (start + match.start(group), start + match.end(group)) for group in groups or (0,) if match[group]
                }
        for start, end in sorted(spans):
            for line, first, last in read.parts(start, end):
                yield number, line, first, last


def _texts(read: Page) -> Iterator[tuple[int, str]]:
    """Yield the lines, and the rows of more than one line, with where they start."""
    for line, start in zip(read.lines, read.starts, strict=True):
        yield start, line.text
    start = 0
    for row in read.text.split("\n"):
        yield start, row
        start += len(row) + 1
