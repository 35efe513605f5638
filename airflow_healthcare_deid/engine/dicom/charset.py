"""Text of DICOM elements, strictly: what does not fit its character set is not guessed (PS3.5, 6.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pydicom.charset import CODES_TO_ENCODINGS, ENCODINGS_TO_CODES, python_encoding

_ESCAPE: Final = b"\x1b"
_FRAGMENTS: Final = re.compile(rb"^[^\x1b]+|\x1b[^\x1b]*")
_DELIMITERS: Final = re.compile(rb"[\\^=\r\n\t\f]")
_PARTS: Final = re.compile(r"([\\^=\r\n\t\f])")
_SPELLING: Final = re.compile(r"ISO[ _-]?(2022[ _-])?IR[ _-]?(\d+)")
_KEEPS_ESCAPES: Final = frozenset({"iso2022_jp", "iso2022_jp_2", "iso_ir_58"})
"""Codecs that want to see the escape sequence themselves."""
_JIS_X_0201: Final = "shift_jis"


@lru_cache(maxsize=256)
def encodings_of(character_sets: bytes) -> tuple[str, ...]:
    """Return Python's codecs for a value of SpecificCharacterSet; none when it names an unknown set."""
    terms = [term.strip() for term in character_sets.strip(b" \0").decode("ascii", "replace").split("\\")]
    codecs = tuple(python_encoding.get(_spelled(term), "") for term in terms)
    return codecs if all(codecs) else ()


def _spelled(term: str) -> str:
    match = _SPELLING.fullmatch(term.upper())
    if match is None:
        return term
    return f"ISO 2022 IR {match[2]}" if match[1] else f"ISO_IR {match[2]}"


def decode(value: bytes, character_sets: bytes) -> str | None:
    """Return the text of a value, or None when its bytes do not fit the character sets.

    :param value: the bytes of the element, all values of it.
    :param character_sets: SpecificCharacterSet; empty for the default repertoire.
    """
    codecs = encodings_of(character_sets)
    if not codecs:
        return None
    try:
        if _ESCAPE not in value:
            return value.decode(codecs[0])
        return "".join(_fragment(fragment, codecs) for fragment in _FRAGMENTS.findall(value))
    except (UnicodeError, LookupError):
        return None


def _fragment(fragment: bytes, codecs: tuple[str, ...]) -> str:
    if not fragment.startswith(_ESCAPE):
        return fragment.decode(codecs[0])
    size = 4 if fragment[1:3] in (b"$(", b"$)") else 3
    codec = CODES_TO_ENCODINGS[fragment[:size]]
    if codec in _KEEPS_ESCAPES:
        return fragment.decode(codec)
    text = fragment[size:]
    delimiter = _DELIMITERS.search(text)
    end = delimiter.start() if delimiter else len(text)
    return text[:end].decode(codec) + text[end:].decode(codecs[0])


def encode(text: str, character_sets: bytes) -> bytes | None:
    """Return the bytes of a text, or None when the character sets cannot hold it.

    What is returned always decodes to the same text.
    """
    if text.isascii() and "\x1b" not in text:
        return text.encode("ascii")
    codecs = encodings_of(character_sets)
    if not codecs:
        return None
    # A delimiter ends the reach of an escape sequence, so that each part has its own.
    parts = [_encoded_part(part, codecs) for part in _PARTS.split(text)]
    encoded = b"".join(part for part in parts if part is not None)
    return encoded if None not in parts and decode(encoded, character_sets) == text else None


def _encoded_part(part: str, codecs: tuple[str, ...]) -> bytes | None:
    for codec in codecs:
        try:
            encoded = part.encode(codec)
        except UnicodeError:
            continue
        if codec == _JIS_X_0201 and len(encoded) != len(part):
            continue  # Python's codec has more than the single bytes that DICOM takes from it
        if codec == codecs[0] or codec in _KEEPS_ESCAPES:
            return encoded
        if codec in ENCODINGS_TO_CODES:
            return ENCODINGS_TO_CODES[codec] + encoded
    return None
