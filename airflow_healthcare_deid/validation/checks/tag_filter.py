"""Did the tag filter hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.basic_profile import removed_tags, replaced_tags
from airflow_healthcare_deid.validation.dicom_json import Element, resource, walk
from airflow_healthcare_deid.validation.report import CheckResult, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_healthcare_deid.validation.expectations import Expectations
    from airflow_healthcare_deid.validation.sides import DicomJson


def check_tag_filter(
    store: str,
    destination: Iterable[DicomJson],
    expected: Expectations,
    pairs: Sequence[tuple[DicomJson, DicomJson]] = (),
) -> CheckResult:
    """Nothing stays beyond the keep list, and nothing of the remove list or that the Basic Profile removes or replaces.

    An element that stays without a value counts as removed: the service may blank instead of delete.

    :param pairs: instances of the source with theirs of the destination.
    """
    if not (expected.kept is not None or expected.removed or expected.basic_profile):
        return CheckResult.not_checked("tag_filter", "The config filters no tags")
    checked = 0
    findings: list[Finding] = []
    for instance in destination:
        checked += 1
        name = resource(store, instance)
        findings.extend(Finding(name, element.location, problem) for element, problem in _offences(instance, expected))
    for before, after in pairs if expected.basic_profile else ():
        name = resource(store, after)
        findings.extend(
            Finding(name, element.location, "is as in the source, and the Basic Profile replaces it")
            for element in _kept(before, after)
        )
    return CheckResult.of("tag_filter", findings, checked=checked)


def _kept(before: DicomJson, after: DicomJson) -> Iterator[Element]:
    """Yield the elements that the Basic Profile replaces and that are the same on both sides."""
    values = {
        (element.path, element.items): element.texts for element in walk(before) if element.tag in replaced_tags()
    }
    for element in walk(after):
        if any(element.texts) and values.get((element.path, element.items)) == element.texts:
            yield element


def _offences(instance: DicomJson, expected: Expectations) -> Iterator[tuple[Element, str]]:
    for element in walk(instance):
        if not element.filled:
            continue
        if expected.kept is not None and len(element.path) == 1 and element.tag not in expected.kept:
            yield element, "is not on the keep list"
        elif element.tag in expected.removed:
            yield element, "is on the remove list"
        elif expected.basic_profile and int(element.tag[:4], 16) % 2:
            yield element, "is a private element"
        elif expected.basic_profile and element.tag in removed_tags():
            yield element, "is removed by the Basic Profile"
