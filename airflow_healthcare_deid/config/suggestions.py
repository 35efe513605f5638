"""The nearest valid word for one that is not valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_FEW = 12


def suggest(word: str, valid: Collection[str]) -> str:
    """Return a way out of a misspelt word.

    :param word: what was written.
    :param valid: what may be written instead.
    """
    from difflib import get_close_matches

    folded = {_fold(candidate): candidate for candidate in valid}
    close = get_close_matches(_fold(word[:100]), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {folded[close[0]]}?"
    return f"Use one of {', '.join(valid)}" if 0 < len(valid) <= _FEW else ""


def shown(word: str) -> str:
    """Return a word as an error may show it: quoted, and short."""
    return repr(word if len(word) <= 60 else f"{word[:60]}…")


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")
