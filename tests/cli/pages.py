"""Reads a page as a browser would: its tags, its text, and the rows of its tables of fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "img", "input", "wbr", "br"}


@dataclass
class Page(HTMLParser):
    """A page taken apart.

    :param source: its HTML.
    """

    source: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    rows: dict[str, list[str]] = field(default_factory=dict)
    text: str = ""
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._cells: list[str] | None = None
        self.feed(self.source)
        self.close()
        assert not self._open, "tags that are not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "tr":
            self._cells = []
        elif tag in ("th", "td") and self._cells is not None:
            self._cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "tr" and self._cells:
            self.rows[self._cells[0].split(" (")[0].strip()] = [cell.strip() for cell in self._cells]
            self._cells = None

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside == "style":
            self.styles.append(data)
        else:
            self.text += data
            if self._cells:
                self._cells[-1] += data

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Its tags with the names of their attributes, without any value."""
        return [(tag, tuple(attributes)) for tag, attributes in self.tags]
