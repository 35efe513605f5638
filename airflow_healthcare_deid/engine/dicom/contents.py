"""DEIDENTIFY_TAG_CONTENTS: what becomes of the text in an element."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from airflow_healthcare_deid.engine.dicom.charset import decode, encode
from airflow_healthcare_deid.engine.dicom.encoding import SHORT_VRS
from airflow_healthcare_deid.engine.dicom.values import Replacements
from airflow_healthcare_deid.engine.dicom.walk import MAX_SHORT
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.changes import Change
    from airflow_healthcare_deid.engine.dicom.record import Record
    from airflow_healthcare_deid.engine.dicom.values import Constants
    from airflow_healthcare_deid.engine.text import TextDeidentifier

IN_CHARACTER_SET: Final = frozenset({b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UT"})
"""VRs that SpecificCharacterSet applies to."""
_ONE_VALUE: Final = frozenset({b"LT", b"ST", b"UT"})
_VALID: Final = {
    b"DA": re.compile(r"\d{8}|\d{4}\.\d\d\.\d\d", re.ASCII),
    b"DT": re.compile(r"\d{4,14}(\.\d{1,6})?([+-]\d{4})?", re.ASCII),
    b"AS": re.compile(r"\d{3}[DWMY]", re.ASCII),
}


class ContentRules:
    """The rule table, under the VRs as files write them."""

    def __init__(self) -> None:
        rules = load_rules("dicom_contents")
        self.vrs = frozenset(vr.encode() for vr in rules["vrs"]["names"])
        self.typed = {vr.encode(): info_type for vr, info_type in rules["typed"].items() if vr != "source"}
        self.max_characters: dict[bytes, int] = {
            vr.encode(): size for vr, size in rules["max_characters"].items() if vr != "source"
        }


def _by_vr(row: dict[str, Any]) -> dict[bytes, Any]:
    return {vr.encode(): value for vr, value in row.items() if vr != "source"}


class ContentReplacements(Replacements):
    """Supplies the values of one instance whose text is inspected.

    :param constants: dummies and the like.
    :param rules: the rule table.
    :param text: finds and transforms.
    :param record: whose instance it is.
    """

    def __init__(self, constants: Constants, rules: ContentRules, text: TextDeidentifier, record: Record) -> None:
        super().__init__(constants)
        self._rules = rules
        self._text = text
        self._record = record

    def content(self, tag: int, vr: bytes, value: bytes) -> bytes | None:
        if vr not in self._rules.vrs or not value.strip(b" \0"):
            return None
        character_sets = self.character_sets if vr in IN_CHARACTER_SET else b""
        written = decode(value, character_sets)
        if written is None:
            return b""
        self.info_types.clear()
        old = [written] if vr in _ONE_VALUE else written.split("\\")
        new = [self._value(vr, one) for one in old]
        if new == old:
            return None
        encoded = encode("\\".join(new), character_sets)
        return b"" if encoded is None or (len(encoded) > MAX_SHORT and vr in SHORT_VRS) else encoded

    def _value(self, vr: bytes, value: str) -> str:
        old = value.rstrip(" \0")
        info_type = self._rules.typed.get(vr)
        if info_type is None:
            new = self._text.transform(old, self._record.identifiers, self._record.patient_key, self._found)
        else:
            self.info_types.append(info_type)
            new = self._text.transform_value(old.strip(), info_type, self._record.patient_key, label=vr == b"PN")
            if new == old.strip():
                return value
        if new == old:
            return value
        return new if self._fits(vr, new) else ""

    def _found(self, change: Change) -> None:
        if change.info_type is not None:
            self.info_types.append(change.info_type)

    def _fits(self, vr: bytes, text: str) -> bool:
        """Tell whether a text is a valid value of a VR."""
        if vr in _VALID:
            return not text or _VALID[vr].fullmatch(text) is not None
        if vr not in _ONE_VALUE and "\\" in text:
            return False
        parts = text.split("=") if vr == b"PN" else [text]
        limit = self._rules.max_characters.get(vr)
        return limit is None or max(map(len, parts)) <= limit
