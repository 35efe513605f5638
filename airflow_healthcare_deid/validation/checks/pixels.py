"""Are the pixels those of the source, where nothing was to be redacted?"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from airflow_healthcare_deid.validation.dicom_json import resource
from airflow_healthcare_deid.validation.report import CheckResult, Finding
from airflow_healthcare_deid.validation.sides import DicomJson

Digest = Callable[[DicomJson], str | None]


def check_pixels(
    store: str, pairs: Iterable[tuple[DicomJson, DicomJson]], of_source: Digest, of_destination: Digest
) -> CheckResult:
    """The pixels of every pair are equal.

    :param of_source: digest of a source instance's frames, None if they cannot be read.
    :param of_destination: the same of the destination.
    """
    checked, unreadable, findings = 0, 0, []
    for before, after in pairs:
        if "00280010" not in before:  # Rows: it has no pixels
            continue
        first, second = of_source(before), of_destination(after)
        if first is None:
            unreadable += 1
            continue
        checked += 1
        if first != second:
            findings.append(Finding(resource(store, after), "PixelData", "differs from the source"))
    note = f"The pixels of {unreadable} instances could not be read" if unreadable else ""
    return CheckResult.of("pixels", findings, checked=checked, note=note)
