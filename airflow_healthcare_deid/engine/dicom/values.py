"""Values that replace others: new UIDs and dummies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom._uid_dict import UID_dictionary

from airflow_healthcare_deid.engine.dicom.actions import CONTENT, DUMMY, LEAF, NOTE, UID
from airflow_healthcare_deid.engine.dicom.policies import SPECIFIC_CHARACTER_SET
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.uids import derive_uid

if TYPE_CHECKING:
    from collections.abc import Mapping

_ZEROS: Final = {
    b"AT": 4,
    b"FD": 8,
    b"FL": 4,
    b"OB": 2,
    b"OD": 8,
    b"OF": 4,
    b"OL": 4,
    b"OV": 8,
    b"OW": 2,
    b"SL": 4,
    b"SS": 2,
    b"SV": 8,
    b"UL": 4,
    b"UN": 2,
    b"US": 2,
    b"UV": 8,
}
"""Bytes of one value of each binary VR."""


class Constants:
    """What the rule tables say of values; the same for all instances."""

    def __init__(self) -> None:
        rules = load_rules("dicom_basic_profile")
        texts = {vr.encode(): text.encode() for vr, text in rules["dummies"].items() if vr != "source"}
        self.dummies: Mapping[bytes, bytes] = {vr: bytes(size) for vr, size in _ZEROS.items()} | texts
        self.leaf_vrs = frozenset(vr.encode() for vr in rules["dummy_sequences"]["vrs"])
        self.registered = frozenset(UID_dictionary) if load_rules("dicom")["registered_uids"]["keep"] else frozenset()


class Replacements:
    """Supplies the values of one instance, and takes note of its UIDs.

    :param constants: dummies and the like.
    """

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self.character_sets = b""
        self.uids: dict[int, str] = {}
        """Top-level UIDs that the output has, by tag."""
        self.info_types: list[str] = []
        """What was found in the text that was inspected last."""

    def replace(self, action: int, tag: int, vr: bytes, value: bytes, *, top: bool) -> bytes | None:
        """Return the value to write instead, not yet padded; None to keep this one."""
        if action == UID:
            return self._new_uids(tag, value, top=top)
        if action == NOTE:
            if tag == SPECIFIC_CHARACTER_SET:
                self.character_sets = value
            elif top:
                self.uids[tag] = uid_text(value)
            return None
        if action == DUMMY or (action == LEAF and (vr in self._constants.leaf_vrs or vr == b"UI")):
            if not value.strip(b" \0"):
                return None  # nothing to hide, and as valid as it was
            return self._new_uids(tag, value, top=False) if vr == b"UI" else self._constants.dummies.get(vr, b"")
        return self.content(tag, vr, value) if action == CONTENT else None

    def content(self, tag: int, vr: bytes, value: bytes) -> bytes | None:
        """Return what text de-identification makes of a value; None to keep it."""
        return None

    def new_uid(self, uid: str) -> str:
        """Return the UID that replaces another."""
        return uid if not uid or uid in self._constants.registered else derive_uid(uid)

    def _new_uids(self, tag: int, value: bytes, *, top: bool) -> bytes | None:
        old = uid_text(value)
        new = "\\".join(self.new_uid(uid.strip(" \0")) for uid in old.split("\\"))
        if top:
            self.uids[tag] = new
        return None if new == old else new.encode()


def uid_text(value: bytes) -> str:
    """Return a UID element's value as text, without padding."""
    return value.strip(b" \0").decode("ascii", "replace")
