"""What a de-identification was asked to do, as far as a look at its result can confirm it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.config import (
    DeidentifyConfig,
    DicomConfig,
    FhirAction,
    FhirConfig,
    TagFilterProfile,
    TextRedactionMode,
)
from airflow_healthcare_deid.config.dicom import ALWAYS_KEPT_TAGS
from airflow_healthcare_deid.config.tags import parse_tag_pattern
from airflow_healthcare_deid.validation.fhir_fields import fhir_kinds
from airflow_healthcare_deid.validation.identifiers import DICOM_HOMES, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a valid object cannot do without beyond the tags the service names, and what it adds to metadata when asked.
_NEVER_AMISS = frozenset({"00080005", "00080016", "00080056", "00081190", "00083002"})


class Expectations(msgspec.Struct, frozen=True, kw_only=True):
    """What to expect of a destination.

    :param ids_kept: the study, series and instance UIDs are the source's, on purpose.
    :param kept: tags that may stay, as eight hex digits; None where everything may stay that is not in ``removed``.
    :param removed: tags that must be gone or empty.
    :param basic_profile: the Basic Profile was asked for.
    :param dicom_homes: the elements whose identifiers must be gone from DICOM.
    :param contents_inspected: elements stay, and lose what a search of their contents finds: short numbers it does not.
    :param fhir_kinds: the kinds of identifiers that must be gone from FHIR.
    :param dates_shifted: dates of DICOM instances were to be moved, not removed.
    :param fhir_dates_shifted: full dates of FHIR resources were all to be moved.
    :param pixels_kept: no pixel was to be changed.
    """

    ids_kept: bool = False
    kept: frozenset[str] | None = None
    removed: frozenset[str] = frozenset()
    basic_profile: bool = False
    dicom_homes: dict[str, Kind] = {}
    contents_inspected: bool = False
    fhir_kinds: frozenset[Kind] = frozenset()
    dates_shifted: bool = False
    fhir_dates_shifted: bool = False
    pixels_kept: bool = True


def expect(config: DeidentifyConfig) -> Expectations:
    """Read from a config what its result must look like."""
    dicom = config.dicom or DicomConfig()
    profile = dicom.filter_profile
    kept = _kept(dicom)
    removed = _tags(dicom.remove_list.tags or ()) if dicom.remove_list else frozenset()
    inspected = profile in (
        TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE,
        TagFilterProfile.DEIDENTIFY_TAG_CONTENTS,
    )
    return Expectations(
        ids_kept=bool(dicom.skip_id_redaction),
        kept=kept,
        removed=removed,
        basic_profile=profile is TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE,
        dicom_homes={
            tag: kind
            for tag, kind in DICOM_HOMES.items()
            if inspected or tag in removed or (kept is not None and tag not in kept)
        },
        contents_inspected=profile is TagFilterProfile.DEIDENTIFY_TAG_CONTENTS,
        fhir_kinds=fhir_kinds(config.fhir) if config.fhir else frozenset(),
        dates_shifted=_dates_shifted(config) and profile is TagFilterProfile.DEIDENTIFY_TAG_CONTENTS,
        # Without a list of fields the default profile decides which dates move, and Google does not document that.
        fhir_dates_shifted=_dates_shifted(config) and config.fhir is not None and _all_fhir_dates(config.fhir),
        pixels_kept=_pixels_kept(config),
    )


def _tags(tags: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{number:08X}" for tag in tags for number in parse_tag_pattern(tag).numbers())


def _kept(dicom: DicomConfig) -> frozenset[str] | None:
    always = _NEVER_AMISS | {f"{tag:08X}" for tag in ALWAYS_KEPT_TAGS}
    if dicom.keep_list:
        return always | _tags(dicom.keep_list.tags or ())
    return always if dicom.filter_profile is TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE else None


def _all_fhir_dates(fhir: FhirConfig) -> bool:
    transformed = {
        path
        for field in fhir.field_metadata_list or ()
        if field.action is FhirAction.TRANSFORM
        for path in field.paths or ()
    }
    return {"Date", "DateTime"} <= transformed


def _dates_shifted(config: DeidentifyConfig) -> bool:
    text = config.text
    if text is None or "DATE" in (text.exclude_info_types or ()):
        return False
    for transformation in (*(text.additional_transformations or ()), *(text.transformations or ())):
        if not transformation.info_types or "DATE" in transformation.info_types:
            return transformation.date_shift_config is not None
    return False


def _pixels_kept(config: DeidentifyConfig) -> bool:
    image = config.image
    if image is None:
        return True
    redacting = (TextRedactionMode.REDACT_ALL_TEXT, TextRedactionMode.REDACT_SENSITIVE_TEXT)
    return image.text_redaction_mode not in redacting and not image.custom_regexes
