"""Text in the character sets of DICOM: strictly read, and written so that it can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import python_encoding

from airflow_healthcare_deid.engine.dicom.charset import decode, encode, encodings_of

# PS3.5 annexes H, I, J and K.
EXAMPLES = [
    (b"", b"Doe^Jane", "Doe^Jane"),
    (b"ISO_IR 100", b"B\xe4uml", "Bäuml"),
    (b"ISO_IR 192", "Wang^XiaoDong=王^小东".encode(), "Wang^XiaoDong=王^小东"),
    (b"GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
    (b"ISO_IR 144", b"\xb8\xd2\xd0\xdd", "\u0418\u0432\u0430\u043d"),  # Ivan
    (
        b"\\ISO 2022 IR 87",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    (b"\\ISO 2022 IR 149", b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong=洪^吉洞"),
]


@pytest.mark.parametrize(("character_sets", "value", "text"), EXAMPLES)
def test_examples_of_the_standard(character_sets: bytes, value: bytes, text: str) -> None:
    assert decode(value, character_sets) == text
    encoded = encode(text, character_sets)
    assert encoded is not None
    assert decode(encoded, character_sets) == text


@pytest.mark.parametrize(
    ("character_sets", "value"),
    [(b"ISO_IR 192", b"\xff"), (b"ISO_IR 666", b"Doe"), (b"\\ISO 2022 IR 87", b"\x1b$Z12"), (b"GB18030", b"\xfb")],
)
def test_what_does_not_fit_is_not_guessed(character_sets: bytes, value: bytes) -> None:
    assert decode(value, character_sets) is None


def test_what_cannot_be_written_is_not_written() -> None:
    assert encode("山田", b"ISO_IR 100") is None
    assert encode("山田", b"\\ISO 2022 IR 149") is not None
    assert encode("Ω", b"ISO_IR 666") is None


@pytest.mark.parametrize("term", [b"ISO IR 100", b"iso_ir 100", b"ISO-IR 100", b"ISO_IR 100 "])
def test_usual_misspellings(term: bytes) -> None:
    assert encodings_of(term) == ("latin_1",)


@given(st.text(max_size=40), st.lists(st.sampled_from(sorted(python_encoding)), min_size=1, max_size=3))
def test_what_is_written_can_be_read_again(text: str, terms: list[str]) -> None:
    character_sets = "\\".join(terms).encode()
    encoded = encode(text, character_sets)
    assert encoded is None or decode(encoded, character_sets) == text


@given(st.binary(max_size=40), st.lists(st.sampled_from(sorted(python_encoding)), min_size=1, max_size=3))
def test_any_bytes_are_read_or_refused(value: bytes, terms: list[str]) -> None:
    decode(value, "\\".join(terms).encode())
