"""What the engine must do, the plain way: pydicom reads everything, one function decides, pydicom holds the result.

Slow and obvious on purpose. It shares the rule tables with the engine, and no code.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2024b as table
from pydicom.datadict import dictionary_has_tag, keyword_for_tag, repeater_has_tag, tag_for_keyword
from pydicom.uid import UID_dictionary  # type: ignore[attr-defined]

from airflow_healthcare_deid.config import ALWAYS_KEPT_TAGS, TagFilterProfile
from airflow_healthcare_deid.engine.rules import load_rules
from tests.engine.dicom.files import read

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

    from airflow_healthcare_deid.config import DicomConfig

RULES = load_rules("dicom")
BASIC = load_rules("dicom_basic_profile")
IDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "MediaStorageSOPInstanceUID")
CODES = {
    **dict.fromkeys(table.D_TAGS, "D"),
    **dict.fromkeys(table.Z_TAGS, "Z"),
    **dict.fromkeys(table.X_TAGS, "X"),
    **dict.fromkeys(table.U_TAGS, "U"),
    **dict.fromkeys(table.Z_D_TAGS, "Z/D"),
    **dict.fromkeys(table.X_Z_TAGS, "X/Z"),
    **dict.fromkeys(table.X_D_TAGS, "X/D"),
    **dict.fromkeys(table.X_Z_D_TAGS, "X/Z/D"),
    **dict.fromkeys(table.X_Z_U_STAR_TAGS, "X/Z/U*"),
    (0x0010, 0x0020): "Z",
}


def deidentified(data: bytes, config: DicomConfig) -> Dataset:
    """Return the data set that the engine must arrive at; without a decision on file meta information."""
    dataset = read(data)
    _treat(dataset, config, inside=None)
    return dataset


def _treat(dataset: Dataset, config: DicomConfig, inside: str | None) -> None:
    for element in list(dataset):
        action = "remove" if element.tag.element == 0 else _action(element, config, inside)
        if action == "remove":
            del dataset[element.tag]
        elif action == "empty":
            element.value = [] if element.VR == "SQ" else None
        elif action == "uid":
            element.value = _each(element.value, new_uid)
        elif element.VR == "SQ":
            for item in element.value:
                _treat(item, config, _inside(element, action, config, inside))
        elif action == "dummy" and element.value not in (None, "", b"", []):
            element.value = _dummy(element)


def _action(element: DataElement, config: DicomConfig, inside: str | None) -> str:
    keyword = keyword_for_tag(element.tag)
    if keyword in IDS:
        return (
            "keep"
            if config.skip_id_redaction and _listed(element, config, inside)
            else ("uid" if _listed(element, config, inside) else "remove")
        )
    if not _listed(element, config, inside):
        return "remove"
    if config.filter_profile is not TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE:
        return "keep"
    if config.skip_id_redaction and keyword in RULES["skip_id_redaction"]["keywords"]:
        return "keep"
    action = _basic(element)
    if action == "keep" and inside is not None and keyword != "SpecificCharacterSet":
        codes = BASIC["dummy_sequences"]["kept_in_content_sequence"]
        if not (inside == "content" and keyword in codes):
            return "uid" if element.VR == "UI" else _leaf(element)
    return action


def _listed(element: DataElement, config: DicomConfig, inside: str | None) -> bool:
    """Tell whether the lists of the configuration leave an element."""
    keyword = keyword_for_tag(element.tag)
    if config.remove_list is not None:
        return keyword in IDS or not {keyword, f"{element.tag:08X}"} & {"OverlayData", *(config.remove_list.tags or ())}
    minimal = config.filter_profile is TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE
    if (config.keep_list is None and not minimal) or inside == "kept":
        return True
    listed = (config.keep_list.tags or []) if config.keep_list else []
    return element.tag in ALWAYS_KEPT_TAGS or keyword in {*RULES["also_kept"]["keywords"], *listed}


def _basic(element: DataElement) -> str:
    tag = element.tag
    if tag.is_private or tag.group >> 8 in (0x50, 0x60):
        return "remove"
    code = CODES.get((tag.group, tag.element))
    if code is not None:
        return str(BASIC["codes"][code])
    return "keep" if dictionary_has_tag(tag) or repeater_has_tag(tag) else "remove"


def _leaf(element: DataElement) -> str:
    return "dummy" if element.VR in BASIC["dummy_sequences"]["vrs"] or element.VR == "SQ" else "keep"


def _inside(element: DataElement, action: str, config: DicomConfig, inside: str | None) -> str | None:
    if config.keep_list is not None:
        return "kept"
    content = tag_for_keyword(BASIC["dummy_sequences"]["content_sequence"])
    if inside == "dummies" or (inside == "content" and (_basic(element) != "dummy" or element.tag == content)):
        return inside
    if action != "dummy":
        return None
    return "content" if element.tag == content else "dummies"


def _dummy(element: DataElement) -> Any:
    if element.VR == "UI":
        return _each(element.value, new_uid)
    text = BASIC["dummies"].get(element.VR)
    if text is not None:
        return text
    return b"\0\0" if element.VR in ("OB", "OW", "UN") else 0


def _each(value: Any, function: Any) -> Any:
    if value is None or isinstance(value, str):
        return function(value or "")
    return [function(str(one)) for one in value]


def new_uid(uid: str) -> str:
    if not uid or uid in UID_dictionary:
        return uid
    return f"2.25.{uuid.UUID(hashlib.md5(uid.encode()).hexdigest(), version=3).int}"
