"""Are ids of FHIR resources identifiers of a patient?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity
from airflow_healthcare_deid.validation.texts import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_healthcare_deid.validation.matcher import Matcher
    from airflow_healthcare_deid.validation.sides import FhirJson


def check_fhir_ids(store: str, resources: Iterable[FhirJson], matcher: Matcher) -> tuple[set[str], CheckResult]:
    """No id of a resource is a patient's identifier: ids stay as they are, so such a one should not be given.

    :param resources: resources of the destination.
    :param matcher: all identifiers of the sampled patients.
    :return: the names of the resources whose ids are not to be shown, and the result.
    """
    checked = 0
    telling: set[str] = set()
    counts: dict[str, int] = {}
    for body in resources:
        checked += 1
        if matcher.find(Text.of(str(body.get("id")))):
            kind = f"fhirStores/{store}/fhir/{body.get('resourceType')}"
            telling.add(f"{kind}/{body.get('id')}")
            counts[kind] = counts.get(kind, 0) + 1
    findings = [Finding(kind, "id", f"{count} ids hold a patient's identifier") for kind, count in counts.items()]
    return telling, CheckResult.of("fhir_ids", findings, checked=checked, severity=Severity.WARNING)
