"""Asks all the questions of a pair of sides and makes the report."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.validation.checks.counts import check_counts
from airflow_healthcare_deid.validation.dicom_side import validate_dicom_store
from airflow_healthcare_deid.validation.expectations import expect
from airflow_healthcare_deid.validation.fhir_side import validate_fhir_store
from airflow_healthcare_deid.validation.report import MAX_FINDINGS, CheckResult, Severity, Status, ValidationReport
from airflow_healthcare_deid.validation.sampling import Scope, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_healthcare_deid.config import DeidentifyConfig
    from airflow_healthcare_deid.validation.sides import Side

BLIND_SPOTS = (
    "Text burnt into pixels",
    "Bulk data, overlays, File Meta Information and names of coding schemes",
    "Attachments of FHIR resources that are no plain text",
    "People other than the patient, and identifiers that no field of the patient's record holds",
)


def validate(
    source: Side,
    destination: Side,
    config: DeidentifyConfig,
    *,
    names: tuple[str, str],
    scope: Scope,
    blind_spots: Sequence[str] = (),
) -> ValidationReport:
    """Compare two sides.

    :param source: what was de-identified.
    :param destination: what came out.
    :param config: the config that was used.
    :param names: names of source and destination, for the report.
    :param scope: what was asked for, and how much of it to look into.
    :param blind_spots: what cannot be looked at, beyond what never can.
    """
    expected = expect(config)
    tally = Tally()
    results: list[CheckResult] = []
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    # A part of the config that is absent means that stores of its kind are skipped.
    dicom_stores = sorted(source.dicom_stores()) if config.dicom is not None else []
    fhir_stores = sorted(source.fhir_stores()) if config.fhir is not None else []
    present = set(destination.dicom_stores()), set(destination.fhir_stores())
    for store in dicom_stores:
        before[f"dicomStores/{store}"] = source.dicom_counts(store).instances
        if store in present[0]:
            results.extend(validate_dicom_store(store, source, destination, expected, scope, tally))
    for store in fhir_stores:
        before.update({f"fhirStores/{store}/{kind}": n for kind, n in source.fhir_counts(store).items()})
        if store in present[1]:
            results.extend(validate_fhir_store(store, source, destination, expected, scope, tally))
    # All stores, also those that should not be there.
    for store in present[0]:
        after[f"dicomStores/{store}"] = destination.dicom_counts(store).instances
    for store in present[1]:
        after.update({f"fhirStores/{store}/{kind}": n for kind, n in destination.fhir_counts(store).items()})
    return ValidationReport(
        source=names[0],
        destination=names[1],
        seed=scope.sampling.seed,
        sampled=msgspec.to_builtins(tally),
        results=(check_counts(before, after, scope.failed, subset=scope.subset), *_merge(results)),
        blind_spots=(*BLIND_SPOTS, *blind_spots),
    )


def _merge(results: Sequence[CheckResult]) -> Iterator[CheckResult]:
    """One result per check: the sum over the stores, the worst of the verdicts."""
    order = (Status.FAILED, Status.PASSED, Status.NOT_CHECKED)
    for check, group in groupby(sorted(results, key=lambda result: result.check), key=lambda result: result.check):
        parts = list(group)
        yield CheckResult(
            check=check,
            severity=min((part.severity for part in parts), key=list(Severity).index),
            status=min((part.status for part in parts), key=order.index),
            checked=sum(part.checked for part in parts),
            failed=sum(part.failed for part in parts),
            findings=tuple(finding for part in parts for finding in part.findings)[:MAX_FINDINGS],
            note="; ".join(sorted({part.note for part in parts if part.note})),
        )
