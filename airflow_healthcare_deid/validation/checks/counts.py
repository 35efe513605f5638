"""Did everything arrive?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_counts(
    source: Mapping[str, int], destination: Mapping[str, int], failed: int | None, *, subset: bool
) -> CheckResult:
    """Compare how many resources both sides hold.

    :param source: resources by place, for example ``dicomStores/S`` or ``fhirStores/S/Patient``.
    :param destination: the same of the destination.
    :param failed: resources the operation counted as failed; None if that is not known.
    :param subset: only a part of the source was asked for, so the destination may hold less.
    """
    extra = {place: n - source.get(place, 0) for place, n in destination.items() if n > source.get(place, 0)}
    missing = {place: n - destination.get(place, 0) for place, n in source.items() if n > destination.get(place, 0)}
    findings: list[Finding] = []
    # An existing store of an incremental run holds less than the source, and what earlier runs wrote.
    if not subset:
        findings = [
            Finding(place, "", f"holds {count} resources more than the source") for place, count in extra.items()
        ]
        if sum(missing.values()) > (failed or 0):
            findings += [Finding(place, "", f"{count} resources are missing") for place, count in missing.items()]
    note = ""
    if subset:
        note = "Only a part of the source was asked for: what is missing from the destination was not counted"
    elif failed is None:
        note = "How many resources the operation failed to process is not known: missing ones count as lost"
    elif failed:
        note = f"The operation counted {failed} resources as failed, which may be missing"
    return CheckResult.of("counts", findings, checked=len({*source, *destination}), severity=Severity.ERROR, note=note)
