"""DICOM tags: by keyword or by number.

The dictionary is ``keywords.txt``, one ``TAG Keyword`` a line (an ``x`` is any digit, ``-`` no keyword), made from
pydicom's by ``python -m scripts.make_keywords``: reading it takes a millisecond, importing pydicom a quarter of a
second, and a DAG file pays that on every parse. Source: DICOM PS3.6 and PS3.7, the data dictionary.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from airflow_healthcare_deid.config.suggestions import shown, suggest
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER = re.compile(r"\(([0-9A-Fa-f]{4}),\s?([0-9A-Fa-f]{4})\)|([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})")
_FORMS = "Use a keyword such as PatientID, or a tag such as 00100020"
_NO_ELEMENTS = {0x0000: "a command", 0xFFFE: "a delimiter of sequences"}
_EXACT = 0xFFFFFFFF


class TagPattern(NamedTuple):
    """A tag, or a family of them such as OverlayData, (60xx,3000)."""

    value: int
    mask: int

    def matches(self, tag: int) -> bool:
        """Tell whether a tag belongs to the family."""
        return tag & self.mask == self.value

    def numbers(self) -> Iterator[int]:
        """Yield every tag of the family."""
        free = rest = ~self.mask & _EXACT
        while True:
            yield self.value | rest
            if not rest:
                return
            rest = (rest - 1) & free


class _Dictionary(NamedTuple):
    by_keyword: dict[str, str]
    by_number: dict[str, str]
    families: dict[str, TagPattern]


def parse_tag(text: str, path: str = "") -> int:
    """Read a tag.

    :param text: ``PatientID``, ``00100020``, ``0010,0020`` or ``(0010,0020)``. A keyword that stands for a family of
        tags gives its first, OverlayData 60003000; :func:`parse_tag_pattern` gives the family.
    :param path: what an error calls it.
    :raises ConfigError: if it has another form or the keyword is unknown.
    """
    return parse_tag_pattern(text, path).value


def parse_tag_pattern(text: str, path: str = "") -> TagPattern:
    """Read a tag, as :func:`parse_tag`, into what it matches: one number, or the family of a repeating group.

    :param text: the tag.
    :param path: what an error calls it.
    :raises ConfigError: if it has another form or the keyword is unknown.
    """
    number = _NUMBER.fullmatch(text)
    if number:
        return TagPattern(int("".join(digits for digits in number.groups() if digits), 16), _EXACT)
    dictionary = _dictionary()
    known = dictionary.by_keyword.get(text)
    if known is None:
        raise ConfigError(path, f"{shown(text)} is no DICOM tag", suggest(text, dictionary.by_keyword) or _FORMS)
    return dictionary.families.get(known) or TagPattern(int(known, 16), _EXACT)


def tag_keyword(tag: int) -> str:
    """Return the keyword of a tag, or its eight hexadecimal digits if it has none (a private tag)."""
    number = f"{tag:08X}"
    keyword = _entry(number)
    return number if keyword in (None, "-") else str(keyword)


def check_tag(text: str, path: str = "") -> int:
    """Read a tag that a filter list may name.

    :param text: the tag.
    :param path: what an error calls it.
    :raises ConfigError: if it is no data, file meta or directory element of PS3.6, and not private.
    """
    tag = parse_tag(text, path)
    group = tag >> 16
    if group in _NO_ELEMENTS:
        raise ConfigError(path, f"{shown(text)} is {_NO_ELEMENTS[group]}, not a data element", _FORMS)
    if group % 2 == 0 and tag & 0xFFFF and _entry(f"{tag:08X}") is None:
        raise ConfigError(path, f"{shown(text)} is no element of DICOM PS3.6", "Look it up, or use its keyword")
    return tag


def _entry(number: str) -> str | None:
    dictionary = _dictionary()
    keyword = dictionary.by_number.get(number)
    if keyword is None:
        tag = int(number, 16)
        keyword = next((dictionary.by_number[key] for key, p in dictionary.families.items() if p.matches(tag)), None)
    return keyword


@cache
def _dictionary() -> _Dictionary:
    words = Path(__file__).with_name("keywords.txt").read_text("ascii").split()
    numbers, keywords = words[::2], words[1::2]
    families = {
        number: TagPattern(
            int(number.replace("x", "0"), 16),
            int("".join("0" if digit == "x" else "F" for digit in number), 16),
        )
        for number in numbers
        if "x" in number
    }
    by_keyword = dict(zip(keywords, numbers, strict=True))
    by_keyword.pop("-", None)
    return _Dictionary(by_keyword, dict(zip(numbers, keywords, strict=True)), families)
