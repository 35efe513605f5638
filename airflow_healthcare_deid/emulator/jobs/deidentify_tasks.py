"""What the worker processes do for de-identification: one DICOM instance, file to file."""

from __future__ import annotations

import functools
import importlib.util
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.config import TextRedactionMode
from airflow_healthcare_deid.emulator.dicomweb.part10 import NotStorableError
from airflow_healthcare_deid.emulator.dicomweb.written import written_record
from airflow_healthcare_deid.emulator.jobs.spec import Spec
from airflow_healthcare_deid.engine.dicom import DicomDeidentifier
from airflow_healthcare_deid.engine.errors import EngineError, MissingPartError, UndecodableError

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_healthcare_deid.emulator.instances import InstanceRecord

_IMAGE_PARTS = ("numpy", "onnxruntime", "PIL", "rapidocr", "regex")
_NO_REDACTION = (None, TextRedactionMode.TEXT_REDACTION_MODE_UNSPECIFIED, TextRedactionMode.REDACT_NO_TEXT)


def problem(spec: bytes) -> str | None:
    """Return why a configuration can't be carried out here, such as a part that is not installed."""
    try:
        _deidentifier(spec)
        image = msgspec.json.decode(spec, type=Spec).deidentify_config().image
        redacts = image is not None and (image.text_redaction_mode not in _NO_REDACTION or image.custom_regexes)
        if redacts and not all(map(importlib.util.find_spec, _IMAGE_PARTS)):
            raise MissingPartError("image")
    except EngineError as error:
        return str(error)
    return None


def deidentify(spec: bytes, source: Path, target: Path) -> InstanceRecord | str:
    """De-identify a file into another, and return what the index keeps of it, or why it can't be done."""
    try:
        data = _deidentifier(spec).deidentify(source.read_bytes()).data
        record = written_record(data)
        target.write_bytes(data)
        return record
    except (UndecodableError, NotStorableError) as error:
        return str(error)


@functools.lru_cache(maxsize=4)
def _deidentifier(spec: bytes) -> DicomDeidentifier:
    read = msgspec.json.decode(spec, type=Spec)
    return DicomDeidentifier(read.deidentify_config(), read.key_ring())
