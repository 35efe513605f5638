"""Were dates moved, and all of a patient's by the same number of days?"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.validation.dicom_json import PATIENT_ID, STUDY_INSTANCE_UID, resource, text, walk
from airflow_healthcare_deid.validation.report import CheckResult, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_healthcare_deid.validation.sides import DicomJson, FhirJson

Shift = tuple[str, str, str, int]
"""Patient (only to tell patients apart), name of the resource, location, days."""


def dicom_shifts(store: str, pairs: Iterable[tuple[DicomJson, DicomJson]]) -> Iterator[Shift]:
    """Yield by how many days each date of the pairs moved."""
    for before, after in pairs:
        patient = text(before, PATIENT_ID) or text(before, STUDY_INSTANCE_UID)
        moved = {(e.path, e.items): e for e in walk(after) if e.vr in ("DA", "DT")}
        for element in walk(before):
            other = moved.get((element.path, element.items))
            if other is None:
                continue
            for old, new in zip(element.texts, other.texts, strict=False):
                first, second = _date(old[:8]), _date(new[:8])
                if first and second:
                    yield patient, resource(store, after), element.location, (second - first).days


def fhir_shifts(store: str, patient_id: str, pairs: Iterable[tuple[FhirJson, FhirJson]]) -> Iterator[Shift]:
    """Yield by how many days each full date of a patient's resources moved."""
    for before, after in pairs:
        name = f"fhirStores/{store}/fhir/{after.get('resourceType')}/{after.get('id')}"
        for path, old, new in _aligned(before, after, str(after.get("resourceType"))):
            first, second = _date(old[:10].replace("-", "")), _date(new[:10].replace("-", ""))
            if first and second:
                yield patient_id, name, path, (second - first).days


def check_date_shift(check: str, shifts: Iterable[Shift]) -> CheckResult:
    """Every date moved, and all dates of one patient by the same number of days."""
    checked = 0
    findings: list[Finding] = []
    days: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    seen = list(shifts)
    for patient, _, _, shift in seen:
        if shift:
            days[patient][shift] += 1
    for patient, name, location, shift in seen:
        checked += 1
        if shift == 0:
            findings.append(Finding(name, location, "was not moved"))
        elif shift != max(days[patient], key=lambda value: days[patient][value]):
            findings.append(Finding(name, location, "was moved by other days than the patient's other dates"))
    return CheckResult.of(check, findings, checked=checked)


def _aligned(before: Any, after: Any, path: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(before, str) and isinstance(after, str):
        yield path, before, after
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() & after.keys() - {"meta"}:
            yield from _aligned(before[key], after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for old, new in zip(before, after, strict=True):
            yield from _aligned(old, new, path)


def _date(text_: str) -> date | None:
    if len(text_) != 8 or not text_.isdigit():
        return None
    try:
        return date(int(text_[:4]), int(text_[4:6]), int(text_[6:]))
    except ValueError:
        return None
