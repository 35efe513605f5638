"""Recognizes identifiers by how they are written: the patterns of `rules/text_patterns.yaml`.

Google's detectors are not published; these find what is plain, and miss names that no title, cue or list gives away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.errors import MissingPartError, UndecodableError
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text.checks import CHECKS
from airflow_healthcare_deid.engine.text.dates import find_dates
from airflow_healthcare_deid.engine.text.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_SECONDS_PER_PATTERN = 10.0
"""A pattern that takes longer on one text than this fails the text; a bound, not reached by linear patterns."""
_CHUNK = 100_000
_OVERLAP = 1_000
_BIRTH_CUE = re.compile(
    r"\b(?:dob|d\.o\.b\.?|born(?: on)?|birth ?date|date of birth|birthday)[\s:]{0,3}(?:is )?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Pattern:
    info_types: frozenset[str]
    compiled: Any
    narrowed: bool
    check: Callable[[str], bool] | None


def require_regex() -> ModuleType:
    """Return the `regex` package, whose searches can be given a time limit.

    :raises MissingPartError: when the extra ``text`` is not installed.
    """
    try:
        return import_module("regex")
    except ImportError:
        raise MissingPartError("text") from None


def find_patterns(text: str, looked_for: frozenset[str]) -> tuple[Finding, ...]:
    """Return what the patterns find in a text, of the infoTypes looked for; findings may overlap.

    :raises UndecodableError: when a search exceeds its time limit.
    """
    if len(text) <= 2_000:
        return _find_cached(text, looked_for)
    if len(text) <= _CHUNK:
        return _find(text, looked_for)
    return tuple(
        Finding(start + one.start, start + one.end, one.info_type)
        for start in range(0, len(text), _CHUNK - _OVERLAP)
        for one in _find(text[start : start + _CHUNK], looked_for)
    )


@lru_cache(maxsize=4096)
def _find_cached(text: str, looked_for: frozenset[str]) -> tuple[Finding, ...]:
    return _find(text, looked_for)


def _find(text: str, looked_for: frozenset[str]) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if "DATE" in looked_for or "DATE_OF_BIRTH" in looked_for:
        found += _dates(text, looked_for)
    try:
        for pattern in _patterns():
            wanted = pattern.info_types & looked_for
            if wanted:
                found += _matches(pattern, text, min(wanted))
    except TimeoutError:
        raise UndecodableError(f"a text of {len(text)} characters took too long to search") from None
    return tuple(found)


def _matches(pattern: _Pattern, text: str, info_type: str) -> list[Finding]:
    found = []
    for match in pattern.compiled.finditer(text, timeout=_SECONDS_PER_PATTERN):
        start, end = match.span("v" if pattern.narrowed and match["v"] else 0)
        if start < end and (pattern.check is None or pattern.check(text[start:end])):
            found.append(Finding(start, end, info_type))
    return found


def _dates(text: str, looked_for: frozenset[str]) -> list[Finding]:
    found = []
    for written in find_dates(text):
        birth = "DATE_OF_BIRTH" in looked_for and _BIRTH_CUE.search(text, max(0, written.start - 30), written.start)
        if birth or "DATE" in looked_for:
            found.append(Finding(written.start, written.end, "DATE_OF_BIRTH" if birth else "DATE"))
    return found


@cache
def _patterns() -> tuple[_Pattern, ...]:
    regex = require_regex()
    rules = load_rules("text_patterns")
    lists = _word_lists()
    patterns = []
    for row in rules["patterns"]:
        source = row["regex"]
        for part, replacement in rules["parts"].items():
            source = source.replace("{" + part + "}", replacement)
        used = {name: words for name, words in lists.items() if rf"\L<{name}>" in source}
        compiled = regex.compile(source, **used)
        check = CHECKS[row["check"]] if "check" in row else None
        info_types = frozenset((row["info_type"], *row.get("also", ())))
        patterns.append(_Pattern(info_types, compiled, "v" in compiled.groupindex, check))
    return tuple(patterns)


def _word_lists() -> dict[str, list[str]]:
    lists = {}
    for name, words in load_rules("text_words").items():
        if name != "source":
            entries = words.split() if isinstance(words, str) else words
            lists[name] = sorted({form for word in entries for form in (word, word.upper())})
    return lists
