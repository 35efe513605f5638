"""All questions about one FHIR store. Resource ids are the same on both sides, so partners are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.validation.checks.arrival import check_patients_arrived
from airflow_healthcare_deid.validation.checks.dates import Shift, check_date_shift, fhir_shifts
from airflow_healthcare_deid.validation.checks.fhir_references import check_fhir_references
from airflow_healthcare_deid.validation.checks.identifiers import check_identifiers, fhir_texts
from airflow_healthcare_deid.validation.identifiers import Identifier, of_patient
from airflow_healthcare_deid.validation.matcher import Matcher
from airflow_healthcare_deid.validation.report import CheckResult

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
    after: list[FhirJson] = []
    shifts: list[Shift] = []
    arrived = 0
    for patient_id in chosen:
        before = {_name(body): body for body in source.compartment(store, patient_id)}
        identifiers |= of_patient(before.get(f"Patient/{patient_id}", {}), expected.fhir_kinds)
        found = list(destination.compartment(store, patient_id))
        arrived += bool(found)
        after.extend(found)
        pairs = ((before[_name(body)], body) for body in found if _name(body) in before)
        shifts.extend(fhir_shifts(store, patient_id, pairs))
    yield check_patients_arrived(store, len(chosen), arrived, scope)
    if expected.fhir_kinds:
        yield from check_identifiers("fhir_identifiers", Matcher(identifiers), fhir_texts(store, after))
    else:
        yield CheckResult.not_checked("fhir_identifiers", "The config transforms none of the patient's identifiers")
    if expected.fhir_dates_shifted:
        yield check_date_shift("fhir_dates", shifts)
    else:
        yield CheckResult.not_checked("fhir_dates", "The config shifts no dates of FHIR resources")
    yield check_fhir_references(store, after, {_name(body) for body in after})


def _name(body: FhirJson) -> str:
    return f"{body.get('resourceType')}/{body.get('id')}"
