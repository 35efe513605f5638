"""Looking for planted values in what came out: in raw bytes, in several encodings, and in decoded text."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.uid import DeflatedExplicitVRLittleEndian

from quality.fhir_set import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENCODINGS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "shift_jis", "iso2022_jp", "gb18030")
_ESCAPES = re.compile(rb"\x1b[$(][@-Z]?")
_BYTES = frozenset({"OB", "OW", "SQ"})
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")


class Haystack:
    """One output, ready to be searched.

    :param data: a DICOM file, or a FHIR resource.
    """

    def __init__(self, data: bytes | dict[str, Any]) -> None:
        parts = _of_file(data) if isinstance(data, bytes) else _of_resource(data)
        self._parts = [part.lower() for part in parts]

    def holds(self, needle: str) -> bool:
        """Tell whether a text is in there in any spelling; the case of letters does not matter."""
        return any(form in part for form in spellings(needle) for part in self._parts)


def spellings(text: str) -> set[bytes]:
    """Return the byte strings that a text can be written as, in lower case."""
    found = set()
    for encoding in _ENCODINGS:
        try:
            found.add(_ESCAPES.sub(b"", text.encode(encoding)).lower())
        except UnicodeEncodeError:
            continue
    return found


def _of_file(data: bytes) -> Iterator[bytes]:
    yield data
    dataset = dcmread(DicomBytesIO(data))
    if dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
        start = 144 + int(dataset.file_meta.FileMetaInformationGroupLength)
        yield zlib.decompressobj(wbits=-15).decompress(data[start:])
    values = (str(element.value) for element in dataset.iterall() if element.VR not in _BYTES)
    yield "\n".join(values).encode()


def _of_resource(resource: dict[str, Any]) -> Iterator[bytes]:
    yield json.dumps(resource, ensure_ascii=False).encode()
    yield re.sub(r"<[^>]*>", "", json.dumps(resource, ensure_ascii=False)).encode()
    for _, value in leaves(resource):
        if isinstance(value, str) and _BASE64.fullmatch(value):
            try:
                yield base64.b64decode(value, validate=True)
            except binascii.Error:
                continue
