"""Were the UIDs replaced, and do they still hold the data together?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.dicom_json import (
    OWN_IDS,
    SERIES_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    resource,
    text,
    walk,
)
from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from airflow_healthcare_deid.validation.sides import DicomJson

_OWN_PATHS = frozenset((tag,) for tag in OWN_IDS)
_REFERENCED_SOP_INSTANCE_UID = "00081155"


def check_own_uids(
    store: str, source_uids: Collection[str], destination: Iterable[DicomJson], studies: Iterable[str]
) -> CheckResult:
    """No study, series or instance of the destination carries a UID of the source.

    :param source_uids: study, series and instance UIDs of the source.
    :param studies: UIDs of all the destination's studies, also of those that were not read.
    """
    checked = 0
    findings = [
        Finding(f"dicomStores/{store}", "StudyInstanceUID", "is a UID of the source")
        for study in studies
        if study in source_uids
    ]
    for instance in destination:
        checked += 1
        findings.extend(
            Finding(f"dicomStores/{store}", f"{keyword}", "is a UID of the source")
            for tag, keyword in zip(OWN_IDS, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), strict=True)
            if text(instance, tag) in source_uids
        )
    return CheckResult.of("source_uids", findings, checked=checked)


def check_nested_uids(
    store: str, source_uids: Collection[str], destination: Iterable[DicomJson], severity: Severity
) -> CheckResult:
    """No other element of the destination carries a study, series or instance UID of the source.

    :param severity: an error where a profile that replaces references was asked for.
    """
    checked = 0
    findings: list[Finding] = []
    for instance in destination:
        checked += 1
        findings.extend(
            Finding(f"dicomStores/{store}", element.location, "refers to a UID of the source")
            for element in walk(instance)
            if element.vr == "UI" and element.path not in _OWN_PATHS
            if any(value in source_uids for value in element.texts)
        )
    return CheckResult.of("source_uids_in_references", findings, checked=checked, severity=severity)


def check_hierarchy(
    store: str, destination: Iterable[DicomJson], pairs: Sequence[tuple[DicomJson, DicomJson]]
) -> CheckResult:
    """Every instance is there once, every series belongs to one study, and what was together still is.

    :param pairs: instances of the source with theirs of the destination.
    """
    checked = 0
    findings: list[Finding] = []
    study_of: dict[str, str] = {}
    seen: set[str] = set()
    for instance in destination:
        checked += 1
        study, series, sop = (text(instance, tag) for tag in OWN_IDS)
        if sop in seen:
            findings.append(Finding(resource(store, instance), "SOPInstanceUID", "stands in the store twice"))
        seen.add(sop)
        if study_of.setdefault(series, study) != study:
            findings.append(Finding(resource(store, instance), "SeriesInstanceUID", "belongs to two studies"))
    for tag, keyword in ((STUDY_INSTANCE_UID, "StudyInstanceUID"), (SERIES_INSTANCE_UID, "SeriesInstanceUID")):
        findings.extend(
            Finding(resource(store, stray), keyword, "is not that of its fellows") for stray in _strays(pairs, tag)
        )
    return CheckResult.of("uid_hierarchy", findings, checked=checked)


def _strays(pairs: Sequence[tuple[DicomJson, DicomJson]], tag: str) -> Iterator[DicomJson]:
    """Yield the instances whose new study or series is not the one that most of their old one have, or were not in it.

    :param tag: of the UID of the study or series.
    """
    moves = Counter((text(before, tag), text(after, tag)) for before, after in pairs)
    most: dict[str, tuple[int, str]] = {}
    for (old, new), count in moves.items():
        most[old] = max(most.get(old, (0, "")), (count, new))
    taken: dict[str, tuple[int, str]] = {}
    for old, (count, new) in most.items():
        taken[new] = max(taken.get(new, (0, "")), (count, old))
    for before, after in pairs:
        old, new = text(before, tag), text(after, tag)
        if most[old][1] != new or taken[new][1] != old:
            yield after


def check_references(
    store: str,
    pairs: Sequence[tuple[DicomJson, DicomJson]],
    source_uids: Collection[str],
    destination_uids: Collection[str],
) -> CheckResult:
    """A reference that led to an instance of the source leads to one of the destination.

    :param pairs: instances of the source with theirs of the destination.
    :param source_uids: instance UIDs of the source that were read.
    :param destination_uids: instance UIDs of the destination that were read.
    """
    checked = 0
    findings: list[Finding] = []
    for before, after in pairs:
        resolvable = {
            (element.path, element.items)
            for element in walk(before)
            if element.tag == _REFERENCED_SOP_INSTANCE_UID and any(uid in source_uids for uid in element.texts)
        }
        for element in walk(after):
            if (element.path, element.items) in resolvable:
                checked += 1
                if not any(uid in destination_uids for uid in element.texts):
                    findings.append(Finding(resource(store, after), element.location, "leads to no instance any more"))
    return CheckResult.of("references", findings, checked=checked, severity=Severity.WARNING)
