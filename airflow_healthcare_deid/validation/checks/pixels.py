"""Are the pixels those of the source, where nothing was to be redacted?"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from airflow_healthcare_deid.validation.dicom_json import resource
from airflow_healthcare_deid.validation.report import CheckResult, Finding
from airflow_healthcare_deid.validation.sides import DicomJson

Digest = Callable[[DicomJson, bool], str | None]


def check_pixels(
    store: str, pairs: Iterable[tuple[DicomJson, DicomJson]], of_source: Digest, of_destination: Digest
) -> CheckResult:
    """The pixels of every pair are equal, as stored or at least once decoded.

    :param of_source: digest of a source instance's frames, decoded if so asked; None if they cannot be read.
    :param of_destination: the same of the destination.
    """
    checked, unreadable, findings = 0, 0, []
    for before, after in pairs:
        if "00280010" not in before:  # Rows: it has no pixels
            continue
        equal = _equal(before, after, of_source, of_destination)
        if equal is None:
            unreadable += 1
            continue
        checked += 1
        if not equal:
            findings.append(Finding(resource(store, after), "PixelData", "differs from the source"))
    note = f"The pixels of {unreadable} instances could not be read" if unreadable else ""
    return CheckResult.of("pixels", findings, checked=checked, note=note)


def _equal(before: DicomJson, after: DicomJson, of_source: Digest, of_destination: Digest) -> bool | None:
    """Compare two instances; None if the source cannot be read."""
    first = of_source(before, False)
    if first is not None and first == of_destination(after, False):
        return True
    # Another encoding of the same pixels is as good.
    decoded = of_source(before, True)
    if decoded is None:
        return None if first is None else False
    return decoded == of_destination(after, True)
