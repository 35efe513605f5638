"""One DICOM file before and after, element by element.

What became of an element is read from the output itself; the engine's own account only adds the rule.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.cli.preview.images import ImageError, picture
from airflow_healthcare_deid.cli.preview.rows import (
    Fate,
    FilePreview,
    Opaque,
    Row,
    Told,
    Values,
    listed,
    split_info_types,
)
from airflow_healthcare_deid.config.tags import tag_keyword

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from airflow_healthcare_deid.engine.dicom import DicomDeidentifier
    from airflow_healthcare_deid.engine.text import RecordIdentifiers

_KINDS = {
    "PN": "name",
    "DA": "date",
    "DT": "date and time",
    "TM": "time",
    "UI": "UID",
    "AS": "age",
    "DS": "number",
    "IS": "number",
    "CS": "code",
}
_MAX_TEXT_IN_BYTES = 256

Key = tuple[int, ...]
"""Tags and numbers of items, from the top down."""


@dataclass(frozen=True, slots=True)
class _Element:
    path: str
    vr: str
    value: object

    def repeats(self, record: RecordIdentifiers) -> bool:
        """Whether it holds an identifier of the patient."""
        readable = self.vr != "UI" and not isinstance(self.value, Opaque)
        return readable and bool(record.find(str(self.value)))


def preview_dicom(name: str, data: bytes, deidentifier: DicomDeidentifier, values: Values) -> FilePreview:
    """De-identify a file and compare.

    :raises UndecodableError: when it cannot be de-identified.
    :raises MissingPartError: when that needs an optional part.
    """
    from airflow_healthcare_deid.engine.dicom.part10 import read_part10
    from airflow_healthcare_deid.engine.dicom.record import RecordReader

    told = Told()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings hold values
        result = deidentifier.deidentify(data, told)
        record = RecordReader().read(read_part10(data)).identifiers
        source, output = _read(data), _read(result.data)
        before, after = dict(_elements(source)), dict(_elements(output))
        rows, counts = listed([*_rows(before, after, told, values, record), *_covered(told, values)])
        has_pixels = any(keyword in source for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
        pictures, notes = None, []
        if has_pixels and not values.hide:
            boxes = [change.box for change in told.changes if change.box and change.path == "PixelData[0]"]
            try:
                pictures = picture(source, output, boxes)
            except ImageError as error:
                notes.append(f"No image: {error}")
        about = _about(source, values)
    return FilePreview(name, "DICOM", about, rows, counts, pictures, tuple(notes), has_pixels)


def _read(data: bytes) -> Dataset:
    from pydicom import dcmread

    return dcmread(BytesIO(data))


def _about(dataset: Dataset, values: Values) -> str:
    # The name of a SOP class is the dictionary's; a modality is free text to whoever wrote the file.
    uid: Any = dataset.get("SOPClassUID")
    name = getattr(uid, "name", "")
    known = name if uid and name != str(uid) else "instance of an unknown SOP class"
    modality = "" if values.hide else str(dataset.get("Modality") or "")
    return f"{known}, {modality}" if modality else known


def _elements(dataset: Dataset) -> Iterator[tuple[Key, _Element]]:
    yield from _walk(dataset.file_meta, (), "")
    yield from _walk(dataset, (), "")


def _walk(dataset: Dataset, above: Key, where: str) -> Iterator[tuple[Key, _Element]]:
    for tag in sorted(dataset.keys()):
        if not tag & 0xFFFF:
            continue  # the length of a group
        key, path = (*above, int(tag)), where + tag_keyword(int(tag))
        try:
            element = dataset[tag]
            vr, value = str(element.VR), element.value
        except Exception:  # noqa: BLE001  (pydicom raises nearly anything on values that break their VR)
            yield key, _Element(path, "", Opaque("a value that breaks its VR"))
            continue
        if vr == "SQ":
            yield key, _Element(path, vr, Opaque(f"{len(value)} item{'' if len(value) == 1 else 's'}"))
            for index, item in enumerate(value):
                yield from _walk(item, (*key, index), f"{path}[{index}].")
        else:
            yield key, _Element(path, vr, _readable(value))


def _readable(value: Any) -> object:
    if isinstance(value, bytes):
        if not value:
            return ""
        text = value.strip(b" \0")
        if 0 < len(text) <= _MAX_TEXT_IN_BYTES and text.isascii() and text.decode("ascii").isprintable():
            return text.decode("ascii")
        return _Bytes(value)
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return "\\".join(str(one) for one in value)
    return "" if value is None else str(value)


class _Bytes(Opaque):
    """Bytes that cannot be read; equal only to the same ones."""

    __slots__ = ("_value",)
    _value: bytes

    def __new__(cls, value: bytes) -> _Bytes:
        said = super().__new__(cls, f"{len(value):,} bytes")
        said._value = value
        return said

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bytes) and self._value == other._value

    __hash__ = str.__hash__


def _rows(
    before: dict[Key, _Element],
    after: dict[Key, _Element],
    told: Told,
    values: Values,
    record: RecordIdentifiers,
) -> Iterator[Row]:
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        one = old or new
        assert one is not None
        fate = _fate(old, new)
        if one.vr == "SQ" and fate is Fate.KEPT and one.value != "0 items":
            continue  # what is in it has rows of its own
        change = None if fate is Fate.KEPT else told.of(one.path) or told.inside(one.path)
        if change is not None and change.action == "remove" and new is not None:
            change = None  # removed, and then written anew with the file
        kind = _KINDS.get(one.vr, "text")
        yield Row(
            path=one.path,
            fate=fate,
            number=f"({key[-1] >> 16:04X},{key[-1] & 0xFFFF:04X})",
            how="" if change is None else change.action,
            rule="" if change is None else change.rule,
            before=None if old is None else values.show(old.value, kind),
            after=None if new is None else values.show(new.value, kind),
            info_types=split_info_types(change),
            repeats=new is not None and new.repeats(record),
        )


def _fate(old: _Element | None, new: _Element | None) -> Fate:
    if old is None:
        return Fate.ADDED
    if new is None:
        return Fate.REMOVED
    if old.value == new.value:
        return Fate.KEPT
    return Fate.CHANGED if new.value else Fate.EMPTIED


def _covered(told: Told, values: Values) -> Iterator[Row]:
    for change in told.changes:
        if change.action == "cover":
            yield Row(
                path=change.path,
                fate=Fate.COVERED,
                number="(7FE0,0010)",
                how="cover",
                rule=change.rule,
                before=values.show(change.before, "text read in the image"),
                info_types=split_info_types(change),
            )
