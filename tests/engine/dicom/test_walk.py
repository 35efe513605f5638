"""The walk over bytes: every way to write sequences, and every way to get them wrong."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_healthcare_deid.config import DicomConfig
from airflow_healthcare_deid.engine.dicom.walk import MAX_DEPTH
from airflow_healthcare_deid.engine.errors import UndecodableError
from tests.engine.dicom.files import (
    BASIC,
    CONTENTS,
    UNDEFINED,
    body_of,
    deidentifier,
    delimiter,
    element,
    item,
    part10,
    remove_list,
    sequence,
    usable_files,
)

IMPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
NAME, SERIES_NUMBER, SEQUENCE, INNER = 0x00100010, 0x00200011, 0x00081140, 0x00081199
REMOVE_NAME = deidentifier(remove_list("PatientName"))


def removed(body: bytes, syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    """Return a data set without its PatientName elements."""
    return body_of(REMOVE_NAME.deidentify(part10(body, syntax)).data)


@pytest.mark.parametrize(("syntax", "implicit", "order"), [("", False, "<"), (IMPLICIT, True, "<"), (BIG, False, ">")])
@pytest.mark.parametrize("outer_undefined", [False, True])
@pytest.mark.parametrize("inner_undefined", [False, True])
@pytest.mark.parametrize("items_undefined", [False, True])
def test_removal_inside_nested_sequences_mends_the_lengths_around_it(
    syntax: str, implicit: bool, order: str, outer_undefined: bool, inner_undefined: bool, items_undefined: bool
) -> None:
    def body(*, with_name: bool) -> bytes:
        def e(tag: int, vr: str, value: bytes) -> bytes:
            return element(tag, vr, value, implicit=implicit, order=order)

        name = e(NAME, "PN", b"Doe^Jane") if with_name else b""
        number = e(SERIES_NUMBER, "IS", b"7 ")
        deep = sequence(
            INNER,
            item(name, undefined=items_undefined, order=order),
            item(number + name, undefined=items_undefined, order=order),
            undefined=inner_undefined,
            implicit=implicit,
            order=order,
        )
        wide = sequence(
            SEQUENCE,
            item(number, undefined=items_undefined, order=order),
            item(deep + name, undefined=items_undefined, order=order),
            item(b"", undefined=items_undefined, order=order),
            undefined=outer_undefined,
            implicit=implicit,
            order=order,
        )
        return e(0x00080060, "CS", b"CT") + wide + name + number

    assert removed(body(with_name=True), syntax or "1.2.840.10008.1.2.1") == body(with_name=False)


def test_what_stays_is_copied_byte_by_byte() -> None:
    # An odd length, a wrong padding, an unknown private VR form: nobody asked to mend them.
    odd = element(0x00080060, "CS", b"CT\0") + element(0x00091001, "UN", b"\1\2\3") + element(SERIES_NUMBER, "IS", b"7")
    assert removed(odd + element(NAME, "PN", b"Doe^Jane")) == odd


def test_group_lengths_go() -> None:
    number = element(SERIES_NUMBER, "IS", b"7 ")
    assert removed(element(0x00200000, "UL", struct.pack("<L", len(number))) + number) == number


def test_sequence_written_as_unknown_is_walked_in_implicit_and_in_explicit_vr() -> None:
    for implicit in (True, False):
        number = element(SERIES_NUMBER, "IS", b"7 ", implicit=implicit)
        name = element(NAME, "PN", b"Doe^Jane", implicit=implicit)
        before, after = (
            element(tag, "UN", item(content)) for tag, content in ((SEQUENCE, number + name), (SEQUENCE, number))
        )
        assert removed(before) == after
        undefined = item(number + name) + delimiter(0xE0DD), item(number) + delimiter(0xE0DD)
        before, after = (element(0x00091001, "UN", value, length=UNDEFINED) for value in undefined)
        assert removed(before) == after


def test_private_bytes_of_unknown_vr_that_only_look_like_items_stay() -> None:
    looks_like_items = element(0x00091001, "UN", item(b"no elements here"))
    assert removed(looks_like_items) == looks_like_items


def test_private_sequence_of_unknown_vr_and_defined_length_is_walked() -> None:
    name = element(NAME, "PN", b"Doe^Jane", implicit=True)
    assert removed(element(0x00091001, "UN", item(name))) == element(0x00091001, "UN", item(b""))


def test_writer_that_switches_to_implicit_vr_inside_a_sequence() -> None:
    number, name = (element(t, "", v, implicit=True) for t, v in ((SERIES_NUMBER, b"7 "), (NAME, b"Doe^Jane")))
    assert removed(sequence(SEQUENCE, item(number + name))) == sequence(SEQUENCE, item(number))


def test_removed_sequence_of_undefined_length_takes_all_it_holds_along() -> None:
    deep = sequence(INNER, item(element(NAME, "PN", b"Doe^Jane"), undefined=True), undefined=True)
    held = sequence(SEQUENCE, item(deep, undefined=True), undefined=True)
    number = element(SERIES_NUMBER, "IS", b"7 ")
    deid = deidentifier(remove_list("ReferencedImageSequence"))
    assert body_of(deid.deidentify(part10(held + number)).data) == number


def test_fragments_are_copied_and_can_be_removed() -> None:
    fragments = item(b"") + item(b"\xfe\xff\xdd\xe0 not a delimiter  ") + delimiter(0xE0DD)
    pixels = element(0x7FE00010, "OB", fragments, length=UNDEFINED)
    assert removed(pixels) == pixels
    icon = sequence(
        0x00880200, item(element(0x7FE00010, "OB", fragments, length=UNDEFINED), undefined=True), undefined=True
    )
    assert body_of(deidentifier(BASIC).deidentify(part10(icon + pixels)).data) == pixels


NUMBER = element(SERIES_NUMBER, "IS", b"7 ")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (NUMBER[:-1], "beyond"),
        (NUMBER[:5], "ends inside"),
        (element(NAME, "PN", b"Doe", length=400), "longer|beyond"),
        (element(0x7FE00010, "OW", b"\0\0", length=0x7FFFFFFF), "beyond"),
        (element(SEQUENCE, "SQ", item(NUMBER), length=0x7FFFFFFF), "longer"),
        (sequence(SEQUENCE, item(NUMBER)[:-2] + b""), "beyond|longer"),
        (sequence(SEQUENCE, struct.pack("<HHL", 0xFFFE, 0xE000, 0x7FFFFFFF)), "longer"),
        (sequence(SEQUENCE, NUMBER), "not an item"),
        (element(SEQUENCE, "SQ", item(NUMBER), length=UNDEFINED), "end where"),
        (element(0x7FE00010, "OB", item(b"12"), length=UNDEFINED), "fragments"),
        (element(0x7FE00010, "OB", item(b"12")[:6], length=UNDEFINED), "ends inside|fragments"),
        (element(0x7FE00010, "OB", NUMBER, length=UNDEFINED), "fragments"),
        (delimiter(0xE00D), "delimiter"),
        (delimiter(0xE0DD), "delimiter"),
        (item(b""), "delimiter"),
        (element(SERIES_NUMBER, "ZZ", b"7 "), "VR"),
    ],
)
def test_malformed_data_sets_are_refused(body: bytes, problem: str) -> None:
    for config in (DicomConfig(), BASIC, CONTENTS):
        with pytest.raises(UndecodableError, match=problem):
            deidentifier(config).deidentify(part10(NUMBER + body))


def test_a_claim_of_gigabytes_allocates_nothing() -> None:
    claims = [
        element(0x7FE00010, "OW", b"\0\0", length=0x7FFFFFFE),
        element(0x00104000, "UT", b"Jane", length=0x7FFFFFFE),
        sequence(SEQUENCE, struct.pack("<HHL", 0xFFFE, 0xE000, 0x7FFFFFFE)),
        element(0x0040A730, "SQ", item(NUMBER), length=0x7FFFFFFE),
    ]
    deids = [deidentifier(config) for config in (BASIC, CONTENTS)]
    tracemalloc.start()
    try:
        for deid in deids:
            for claim in claims:
                with pytest.raises(UndecodableError):
                    deid.deidentify(part10(claim))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("undefined", [False, True])
def test_depth_is_bounded(undefined: bool) -> None:
    def nested(levels: int) -> bytes:
        body = NUMBER
        for _ in range(levels):
            body = sequence(SEQUENCE, item(body, undefined=undefined), undefined=undefined)
        return part10(body)

    assert deidentifier(BASIC).deidentify(nested(MAX_DEPTH - 1)).data
    with pytest.raises(UndecodableError, match="deeper"):
        deidentifier(BASIC).deidentify(nested(MAX_DEPTH))


SMALL_FILES = [data for data in usable_files().values() if len(data) < 20_000]
DEIDS = [deidentifier(config) for config in (DicomConfig(), BASIC, CONTENTS, remove_list("PatientName"))]


@settings(max_examples=300)
@given(st.data())
def test_damaged_files_are_refused_or_de_identified_but_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(SMALL_FILES)))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(128, len(damaged) - 1))
        damaged[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=8))
    deid = data.draw(st.sampled_from(DEIDS))
    try:
        first = deid.deidentify(bytes(damaged)).data
    except UndecodableError:
        return
    assert deid.deidentify(bytes(damaged)).data == first
    deid.deidentify(first)  # what comes out is well-formed


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_noise_is_refused_or_de_identified_but_nothing_else(noise: bytes) -> None:
    for deid in DEIDS:
        for body in (noise, sequence(SEQUENCE, item(noise)), sequence(SEQUENCE, item(noise), undefined=True)):
            for syntax in ("1.2.840.10008.1.2.1", IMPLICIT, BIG):
                try:
                    deid.deidentify(part10(body, syntax))
                except UndecodableError:
                    continue
