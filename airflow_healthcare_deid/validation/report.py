"""What a validation found, in a form that may leave the project's boundary: names and counts, never a value."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import msgspec

from airflow_healthcare_deid.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAX_FINDINGS = 20
"""Findings a check lists by name; it counts them all."""

CHECKS = frozenset(
    {
        "counts",
        "dicom_dates",
        "dicom_identifiers",
        "dicom_identifiers_name_parts",
        "fhir_dates",
        "fhir_ids",
        "fhir_identifiers",
        "fhir_identifiers_name_parts",
        "fhir_references",
        "patients_arrived",
        "pixels",
        "references",
        "source_uids",
        "source_uids_in_references",
        "studies_arrived",
        "tag_filter",
        "uid_hierarchy",
    }
)
"""Names of all checks."""


class Severity(StrEnum):
    """What a failed check means for the task."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class Status(StrEnum):
    """How a check ended."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_CHECKED = "NOT_CHECKED"


class Finding(msgspec.Struct, frozen=True, order=True):
    """One place where the destination is not as it should be.

    :param resource: name of the resource, from the store on, for example ``dicomStores/S/dicomWeb/studies/…``.
    :param location: the tag keywords or FHIR path inside it.
    :param problem: what is wrong there, in words that hold no value.
    """

    resource: str
    location: str
    problem: str


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found.

    :param check: its name, stable across releases.
    :param checked: how many things it looked at.
    :param failed: how many of them were not as they should be.
    :param findings: the first of those, by name.
    :param note: what it could not look at, and why.
    """

    check: str
    severity: Severity
    status: Status
    checked: int = 0
    failed: int = 0
    findings: tuple[Finding, ...] = ()
    note: str = ""

    @classmethod
    def of(
        cls,
        check: str,
        findings: Iterable[Finding],
        *,
        checked: int,
        severity: Severity = Severity.ERROR,
        note: str = "",
    ) -> Self:
        """Judge a check by its findings; one that looked at nothing proves nothing and counts as not checked."""
        found = sorted(set(findings))
        status = Status.FAILED if found else Status.PASSED if checked else Status.NOT_CHECKED
        return cls(
            check=check,
            severity=severity,
            status=status,
            checked=checked,
            failed=len(found),
            findings=tuple(found[:MAX_FINDINGS]),
            note=note or ("" if checked else "There was nothing to look at"),
        )

    @classmethod
    def not_checked(cls, check: str, why: str) -> Self:
        """Say that a check does not apply or could not be made."""
        return cls(check=check, severity=Severity.WARNING, status=Status.NOT_CHECKED, note=why)


def hide(result: CheckResult, tells: Callable[[str], bool]) -> CheckResult:
    """Shorten the names of resources that themselves tell of a patient to the store's.

    :param tells: whether a name does.
    """
    findings = (
        msgspec.structs.replace(finding, resource="/".join(finding.resource.split("/")[:2]))
        if tells(finding.resource)
        else finding
        for finding in result.findings
    )
    return msgspec.structs.replace(result, findings=tuple(findings))


class ValidationReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a validation found.

    :param source: name of the source dataset or store.
    :param destination: name of the destination dataset or store.
    :param seed: seed of the sample, so that the same one can be drawn again.
    :param sampled: how many studies and patients were looked into, of how many.
    :param results: one entry per check.
    :param blind_spots: what no check looks at.
    """

    source: str
    destination: str
    seed: int
    sampled: dict[str, int]
    results: tuple[CheckResult, ...]
    blind_spots: tuple[str, ...] = ()

    def with_severities(self, severities: Mapping[str, Severity]) -> Self:
        """Return the report with other severities for some checks.

        :param severities: by name of the check.
        :raises InvalidRequestError: if a check has another name.
        """
        if unknown := severities.keys() - CHECKS:
            raise InvalidRequestError(f"severities.{min(unknown)}", "is no check", f"Use {', '.join(sorted(CHECKS))}")
        results = (
            msgspec.structs.replace(result, severity=severities.get(result.check, result.severity))
            for result in self.results
        )
        return msgspec.structs.replace(self, results=tuple(results))

    @property
    def errors(self) -> tuple[CheckResult, ...]:
        """The failed checks that make the data unfit for use."""
        return self._failed(Severity.ERROR)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """The failed checks a person should look at."""
        return self._failed(Severity.WARNING)

    def _failed(self, severity: Severity) -> tuple[CheckResult, ...]:
        return tuple(r for r in self.results if r.status is Status.FAILED and r.severity is severity)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types, with the verdict first."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return {"passed": not self.errors, "errors": len(self.errors), "warnings": len(self.warnings), **body}
