"""Text that is burnt into the pixels of an instance: covered before the tags are treated."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from pydicom import dcmread

from airflow_healthcare_deid.config import TextRedactionMode
from airflow_healthcare_deid.engine.dicom.part10 import read_part10
from airflow_healthcare_deid.engine.errors import EngineError, UndecodableError

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import ImageConfig
    from airflow_healthcare_deid.engine.changes import Observer
    from airflow_healthcare_deid.engine.dicom.part10 import Part10
    from airflow_healthcare_deid.engine.dicom.record import Record
    from airflow_healthcare_deid.engine.text import TextDeidentifier

_PIXEL_DATA: Final = 0x7FE00010
_MODES: Final = frozenset({TextRedactionMode.REDACT_ALL_TEXT, TextRedactionMode.REDACT_SENSITIVE_TEXT})


def asks_for_redaction(config: ImageConfig | None) -> bool:
    """Tell whether a configuration wants anything covered."""
    return config is not None and (config.text_redaction_mode in _MODES or bool(config.custom_regexes))


def has_pixels(file: Part10) -> bool:
    """Tell whether an instance may have pixels, without reading it."""
    return file.encoding.long.pack(file.encoding.key(_PIXEL_DATA)) in file.body


def redact_pixels(
    data: bytes, config: ImageConfig, text: TextDeidentifier, record: Record, observer: Observer | None
) -> Part10 | None:
    """Return an instance with text in its pixels covered; None when that changes nothing.

    :param data: the DICOM file.
    :param config: which text to cover.
    :param text: recognizes what is sensitive.
    :param record: whose instance it is.
    :param observer: hears of what is covered.
    :raises MissingPartError: when the extra ``image`` is not installed.
    :raises UndecodableError: when the pixels cannot be read or written.
    """
    from airflow_healthcare_deid.engine.image import redact_image

    written = BytesIO()
    try:
        dataset = dcmread(BytesIO(data))
        annotation = dataset.get("BurnedInAnnotation")
        covered = redact_image(dataset, config, text, record.identifiers, observer)
        if not covered and dataset.get("BurnedInAnnotation") == annotation:
            return None
        dataset.save_as(written, enforce_file_format=True)
    except EngineError:
        raise
    except Exception:  # noqa: BLE001  (pydicom raises nearly anything, and its messages hold values)
        raise UndecodableError("the instance cannot be read or written for the redaction of its pixels") from None
    return read_part10(written.getvalue())
