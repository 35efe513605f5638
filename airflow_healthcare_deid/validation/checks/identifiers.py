"""Is a patient's identifier still there?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity
from airflow_healthcare_deid.validation.texts import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_healthcare_deid.validation.identifiers import Kind
    from airflow_healthcare_deid.validation.matcher import Matcher

# What the service writes in the place of a finding, such as [PERSON_NAME].
_PLACEHOLDER = re.compile(r"\[(?:DATE|AGE|LOCATION|[A-Z]+(?:_[A-Z]+)+)\]")


class Place(NamedTuple):
    """A piece of text of the destination.

    :param resource: name of the resource that it is in.
    :param location: where in the resource.
    :param value: the text. It may be patient data.
    :param home: the kind of identifier that belongs here and was to go, if any does.
    :param is_date: whether this is a field for a date; one that is no home may hold any date, as a newborn's do.
    :param owner: the patient whose resource it is, where that is known.
    """

    resource: str
    location: str
    value: str
    home: Kind | None = None
    is_date: bool = False
    owner: str = ""


def check_identifiers(
    check: str, matcher: Matcher, places: Iterable[Place], note: str = ""
) -> tuple[CheckResult, CheckResult]:
    """No text holds an identifier of a patient; a part of a name alone is a warning, since names are words too.

    :param check: name of the check, ``dicom_identifiers`` or ``fhir_identifiers``.
    :param matcher: the identifiers of the sampled patients.
    :param places: what to search.
    :param note: what could not be searched.
    """
    checked = 0
    findings: list[Finding] = []
    parts: list[Finding] = []
    for place in places:
        checked += 1
        text = Text.of(_PLACEHOLDER.sub(" ", place.value))
        kinds = matcher.find(text, place.owner) if place.home or not place.is_date else set()
        if place.home and matcher.find_at_home(text, place.home):
            kinds.add(place.home)
        findings.extend(Finding(place.resource, place.location, f"holds a patient's {kind}") for kind in kinds)
        if not kinds and matcher.find_name_part(text):
            parts.append(Finding(place.resource, place.location, "holds a part of a patient's name"))
    notes = [f"{matcher.ignored} identifiers were looked for only where they belong"] if matcher.ignored else []
    return (
        CheckResult.of(check, findings, checked=checked, note="; ".join([*notes, *filter(None, [note])])),
        CheckResult.of(f"{check}_name_parts", parts, checked=checked, severity=Severity.WARNING),
    )
