"""Do references between FHIR resources still lead somewhere?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from airflow_healthcare_deid.validation.sides import FhirJson


def check_fhir_references(
    store: str, resources: Iterable[FhirJson], before: Collection[str], after: Collection[str]
) -> CheckResult:
    """A reference that led to a resource of the source still does, and one inside a resource to what that contains.

    :param resources: resources of the destination.
    :param before: what was read of the source, as ``Type/id``.
    :param after: what was read of the destination.
    """
    checked = 0
    findings: list[Finding] = []
    for body in resources:
        name = f"fhirStores/{store}/fhir/{body.get('resourceType')}/{body.get('id')}"
        contained = {f"#{inner.get('id')}" for inner in body.get("contained", ())}
        for path, reference in _references(body, str(body.get("resourceType"))):
            local = reference.startswith("#") and len(reference) > 1
            if not local and reference not in before:
                continue
            checked += 1
            if reference not in (contained if local else after):
                findings.append(Finding(name, path, "leads to no resource any more"))
    return CheckResult.of("fhir_references", findings, checked=checked, severity=Severity.WARNING)


def _references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "reference" and isinstance(inner, str):
                yield path, inner.partition("/_history/")[0]
            else:
                yield from _references(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner, path)
