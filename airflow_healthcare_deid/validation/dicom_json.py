"""Reading the DICOM JSON model (PS3.18 Annex F)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.config.tags import tag_keyword

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.validation.sides import DicomJson

STUDY_INSTANCE_UID = "0020000D"
SERIES_INSTANCE_UID = "0020000E"
SOP_INSTANCE_UID = "00080018"
OWN_IDS = (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID)
"""What an instance is found by."""
PATIENT_ID = "00100020"


class Element(msgspec.Struct, frozen=True):
    """One element, wherever it is nested.

    :param path: tags from the top down, without item numbers, so that both sides can be compared.
    :param items: the item numbers along the way.
    :param values: its values; those of a sequence are yielded as elements of their own.
    :param filled: whether it has a value at all, as items or bulk data too.
    """

    path: tuple[str, ...]
    items: tuple[int, ...]
    vr: str
    values: tuple[Any, ...]
    filled: bool

    @property
    def tag(self) -> str:
        """The element's own tag, eight hex digits."""
        return self.path[-1]

    @property
    def location(self) -> str:
        """Where it is, in keywords."""
        return ".".join(tag_keyword(int(tag, 16)) for tag in self.path)

    @property
    def texts(self) -> tuple[str, ...]:
        """Its values as text; a person's name in all its representations."""
        found: list[str] = []
        for value in self.values:
            if isinstance(value, dict):
                found.extend(str(part) for part in value.values())
            elif value is not None:
                found.append(str(value))
        return tuple(found)


def walk(instance: DicomJson, path: tuple[str, ...] = (), items: tuple[int, ...] = ()) -> Iterator[Element]:
    """Yield every element of an instance, sequences before what is in them."""
    for tag, body in instance.items():
        here = (*path, tag.upper())
        vr = body.get("vr", "UN")
        values = body.get("Value") or ()
        filled = bool(values or "BulkDataURI" in body or "InlineBinary" in body)
        yield Element(here, items, vr, () if vr == "SQ" else tuple(values), filled)
        if vr == "SQ":
            for number, item in enumerate(values):
                if isinstance(item, dict):
                    yield from walk(item, here, (*items, number))


def text(instance: DicomJson, tag: str) -> str:
    """Return the first value of a top-level element as text, or an empty one."""
    values = instance.get(tag, {}).get("Value") or ()
    return str(values[0]) if values and values[0] is not None else ""


def resource(store: str, instance: DicomJson) -> str:
    """Return the name of an instance, from its store on."""
    study, series, sop = (text(instance, tag) for tag in (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID))
    return f"dicomStores/{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
