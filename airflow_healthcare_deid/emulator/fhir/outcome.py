"""Errors of the FHIR interface: an HTTP status and an ``OperationOutcome``.

The shape (``issue[].code``, ``details.text``, ``diagnostics``, ``severity``) and the pair ``not-supported`` /
``bad_resource_type`` are what the service answers in public issue reports; the other pairs are inferred.
https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class FhirError(Exception):
    """A FHIR request that fails.

    :param status: the HTTP status of the answer.
    :param code: an IssueType code, https://hl7.org/fhir/R4/valueset-issue-type.html.
    :param text: the machine-readable reason, for example ``resource_not_found``.
    :param diagnostics: what is wrong, in words; resource names, element paths and counts only, never a value.
    """

    def __init__(self, status: int, code: str, text: str, diagnostics: str) -> None:
        super().__init__(diagnostics)
        self.status = int(status)
        self.code = code
        self.text = text
        self.diagnostics = diagnostics

    def outcome(self) -> dict[str, Any]:
        """Return the ``OperationOutcome`` that tells the client."""
        return outcome(self.code, self.text, self.diagnostics)


def outcome(code: str, text: str, diagnostics: str, severity: str = "error") -> dict[str, Any]:
    """Build an ``OperationOutcome`` with one issue."""
    issue = {"code": code, "details": {"text": text}, "diagnostics": diagnostics, "severity": severity}
    return {"issue": [issue], "resourceType": "OperationOutcome"}


def invalid(diagnostics: str, text: str = "invalid_resource") -> FhirError:
    """The resource or a parameter breaks a rule."""
    return FhirError(HTTPStatus.BAD_REQUEST, "invalid", text, diagnostics)


def structure(diagnostics: str) -> FhirError:
    """The body is no JSON of a FHIR resource."""
    return FhirError(HTTPStatus.BAD_REQUEST, "structure", "unparseable_resource", diagnostics)


def bad_type() -> FhirError:
    """The resource type does not exist in the store's FHIR version."""
    return FhirError(HTTPStatus.BAD_REQUEST, "not-supported", "bad_resource_type", "unsupported resource type")


def not_found() -> FhirError:
    """No such resource, or no such version of it."""
    return FhirError(HTTPStatus.NOT_FOUND, "not-found", "resource_not_found", "resource not found")


def gone() -> FhirError:
    """The resource was there, and was deleted."""
    return FhirError(HTTPStatus.GONE, "deleted", "resource_deleted", "resource is deleted")


def multiple_matches(count: int) -> FhirError:
    """A conditional interaction found more than the one resource it is allowed to find."""
    text = f"the search criteria match {count} resources, at most one may match"
    return FhirError(HTTPStatus.PRECONDITION_FAILED, "multiple-matches", "multiple_matches", text)


def integrity(diagnostics: str) -> FhirError:
    """A reference would point at nothing; only in stores that keep referential integrity."""
    return FhirError(HTTPStatus.CONFLICT, "conflict", "reference_not_found", diagnostics)
