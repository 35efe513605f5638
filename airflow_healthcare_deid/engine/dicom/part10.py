"""The file around a data set: preamble, file meta information, deflation (DICOM PS3.10, chapter 7)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_healthcare_deid.engine.dicom.encoding import DEFLATED, EXPLICIT_LITTLE, LONG_VRS, SHORT_VRS, encoding_of
from airflow_healthcare_deid.engine.dicom.values import uid_text
from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_healthcare_deid.engine.dicom.encoding import Encoding

TRANSFER_SYNTAX_UID: Final = 0x00020010
MEDIA_STORAGE_SOP_INSTANCE_UID: Final = 0x00020003
IMPLEMENTATION_CLASS_UID: Final = 0x00020012
IMPLEMENTATION_VERSION_NAME: Final = 0x00020013
_GROUP_LENGTH: Final = 0x00020000
_PREAMBLE: Final = 128
_START: Final = 132


@dataclass(slots=True)
class Part10:
    """A file taken apart.

    :param meta: the elements of group 0002: tag to VR and value, without the group's length.
    :param body: bytes that hold the data set, inflated.
    :param start: where in them it starts.
    :param encoding: how its elements are written.
    :param deflated: whether the file holds it deflated.
    """

    meta: dict[int, tuple[bytes, bytes]]
    body: bytes
    start: int
    encoding: Encoding
    deflated: bool


def read_part10(data: bytes) -> Part10:
    """Take a file apart.

    :raises UndecodableError: when it is no DICOM file, or inflates beyond the limit.
    """
    if data[_PREAMBLE:_START] != b"DICM":
        raise UndecodableError("not a DICOM file: there is no DICM behind a preamble of 128 bytes")
    try:
        meta, start = _read_meta(data)
    except struct.error:
        raise UndecodableError("the file ends inside its file meta information") from None
    if TRANSFER_SYNTAX_UID not in meta:
        raise UndecodableError("the file meta information lacks TransferSyntaxUID")
    syntax = uid_text(meta[TRANSFER_SYNTAX_UID][1])
    if syntax in DEFLATED:
        return Part10(meta, _inflated(data, start), 0, EXPLICIT_LITTLE, deflated=True)
    return Part10(meta, data, start, encoding_of(syntax), deflated=False)


def _read_meta(data: bytes) -> tuple[dict[int, tuple[bytes, bytes]], int]:
    meta: dict[int, tuple[bytes, bytes]] = {}
    pos, encoding = _START, EXPLICIT_LITTLE
    while data[pos : pos + 2] == b"\x02\x00":
        key, vr, length = encoding.header.unpack_from(data, pos)
        value = pos + 8
        if vr in LONG_VRS:
            (length,) = encoding.long.unpack_from(data, value)
            value += 4
        elif vr not in SHORT_VRS:
            raise UndecodableError("the file meta information is not in explicit VR")
        pos = value + length
        if pos > len(data):
            raise UndecodableError("an element of the file meta information is longer than the file")
        if encoding.tag(key) != _GROUP_LENGTH:
            meta[encoding.tag(key)] = vr, data[value:pos]
    return meta, pos


def write_part10(preamble: bytes, meta: dict[int, tuple[bytes, bytes]], body: Iterable[bytes | memoryview]) -> bytes:
    """Put a file together; `body` is deflated already if the transfer syntax says so."""
    elements = b"".join(_element(tag, *meta[tag]) for tag in sorted(meta))
    length = _element(_GROUP_LENGTH, b"UL", len(elements).to_bytes(4, "little"))
    return b"".join((preamble, b"DICM", length, elements, *body))


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    if len(value) & 1:
        value += b"\0" if vr in (b"UI", b"OB") else b" "
    head = EXPLICIT_LITTLE.pair.pack(EXPLICIT_LITTLE.key(tag), 0)[:4] + vr
    if vr in LONG_VRS:
        return b"%b\0\0%b%b" % (head, len(value).to_bytes(4, "little"), value)
    return b"%b%b%b" % (head, len(value).to_bytes(2, "little"), value)


def deflate(body: Iterable[bytes | memoryview]) -> list[bytes]:
    """Return a data set as the deflated transfer syntaxes store it, padded to an even length (PS3.5 A.5)."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    parts = [compressor.compress(part) for part in body]
    parts.append(compressor.flush())
    return [*parts, b"\0" * (sum(map(len, parts)) & 1)]


def _inflated(data: bytes, start: int) -> bytes:
    limits = load_rules("dicom")["limits"]
    limit = max(limits["inflated_bytes"], limits["inflated_ratio"] * (len(data) - start))
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        body = inflater.decompress(memoryview(data)[start:], limit)
    except zlib.error:
        raise UndecodableError("the data set is not deflated as its transfer syntax says") from None
    if not inflater.eof:
        problem = f"inflates to more than {limit} bytes" if len(body) >= limit else "is cut off"
        raise UndecodableError(f"the deflated data set {problem}")
    return body
