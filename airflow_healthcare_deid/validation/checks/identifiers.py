"""Is a patient's identifier still there?"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.validation.dicom_json import resource, walk
from airflow_healthcare_deid.validation.matcher import Matcher, Text
from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from airflow_healthcare_deid.validation.sides import DicomJson, FhirJson

# Elements that hold text a person could have written; the others hold numbers, UIDs or bulk data.
_TEXT_VRS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT"})
# Names of vocabularies: some vendors' are words that are names, too.
_NEVER_A_PERSON = frozenset({"00080102", "00080103"})
# What the service writes in the place of a finding, such as [PERSON_NAME].
_PLACEHOLDER = re.compile(r"\[(?:DATE|AGE|LOCATION|[A-Z]+(?:_[A-Z]+)+)\]")
_MARKUP = re.compile(r"<[^>]*>")

Place = tuple[str, str, str]
"""Name of the resource, location inside it, and the text there."""


def dicom_texts(
    store: str, instances: Iterable[DicomJson], *, kept_homes: Collection[str] = (), kept: Collection[str] = ()
) -> Iterator[Place]:
    """Yield all text of instances.

    :param kept_homes: elements of the patient's record that stay on purpose.
    :param kept: elements on a keep list; dates that were asked to stay prove nothing, texts could still leak.
    """
    for instance in instances:
        name = resource(store, instance)
        for element in walk(instance):
            if element.vr not in _TEXT_VRS or element.tag in kept_homes or element.tag in _NEVER_A_PERSON:
                continue
            if element.vr in ("DA", "DT") and element.tag in kept:
                continue
            for value in element.texts:
                yield name, element.location, value


def fhir_texts(store: str, resources: Iterable[FhirJson]) -> Iterator[Place]:
    """Yield all text of resources, narratives without their markup."""
    for body in resources:
        name = f"fhirStores/{store}/fhir/{body.get('resourceType')}/{body.get('id')}"
        for path, value in _leaves(body, str(body.get("resourceType"))):
            yield name, path, html.unescape(_MARKUP.sub(" ", value)) if path.endswith(".div") else value


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            # Ids keep resources together and are the same on both sides.
            if key not in ("id", "reference", "meta", "resourceType"):
                yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)


def check_identifiers(check: str, matcher: Matcher, texts: Iterable[Place]) -> tuple[CheckResult, CheckResult]:
    """No text holds an identifier of a patient; a part of a name alone is a warning, since names are words too.

    :param check: name of the check, ``dicom_identifiers`` or ``fhir_identifiers``.
    :param matcher: the identifiers of the sampled patients.
    :param texts: what to search.
    """
    checked = 0
    findings: list[Finding] = []
    parts: list[Finding] = []
    for name, location, value in texts:
        checked += 1
        text = Text.of(_PLACEHOLDER.sub(" ", value))
        kinds = matcher.find(text)
        findings.extend(Finding(name, location, f"holds a patient's {kind}") for kind in kinds)
        if not kinds and matcher.find_name_part(text):
            parts.append(Finding(name, location, "holds a part of a patient's name"))
    note = f"{matcher.ignored} identifiers were too short to look for" if matcher.ignored else ""
    return (
        CheckResult.of(check, findings, checked=checked, note=note),
        CheckResult.of(f"{check}_name_parts", parts, checked=checked, severity=Severity.WARNING),
    )
