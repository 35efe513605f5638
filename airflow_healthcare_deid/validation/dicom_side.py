"""All questions about one DICOM store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.uids import derive_uid
from airflow_healthcare_deid.validation.checks.arrival import check_studies_arrived
from airflow_healthcare_deid.validation.checks.dates import check_date_shift, dicom_shifts
from airflow_healthcare_deid.validation.checks.identifiers import check_identifiers
from airflow_healthcare_deid.validation.checks.pixels import check_pixels
from airflow_healthcare_deid.validation.checks.tag_filter import check_tag_filter
from airflow_healthcare_deid.validation.checks.uids import (
    check_hierarchy,
    check_nested_uids,
    check_own_uids,
    check_references,
)
from airflow_healthcare_deid.validation.dicom_json import OWN_IDS, SOP_INSTANCE_UID, text, walk
from airflow_healthcare_deid.validation.identifiers import DICOM_HOMES, Kind, of_dicom
from airflow_healthcare_deid.validation.matcher import Matcher
from airflow_healthcare_deid.validation.matching import match_instances
from airflow_healthcare_deid.validation.places import dicom_places, unread_elements
from airflow_healthcare_deid.validation.report import CheckResult, Severity, hide
from airflow_healthcare_deid.validation.texts import fold, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_healthcare_deid.validation.expectations import Expectations
    from airflow_healthcare_deid.validation.sampling import Sampling, Scope, Tally
    from airflow_healthcare_deid.validation.sides import DicomJson, Side

_NO_REDACTION = "Pixels were to be redacted; what was redacted in them is not looked at"
_NO_SHIFT = "The config shifts no dates"


def validate_dicom_store(
    store: str, source: Side, destination: Side, expected: Expectations, scope: Scope, tally: Tally
) -> Iterator[CheckResult]:
    """Yield the result of every check of one store that stands on both sides."""
    source_uids: set[str] = set()
    for result in _results(store, source, destination, expected, scope, tally, source_uids):
        # UIDs of the source tell of a patient; where they were to be replaced, the report does not carry them on.
        yield result if expected.ids_kept else hide(result, lambda name: not source_uids.isdisjoint(name.split("/")))


def _results(
    store: str,
    source: Side,
    destination: Side,
    expected: Expectations,
    scope: Scope,
    tally: Tally,
    uids: set[str],
) -> Iterator[CheckResult]:
    """Yield the results, with UIDs of the source in the names of resources that have kept them.

    :param uids: takes the source's UIDs.
    """
    all_studies = list(source.studies(store))
    chosen = scope.sampling.draw(all_studies)
    before_by_study = {study: list(source.study_metadata(store, study)) for study in chosen}
    before = [instance for instances in before_by_study.values() for instance in instances]
    there = set(destination.studies(store))
    named = {study: next((uid for uid in (study, derive_uid(study)) if uid in there), None) for study in chosen}
    known = [uid for uid in named.values() if uid is not None]
    partners = _partners(known, chosen, there, scope.sampling)
    after_by_study = {study: list(destination.study_metadata(store, study)) for study in partners}
    after = [instance for instances in after_by_study.values() for instance in instances]
    whole = not scope.subset and len(chosen) == len(all_studies) and len(partners) == len(there)
    matches = match_instances(before, after, whole=whole)
    tally.studies += len(all_studies)
    tally.studies_looked_into += len(chosen)
    tally.instances_unmatched += matches.unmatched

    yield check_studies_arrived(
        store,
        {study: len(instances) for study, instances in before_by_study.items()},
        {study: None if uid is None else len(after_by_study[uid]) for study, uid in named.items()},
        len(there),
        scope,
    )
    uids.update(all_studies, *({text(instance, tag) for tag in OWN_IDS} for instance in before))
    if expected.ids_kept:
        yield CheckResult.not_checked("source_uids", "UIDs were kept on purpose (skipIdRedaction)")
    else:
        yield check_own_uids(store, uids, after, there)
        severity = Severity.ERROR if expected.basic_profile else Severity.WARNING
        yield check_nested_uids(store, uids, after, severity)
    yield check_hierarchy(store, after, matches.pairs)
    yield check_references(store, matches.pairs, _instance_uids(before), _instance_uids(after))
    yield from _identifiers(store, before, after, expected)
    yield check_tag_filter(store, after, expected, matches.pairs)
    if expected.dates_shifted:
        yield check_date_shift("dicom_dates", dicom_shifts(store, matches.pairs))
    else:
        yield CheckResult.not_checked("dicom_dates", _NO_SHIFT)
    if expected.pixels_kept:
        drawn = set(scope.sampling.draw_pixels(_instance_uids(instance for instance, _ in matches.pairs)))
        yield check_pixels(
            store,
            [pair for pair in matches.pairs if text(pair[0], SOP_INSTANCE_UID) in drawn],
            lambda instance, decoded: source.pixel_digest(store, instance, decoded=decoded),
            lambda instance, decoded: destination.pixel_digest(store, instance, decoded=decoded),
        )
    else:
        yield CheckResult.not_checked("pixels", _NO_REDACTION)


def _partners(known: Sequence[str], chosen: Sequence[str], there: set[str], sampling: Sampling) -> list[str]:
    """The destination's studies to look into: all if they are few, else those made from the chosen ones.

    Where the UIDs do not tell which those are, others are drawn.

    :param known: partners of chosen studies whose UIDs tell.
    """
    drawn = sampling.draw(there)
    if len(drawn) < len(there) and len(known) == len(chosen):
        return list(known)
    return sorted({*known, *drawn})


def _instance_uids(instances: Iterable[DicomJson]) -> set[str]:
    return {text(instance, SOP_INSTANCE_UID) for instance in instances}


def _identifiers(
    store: str, before: Sequence[DicomJson], after: Sequence[DicomJson], expected: Expectations
) -> Iterator[CheckResult]:
    homes = expected.dicom_homes
    if expected.dates_shifted:
        # A moved date may fall on another patient's birth date; the check of the shift itself tells more.
        homes = {tag: kind for tag, kind in homes.items() if kind is not Kind.BIRTH_DATE}
    if not homes:
        yield CheckResult.not_checked("dicom_identifiers", "The config removes none of the patient's identifiers")
        return
    identifiers = (identifier for instance in before for identifier in of_dicom(instance, homes))
    emptied = {tag: kind for tag, kind in homes.items() if kind is not Kind.ID or not expected.contents_inspected}
    unread = unread_elements(after)
    yield from check_identifiers(
        "dicom_identifiers",
        Matcher(identifiers, _code_words(before)),
        dicom_places(store, after, emptied, unread=DICOM_HOMES.keys() - homes.keys()),
        f"{unread} elements of unknown representation are bulk data, and were not read" if unread else "",
    )


def _code_words(instances: Iterable[DicomJson]) -> set[str]:
    """The words of coded elements, such as parts of the body: they mean something else when a patient is called so."""
    return {
        word
        for instance in instances
        for element in walk(instance)
        if element.vr == "CS"
        for text_ in element.texts
        for word in words(fold(text_))
    }
