"""pydicom data sets as the DICOM JSON model (PS3.18 annex F), without ever failing on a value.

Runs in worker processes only.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

# Conformance statement of the Cloud Healthcare API, "Retrieve metadata": what leaves as a BulkDataURI.
_ALWAYS_BULK = frozenset({"OB", "OW", "UN", "OB or OW"})
_LARGE_BULK = frozenset({"OD", "OF", "OL", "OV"})
_LARGE_BYTES = 2048
NUMERIC = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_MANY_VALUES = 512
_MAX_SEQUENCE_BYTES = 1024 * 1024
_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_CHARACTER_SET = 0x00080005


def to_json(dataset: Dataset, bulk: str, tags: frozenset[str] | None = None) -> dict[str, Any]:
    """Return a data set in the JSON model.

    :param bulk: URI below which bulk data of this data set is served.
    :param tags: only these attributes, by eight-digit tag; None is all of them.
    """
    result: dict[str, Any] = {}
    for tag in sorted(dataset.keys()):
        key = f"{tag:08X}"
        if tag.group == 2 or (tags is not None and key not in tags):
            continue
        element = _element(dataset, tag, f"{bulk}/{key}")
        if element is not None:
            result[key] = element
    return result


def _element(dataset: Dataset, tag: int, uri: str) -> dict[str, Any] | None:
    try:
        element = dataset[tag]
    except Exception:  # noqa: BLE001  (any value may be broken; the rest is still worth showing)
        return None
    vr = "OW" if element.VR == "OB or OW" else element.VR.partition(" ")[0]
    if tag == _CHARACTER_SET:
        return {"vr": vr, "Value": ["ISO_IR 192"]}
    if vr == "SQ":
        items = [to_json(item, f"{uri}/{number}") for number, item in enumerate(element.value or [], 1)]
        if len(json.dumps(items)) > _MAX_SEQUENCE_BYTES:
            return None
        return {"vr": vr, "Value": items} if items else {"vr": vr}
    if _is_bulk(element):
        return {"vr": vr, "BulkDataURI": uri}
    try:
        model = element.to_json_dict(None, 0)
    except Exception:  # noqa: BLE001
        return {"vr": vr}
    if "Value" in model:
        model["Value"] = [_plain(value) for value in model["Value"]]
    return {**model, "vr": vr}


def _is_bulk(element: DataElement) -> bool:
    if element.tag in _PIXEL_DATA:
        return True
    if element.VR in _ALWAYS_BULK:
        return bool(element.value)
    if element.VR in _LARGE_BULK:
        return len(element.value or b"") > _LARGE_BYTES
    return element.VR in NUMERIC and element.VM > _MANY_VALUES


def _plain(value: object) -> object:
    """Return a value as plain JSON has it: no subclasses of str, and null for numbers that JSON has not."""
    if isinstance(value, str):
        return str.__str__(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
