"""Did what was looked into arrive at all? The counts tell nothing where only a part was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity

if TYPE_CHECKING:
    from airflow_healthcare_deid.validation.sampling import Scope


def check_studies_arrived(store: str, chosen: int, found: int, scope: Scope) -> CheckResult:
    """Every study looked into has a partner, where UIDs tell which that is.

    A missing one is an error, unless the operation counted failures, which may be the reason.

    :param chosen: studies of the source that were looked into.
    :param found: those whose partner's UID is known and stands in the destination.
    """
    check = "studies_arrived"
    if not scope.selected:
        return CheckResult.not_checked(check, "Which studies were asked for is not known")
    if not found:
        return CheckResult.not_checked(check, "UIDs do not tell which study was made from which")
    problem = f"{chosen - found} of {chosen} studies looked into have no partner in the destination"
    findings = [Finding(f"dicomStores/{store}", "StudyInstanceUID", problem)] if found < chosen else []
    severity = Severity.WARNING if scope.failed else Severity.ERROR
    return CheckResult.of(check, findings, checked=chosen, severity=severity)


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
