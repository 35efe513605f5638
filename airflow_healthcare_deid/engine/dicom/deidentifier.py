"""De-identifies DICOM instances, bytes to bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config import DicomConfig, TextRedactionMode
from airflow_healthcare_deid.config.tags import tag_keyword
from airflow_healthcare_deid.engine.dicom.actions import CONTENT, REMOVE, UID, Tables
from airflow_healthcare_deid.engine.dicom.contents import ContentReplacements, ContentRules
from airflow_healthcare_deid.engine.dicom.observe import ObservedWalk, change_of
from airflow_healthcare_deid.engine.dicom.part10 import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    deflate,
    read_part10,
    write_part10,
)
from airflow_healthcare_deid.engine.dicom.pixels import asks_for_redaction, has_pixels, redact_pixels
from airflow_healthcare_deid.engine.dicom.policies import Contents, policy_of
from airflow_healthcare_deid.engine.dicom.record import RecordReader
from airflow_healthcare_deid.engine.dicom.values import Constants, Replacements, uid_text
from airflow_healthcare_deid.engine.dicom.walk import Walk
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text import TextDeidentifier

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import DeidentifyConfig, ImageConfig
    from airflow_healthcare_deid.engine.changes import Observer
    from airflow_healthcare_deid.engine.dicom.part10 import Part10
    from airflow_healthcare_deid.engine.keys import KeyRing

_STUDY_INSTANCE_UID = 0x0020000D
_SERIES_INSTANCE_UID = 0x0020000E
_SOP_INSTANCE_UID = 0x00080018


@dataclass(frozen=True, slots=True)
class DicomResult:
    """A de-identified instance.

    :param data: the DICOM file (PS3.10).
    :param study_instance_uid: its StudyInstanceUID; empty if it has none.
    :param series_instance_uid: its SeriesInstanceUID; empty if it has none.
    :param sop_instance_uid: its SOPInstanceUID; empty if it has none.
    """

    data: bytes
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


class DicomDeidentifier:
    """De-identifies one instance after the other as one configuration asks.

    Keeps nothing of an instance. Safe to use from several threads, and picklable if the keys are.

    :param config: what to do with tags, text and pixels; without ``dicom`` all tags are kept and UIDs regenerated.
    :param keys: the keys of the operation.
    :raises MissingPartError: when the configuration needs an optional part that is not installed.
    :raises EngineError: when a key it names cannot be used.
    """

    def __init__(self, config: DeidentifyConfig, keys: KeyRing) -> None:
        self._config = config
        self._keys = keys
        self._policy = policy_of(config.dicom or DicomConfig())
        self._tables = Tables()
        self._constants = Constants()
        rules = load_rules("dicom")
        self._keeps_preamble = self._policy.name not in rules["preamble"]["zeroed_by"]
        self._implementation = {
            IMPLEMENTATION_CLASS_UID: (b"UI", str(rules["file_meta"]["implementation_class_uid"]).encode()),
            IMPLEMENTATION_VERSION_NAME: (b"SH", rules["file_meta"]["implementation_version_name"].encode()),
        }
        self._content_rules = ContentRules() if isinstance(self._policy, Contents) else None
        self._image = config.image if asks_for_redaction(config.image) else None
        if self._content_rules or self._image:
            self._records = RecordReader()
            self._text = TextDeidentifier(
                config.text, keys, detect=self._content_rules is not None or _sensitive(self._image)
            )

    def __reduce__(self) -> tuple[object, ...]:
        return DicomDeidentifier, (self._config, self._keys)

    def deidentify(self, data: bytes, observer: Observer | None = None) -> DicomResult:
        """Return the de-identified instance.

        :param data: a DICOM file (PS3.10).
        :param observer: hears of every change.
        :raises UndecodableError: when it is malformed, truncated or beyond a limit.
        """
        file = read_part10(data)
        values = Replacements(self._constants)
        if self._content_rules or (self._image and has_pixels(file)):
            record = self._records.read(file)
            if self._image and has_pixels(file):
                file = redact_pixels(data, self._image, self._text, record, observer) or file
            if self._content_rules:
                values = ContentReplacements(self._constants, self._content_rules, self._text, record)
        if observer is None:
            walk = Walk(file.body, self._tables, values)
        else:
            walk = ObservedWalk(file.body, self._tables, values, observer)
        body = walk.parts(file.start, self._tables.get(self._policy, file.encoding))
        meta = self._meta(file, values, observer)
        preamble = data[:128] if self._keeps_preamble else bytes(128)
        return DicomResult(
            data=write_part10(preamble, meta, deflate(body) if file.deflated else body),
            study_instance_uid=values.uids.get(_STUDY_INSTANCE_UID, ""),
            series_instance_uid=values.uids.get(_SERIES_INSTANCE_UID, ""),
            sop_instance_uid=values.uids.get(_SOP_INSTANCE_UID, ""),
        )

    def _meta(self, file: Part10, values: Replacements, observer: Observer | None) -> dict[int, tuple[bytes, bytes]]:
        """Return the file meta information to write."""
        meta: dict[int, tuple[bytes, bytes]] = {}
        for tag, (vr, old) in file.meta.items():
            action = self._policy.decide(tag)
            new: bytes | None = old
            if action == REMOVE:
                new = None
            elif action == UID:
                new = (values.uids.get(_SOP_INSTANCE_UID) or values.new_uid(uid_text(old))).encode()
            elif action == CONTENT and tag not in self._implementation:
                changed = values.replace(action, tag, vr, old, top=False)
                new = old if changed is None else changed
            if new is not None:
                meta[tag] = vr, new
            if observer is not None and new != old:
                observer(change_of(tag_keyword(tag), action, self._policy.rule(tag), vr, old, new, values))
        return meta | self._implementation


def _sensitive(config: ImageConfig | None) -> bool:
    return config is not None and config.text_redaction_mode is TextRedactionMode.REDACT_SENSITIVE_TEXT
