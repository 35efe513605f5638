"""Did everything arrive?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def check_counts(
    source: Mapping[str, int], destination: Mapping[str, int], failed: int | None, *, subset: bool
) -> CheckResult:
    """Compare how many resources both sides hold.

    :param source: resources by place, for example ``dicomStores/S`` or ``fhirStores/S/Patient``.
    :param destination: the same of the destination.
    :param failed: resources the operation counted as failed; None if that is not known.
    :param subset: only a part of the source was asked for, so the destination may hold less.
    """
    findings = list(_differences(source, destination, subset))
    missing = sum(source.values()) - sum(destination.values())
    if not subset and failed is not None and missing > failed:
        problem = f"{missing} resources are missing and only {failed} were counted as failed"
        findings.append(Finding("all stores", "", problem))
    note = ""
    if subset:
        note = "Only a part of the source was asked for: what is missing from the destination was not counted"
    elif failed is None:
        note = "How many resources the operation failed to process is not known: missing ones count as lost"
        findings.extend(
            Finding(place, "", f"{count - destination.get(place, 0)} resources are missing")
            for place, count in source.items()
            if destination.get(place, 0) < count
        )
    return CheckResult.of("counts", findings, checked=len({*source, *destination}), severity=Severity.ERROR, note=note)


def _differences(source: Mapping[str, int], destination: Mapping[str, int], subset: bool) -> Iterator[Finding]:
    for place in sorted({*source, *destination}):
        extra = destination.get(place, 0) - source.get(place, 0)
        # An existing destination store of an incremental run may hold what earlier runs wrote.
        if extra > 0 and not subset:
            yield Finding(place, "", f"holds {extra} resources more than the source")
