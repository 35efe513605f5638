"""Text as a reader sees it, for a search that is not to miss what looks the same.

An accent may be a character of its own, a letter may have full width, a hyphen may be one of several, and between the
letters of a word there may be characters that nobody sees, such as the soft hyphens of a narrative.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.text.findings import Finding

# Accents, invisible characters, hyphens, ligatures and full-width forms.
_UNPLAIN = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u200b-\u200f\u2010-\u2013\u202a-\u202e\u2060-\u2064\u2066-\u2069\u2212\ufb00-\ufb06\ufeff\uff01-\uff5e]"
)
_INVISIBLE = "Cf"
_HYPHENS = frozenset("\u2010\u2011\u2012\u2013\u2212")


class PlainText(NamedTuple):
    """A text and where its characters stand in the one that it was made of.

    :param text: the text to search.
    :param starts: where each character's stretch of the original starts; None when the texts are the same.
    :param ends: where it ends.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def in_original(self, finding: Finding) -> Finding:
        """Return a finding with its place in the original."""
        if self.starts is None or self.ends is None or finding.start >= finding.end:
            return finding
        return replace(finding, start=self.starts[finding.start], end=self.ends[finding.end - 1])


def plain_text(original: str) -> PlainText:
    """Return a text as a reader sees it."""
    if original.isascii() or not _UNPLAIN.search(original):
        return PlainText(original)
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    start = 0
    while start < len(original):
        end = start + 1
        while end < len(original) and unicodedata.combining(original[end]):
            end += 1
        for character in unicodedata.normalize("NFKC", original[start:end]):
            if unicodedata.category(character) != _INVISIBLE:
                text.append("-" if character in _HYPHENS else character)
                starts.append(start)
                ends.append(end)
        start = end
    return PlainText("".join(text), starts, ends)
