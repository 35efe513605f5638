"""What the index keeps of an instance that the engine wrote. Runs in worker processes only.

Only the elements that the index keeps are read, each by itself and by pydicom, so the result is that of
`part10.read_record`. The same elements come again and again, since instances share patient, study and series: a value
that was read lately is not read again. What the engine writes is well-formed; what clients send goes to `part10`.
"""

from __future__ import annotations

import functools
import io
import re
from typing import TYPE_CHECKING, Final

import msgspec
from pydicom.filereader import read_dataset

from airflow_healthcare_deid.emulator.dicomweb.attributes import SUMMARY_TAGS
from airflow_healthcare_deid.emulator.dicomweb.json_model import to_json
from airflow_healthcare_deid.emulator.dicomweb.part10 import record_of, text_of
from airflow_healthcare_deid.engine.dicom.collect import Collector
from airflow_healthcare_deid.engine.dicom.part10 import TRANSFER_SYNTAX_UID, read_part10
from airflow_healthcare_deid.engine.dicom.values import uid_text

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.engine.dicom.encoding import Encoding

_CHARACTER_SET: Final = 0x00080005
_REMEMBERED: Final = 1 << 12
_MEMORABLE_BYTES: Final = 1 << 10
_PLAIN_UID: Final = re.compile(rb"....UI..([0-9.]+)\0?", re.DOTALL)
"""An element that is a UID: there is little to read, and hardly one comes again."""

_collector = Collector(frozenset(int(tag, 16) for tag in SUMMARY_TAGS))


def written_record(data: bytes) -> InstanceRecord:
    """Return what the index keeps of a file that the engine wrote.

    :raises NotStorableError: if it lacks what identifies an instance.
    """
    file = read_part10(data)
    found = _collector.collect(file)
    character_set = found.elements.get(_CHARACTER_SET, b"")
    members: list[str] = []
    texts: dict[int, str] = {}
    for tag, element in sorted(found.elements.items()):
        if uid := _PLAIN_UID.fullmatch(element):
            texts[tag] = uid[1].decode()
            members.append(f'"{tag:08X}":{{"vr":"UI","Value":["{texts[tag]}"]}}')
            continue
        read = _remembered if len(element) <= _MEMORABLE_BYTES else _read
        member, texts[tag] = read(tag, element, character_set, file.encoding)
        if member:
            members.append(member)
    return record_of(
        lambda tag: texts.get(tag, ""),
        transfer_syntax=uid_text(file.meta[TRANSFER_SYNTAX_UID][1]),
        size=len(data),
        # Of a deflated file nobody knows, without inflating it, how much is pixels.
        header_size=len(data) if file.deflated or found.pixels is None else found.pixels,
        summary=f"{{{','.join(members)}}}",
    )


def _read(tag: int, element: bytes, character_set: bytes, encoding: Encoding) -> tuple[str, str]:
    """Return an element as a member of a DICOM JSON object, empty if it has none, and its value as text."""
    before = b"" if tag == _CHARACTER_SET else character_set
    dataset = read_dataset(io.BytesIO(before + element), not encoding.explicit, encoding.order == "<")
    model = to_json(dataset, "", frozenset({f"{tag:08X}"}))
    return msgspec.json.encode(model).decode()[1:-1], text_of(dataset, tag)


_remembered = functools.lru_cache(_REMEMBERED)(_read)
