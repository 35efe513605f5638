"""All questions about one FHIR store. Resource ids are the same on both sides, so partners are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.checks.arrival import check_patients_arrived
from airflow_healthcare_deid.validation.checks.dates import Shift, check_date_shift, fhir_shifts
from airflow_healthcare_deid.validation.checks.fhir_ids import check_fhir_ids
from airflow_healthcare_deid.validation.checks.fhir_references import check_fhir_references
from airflow_healthcare_deid.validation.checks.identifiers import Place, check_identifiers
from airflow_healthcare_deid.validation.identifiers import Identifier, of_patient
from airflow_healthcare_deid.validation.matcher import Matcher
from airflow_healthcare_deid.validation.places import fhir_places
from airflow_healthcare_deid.validation.report import CheckResult, hide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.validation.expectations import Expectations
    from airflow_healthcare_deid.validation.sampling import Scope, Tally
    from airflow_healthcare_deid.validation.sides import FhirJson, Side


def validate_fhir_store(
    store: str, source: Side, destination: Side, expected: Expectations, scope: Scope, tally: Tally
) -> Iterator[CheckResult]:
    """Yield the result of every check of one store that stands on both sides."""
    patients = list(source.patient_ids(store))
    chosen = scope.sampling.draw(patients)
    tally.patients += len(patients)
    tally.patients_looked_into += len(chosen)
    identifiers: set[Identifier] = set()
    known: set[str] = set()
    after: list[FhirJson] = []
    places: list[Place] = []
    shifts: list[Shift] = []
    arrived = 0
    for patient_id in chosen:
        before = {_name(body): body for body in source.compartment(store, patient_id)}
        known |= before.keys()
        identifiers |= of_patient(before.get(f"Patient/{patient_id}", {}))
        found = list(destination.compartment(store, patient_id))
        arrived += bool(found)
        after.extend(found)
        places.extend(fhir_places(store, patient_id, found, expected.fhir_kinds))
        pairs = ((before[_name(body)], body) for body in found if _name(body) in before)
        shifts.extend(fhir_shifts(store, patient_id, pairs))
    telling, ids = check_fhir_ids(store, after, Matcher(identifiers))
    unread = len(known.difference(_name(body) for body in after))
    results = [check_patients_arrived(store, len(chosen), arrived, scope, unread), ids]
    if expected.fhir_kinds:
        sought = (identifier for identifier in identifiers if identifier.kind in expected.fhir_kinds)
        results.extend(check_identifiers("fhir_identifiers", Matcher(sought), places))
    else:
        why = "The config transforms none of the patient's identifiers"
        results.append(CheckResult.not_checked("fhir_identifiers", why))
    if expected.fhir_dates_shifted:
        results.append(check_date_shift("fhir_dates", shifts))
    else:
        results.append(CheckResult.not_checked("fhir_dates", "The config shifts no dates of FHIR resources"))
    results.append(check_fhir_references(store, after, known, {_name(body) for body in after}))
    yield from (hide(result, telling.__contains__) for result in results)


def _name(body: FhirJson) -> str:
    return f"{body.get('resourceType')}/{body.get('id')}"
