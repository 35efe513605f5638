"""What an instance says of its patient: to be looked for in its text and its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_healthcare_deid.engine.dicom.actions import KEEP, NOTE, Tables, vr_of
from airflow_healthcare_deid.engine.dicom.charset import decode
from airflow_healthcare_deid.engine.dicom.policies import SPECIFIC_CHARACTER_SET, tags
from airflow_healthcare_deid.engine.dicom.walk import Walk
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text import RecordIdentifiers

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.dicom.actions import Policy
    from airflow_healthcare_deid.engine.dicom.part10 import Part10

_PATIENT_ID = 0x00100020
_STUDY_INSTANCE_UID = 0x0020000D
_KINDS = ("ids", "dates", "phones", "addresses")


@dataclass(frozen=True)
class Record:
    """What is known of the patient.

    :param identifiers: to be looked for.
    :param patient_key: what date shifts are fixed for: PatientID, or StudyInstanceUID where it is empty
        (`DateShiftConfig` in the discovery document).
    """

    identifiers: RecordIdentifiers
    patient_key: str


class RecordReader:
    """Collects the identifiers of instances."""

    def __init__(self) -> None:
        rules = load_rules("dicom_contents")["record"]
        self.kinds = {tag: kind for kind in _KINDS for tag in tags(rules[kind])}
        self._tables = Tables()

    def read(self, file: Part10) -> Record:
        """Return what an instance says of its patient.

        :raises UndecodableError: when the data set is malformed.
        """
        notes = _Notes(self.kinds)
        Walk(file.body, self._tables, notes).parts(file.start, self._tables.get(self, file.encoding))
        return notes.record()

    def decide(self, tag: int) -> int:
        wanted = tag in self.kinds or tag in (SPECIFIC_CHARACTER_SET, _STUDY_INSTANCE_UID) or vr_of(tag) == b"PN"
        return NOTE if wanted else KEEP

    def inside(self, tag: int, action: int) -> Policy:
        return self

    def rule(self, tag: int) -> str:
        return ""


class _Notes:
    """Takes note of values; replaces none."""

    def __init__(self, kinds: dict[int, str]) -> None:
        self.character_sets = b""
        self._kinds = kinds
        self._found: dict[str, list[str]] = {kind: [] for kind in (*_KINDS, "names")}
        self._patient_id = self._study = ""

    def replace(self, action: int, tag: int, vr: bytes, value: bytes, *, top: bool) -> bytes | None:
        if tag == SPECIFIC_CHARACTER_SET:
            self.character_sets = value
            return None
        text = decode(value, self.character_sets) or ""
        values = [one.strip(" \0") for one in text.split("\\")]
        if tag == _STUDY_INSTANCE_UID:
            self._study = values[0] if top else self._study
            return None
        if tag == _PATIENT_ID and top:
            self._patient_id = values[0]
        kind = self._kinds.get(tag, "names")
        # Ideographic and phonetic forms of a name are names of their own.
        self._found[kind] += [part for one in values for part in (one.split("=") if kind == "names" else [one])]
        return None

    def record(self) -> Record:
        return Record(RecordIdentifiers.of(**self._found), self._patient_id or self._study)
