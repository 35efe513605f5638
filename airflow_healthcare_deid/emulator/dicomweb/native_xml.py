"""The DICOM JSON model written as the Native DICOM Model (PS3.19 annex A.1), for answers in XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from airflow_healthcare_deid.config.tags import tag_keyword

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_xml(model: Mapping[str, Any]) -> bytes:
    """Return a data set as an XML document; attributes are strings and sequences."""
    root = ET.Element("NativeDicomModel", {"xml:space": "preserve"})
    _fill(root, model)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def _fill(parent: ET.Element, model: Mapping[str, Any]) -> None:
    for tag, attribute in model.items():
        element = ET.SubElement(parent, "DicomAttribute", {"tag": tag, "vr": attribute["vr"], **_keyword(tag)})
        for number, value in enumerate(attribute.get("Value", []), 1):
            child = ET.SubElement(element, "Item" if attribute["vr"] == "SQ" else "Value", {"number": str(number)})
            if attribute["vr"] == "SQ":
                _fill(child, value)
            else:
                child.text = str(value)


def _keyword(tag: str) -> dict[str, str]:
    odd_group = int(tag[:4], 16) % 2
    return {} if odd_group else {"keyword": tag_keyword(int(tag, 16))}
