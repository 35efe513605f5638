"""The code in the docs, found by its fences: language, text, and the mark in the comment above it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "_generated" not in path.parts)
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>\w+) -->\n)?^```(?P<language>[\w{}-]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Snippet(NamedTuple):
    """A block of code in a page.

    :param mark: what the tests do with it beyond looking at it: ``run`` a DAG, ``exec`` a script, run ``pytest``.
    """

    page: str
    line: int
    language: str
    mark: str
    text: str

    @property
    def name(self) -> str:
        """A name that is a Python identifier."""
        return re.sub(r"\W", "_", f"{self.page.removesuffix('.md')}_{self.line}")

    @property
    def is_dag(self) -> bool:
        """Whether it defines a DAG."""
        return self.language == "python" and re.search(r"\bDAG\(", self.text) is not None


def snippets(*languages: str) -> list[Snippet]:
    """Return the blocks of some languages in all pages and the README."""
    return [
        Snippet(str(page.relative_to(ROOT / "docs")), text[: found.start("text")].count("\n") + 1, **_parts(found))
        for page in (*PAGES, ROOT / "docs" / ".." / "README.md")
        for text in [page.read_text("utf-8")]
        for found in _BLOCK.finditer(text)
        if found["language"] in languages
    ]


def _parts(found: re.Match[str]) -> dict[str, str]:
    return {"language": found["language"], "mark": found["mark"] or "", "text": found["text"]}
