"""Did what was looked into arrive at all? The counts tell nothing where only a part was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_healthcare_deid.validation.sampling import Scope


def check_studies_arrived(
    store: str, chosen: Mapping[str, int], arrived: Mapping[str, int | None], room: int, scope: Scope
) -> CheckResult:
    """Every study looked into has a partner, where UIDs tell which that is, with as many instances.

    What is missing is an error, unless the operation counted failures, which may be the reason.

    :param chosen: how many instances each study of the source has.
    :param arrived: how many its partner has; None if UIDs tell none.
    :param room: how many studies the destination has.
    """
    check = "studies_arrived"
    if not scope.selected:
        return CheckResult.not_checked(check, "Which studies were asked for is not known")
    severity = Severity.WARNING if scope.failed else Severity.ERROR
    missing = sum(arrived[study] is None for study in chosen)
    problem = f"{missing} of {len(chosen)} studies looked into have no partner in the destination"
    if missing == len(chosen) <= room:
        problem = "no study looked into has a partner that UIDs tell: all are lost, or UIDs were derived otherwise"
        severity = Severity.WARNING
    findings = [Finding(f"dicomStores/{store}", "StudyInstanceUID", problem)] if missing else []
    lost = sum(max(0, count - (arrived[study] or 0)) for study, count in chosen.items() if arrived[study] is not None)
    if lost and scope.whole_studies:
        problem = f"{lost} instances of studies looked into are missing from the destination"
        findings.append(Finding(f"dicomStores/{store}", "SOPInstanceUID", problem))
    return CheckResult.of(check, findings, checked=len(chosen), severity=severity)


def check_patients_arrived(store: str, chosen: int, found: int, scope: Scope, unread: int) -> CheckResult:
    """Every patient looked into is in the destination under the same id; others cannot be checked.

    :param chosen: patients of the source that were looked into.
    :param found: those that the destination has.
    :param unread: resources of these patients that the destination did not deliver. The service's index of a FHIR store
        is a while behind, so they need not be lost.
    """
    missing = chosen - found
    problem = f"{missing} of {chosen} patients looked into are not in the destination under their id"
    unexplained = not scope.subset and missing > (scope.failed or 0)
    findings = [Finding(f"fhirStores/{store}", "Patient", problem)] if unexplained else []
    note = f"{missing} patients and {unread} of the resources were not found, and so not checked"
    return CheckResult.of(
        "patients_arrived",
        findings,
        checked=chosen if unexplained else found,
        severity=Severity.WARNING,
        note=note if missing or unread else "",
    )
