"""Narrative XHTML: its text transformed, its markup kept.

Read with expat. A document type declaration, and with it every entity that could be defined, is refused where it
starts, so the work is bounded by the length of the input.
"""

from __future__ import annotations

import re
from html.entities import html5
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

XHTML = "http://www.w3.org/1999/xhtml"

_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31};)")
_XML_ENTITIES = frozenset({"amp;", "lt;", "gt;", "quot;", "apos;"})


class UnreadableNarrativeError(ValueError):
    """A narrative is not well-formed, is no ``div``, or declares a document type. The message holds nothing of it."""


class Replacement(NamedTuple):
    """A stretch of text and what takes its place."""

    start: int
    end: int
    text: str


if TYPE_CHECKING:
    Find: TypeAlias = Callable[[str], list[Replacement]]


class _Piece(NamedTuple):
    """A tag as it is written, or a text.

    :param breaks: whether it is a tag that ends a line of text, unlike ``<b>``.
    """

    written: str
    is_text: bool = False
    breaks: bool = False


def transform_narrative(xhtml: str, find: Find) -> str:
    """Return a narrative with what is found in its text and its attributes replaced.

    A word is found though part of it is in ``<b>``. Comments, processing instructions and embedded images are left
    out. When there is nothing to change, the input itself is returned.

    :param xhtml: a ``div`` element.
    :param find: what to replace in a line of text; in order and without overlaps.
    :raises UnreadableNarrativeError: when it cannot be read.
    """
    reader = _Reader(find)
    reader.read(xhtml)
    written: list[str] = []
    changed = reader.changed
    for run in _runs(reader.pieces):
        replacements = find("".join(piece.written for piece in run if piece.is_text))
        changed = changed or bool(replacements)
        written += _replaced(run, replacements)
    return "".join(written) if changed else xhtml


def narrative_text(xhtml: str) -> str:
    """Return the text of a narrative without its markup.

    :raises UnreadableNarrativeError: when it cannot be read.
    """
    reader = _Reader(lambda _: [])
    reader.read(xhtml)
    words = (piece.written if piece.is_text else " " if piece.breaks else "" for piece in reader.pieces)
    return " ".join("".join(words).split())


def narrative_of(text: str) -> str:
    """Return a narrative that says a text and nothing else."""
    return f'<div xmlns="{XHTML}">{escape(text)}</div>'


def replace_all(text: str, replacements: list[Replacement]) -> str:
    """Return a text with its replacements made."""
    return "".join(_pieces_of(text, 0, replacements))


class _Reader:
    """Turns markup into pieces."""

    def __init__(self, find: Find) -> None:
        rules = load_rules("fhir_paths")["narrative"]
        self._find = find
        self._structural = frozenset(rules["structural_attributes"])
        self._inline = frozenset(rules["inline_elements"])
        self._depth = 0
        self._text: list[str] = []
        self._open: str | None = None
        self.pieces: list[_Piece] = []
        self.changed = False

    def read(self, xhtml: str) -> None:
        parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.CommentHandler = self._leave_out
        parser.ProcessingInstructionHandler = self._leave_out
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(_ENTITY.sub(_character, xhtml), True)
        except (expat.ExpatError, UnicodeError):
            raise UnreadableNarrativeError("the narrative is not well-formed XML") from None

    def _start(self, tag: str, attributes: list[str]) -> None:
        if not self._depth and tag.rpartition(":")[2] != "div":
            raise UnreadableNarrativeError("the narrative is no div element")
        self._flush()
        self._depth += 1
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        self._open = tag
        self._tag(tag, f"<{tag}" + "".join(self._attribute(name, value) for name, value in pairs))

    def _end(self, tag: str) -> None:
        is_empty = self._open is not None and not self._text
        self._flush(closes=is_empty)
        self._depth -= 1
        self._tag(tag, "/>" if is_empty else f"</{tag}>")

    def _flush(self, *, closes: bool = False) -> None:
        """Write the text read since the last tag, and the end of that tag unless it is about to close."""
        if self._open is not None and not closes:
            self._tag(self._open, ">")
        self._open = None
        if self._text:
            self.pieces.append(_Piece("".join(self._text), is_text=True))
            self._text.clear()

    def _tag(self, tag: str, written: str) -> None:
        self.pieces.append(_Piece(written, breaks=tag not in self._inline))

    def _attribute(self, name: str, value: str) -> str:
        if name not in self._structural and not name.startswith("xmlns"):
            if value.lstrip()[:5].lower() == "data:":
                self.changed = True
                return ""
            replacements = self._find(value)
            if replacements:
                self.changed = True
                value = replace_all(value, replacements)
        return f" {name}={quoteattr(value)}"

    def _leave_out(self, *_: object) -> None:
        self.changed = True

    def _refuse(self, *_: object) -> None:
        raise UnreadableNarrativeError("the narrative declares a document type or an entity")


def _runs(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    """Yield pieces in stretches whose texts a reader sees as one line."""
    run: list[_Piece] = []
    for piece in pieces:
        run.append(piece)
        if piece.breaks:
            yield run
            run = []
    yield run


def _replaced(run: list[_Piece], replacements: list[Replacement]) -> Iterator[str]:
    position = 0
    for piece in run:
        if not piece.is_text:
            yield piece.written
            continue
        yield escape("".join(_pieces_of(piece.written, position, replacements)))
        position += len(piece.written)


def _pieces_of(text: str, offset: int, replacements: list[Replacement]) -> Iterator[str]:
    """Yield what becomes of a text that starts at an offset of the text that the replacements are about."""
    position = 0
    for start, end, new in replacements:
        if end <= offset or start >= offset + len(text):
            continue
        yield text[position : max(start - offset, 0)]
        if start >= offset:
            yield new  # what a replacement reaches of a later piece only goes
        position = end - offset
    yield text[position:]


def _character(match: re.Match[str]) -> str:
    """Return what a named entity of HTML stands for, by its number; XML knows five, narratives in the wild more."""
    name = match[1]
    if name in _XML_ENTITIES or name not in html5:
        return match[0]
    # Never the character itself: that of &LT; would be markup.
    return "".join(f"&#{ord(character)};" for character in html5[name])
