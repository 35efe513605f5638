"""What the names of rules mean, and what of the engine's tables Google does not document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.config import TextRedactionMode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_healthcare_deid.config import DeidentifyConfig

NO_RULE = "follows from the other changes"

_BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
_CODES = {
    "X": "remove",
    "Z": "empty",
    "D": "replace by a dummy",
    "U": "replace the UID",
    "U*": "replace the UIDs inside",
}
_MEANINGS = {
    "": "Not by itself: the format of the file, who wrote it, and what belonged to a value that is gone",
    "keepList": "Not on dicom.keepList, and not needed for a valid instance",
    "removeList": "On dicom.removeList",
    "MINIMAL_KEEP_LIST_PROFILE": "Not among what an instance cannot do without",
    "skipIdRedaction": "UIDs are regenerated unless dicom.skipIdRedaction is true",
    "DEIDENTIFY_TAG_CONTENTS": "Text is searched wherever it is, and what is found is transformed",
    _BASIC: "DICOM PS3.15 annex E: private, of an overlay or curve, or unknown",
    "image.textRedactionMode": "Text burnt into the pixels",
    "fhir.defaultKeepExtensions": "Extensions go unless they are kept or named",
    "rules/fhir_paths.yaml unknown_elements": "An element that FHIR does not define",
    "rules/fhir_paths.yaml ids": "Follows the id of the resource that it names",
}
_ROW = re.compile(r"(fhir\.fieldMetadataList|rules/fhir_default\.yaml rows)\[(\d+)\]")
_PATHS_NAMED = 4


@dataclass(frozen=True, slots=True)
class Inferred:
    """A row of a rule table that is this project's reading.

    :param row: where it is.
    :param source: what the table says of where it comes from.
    """

    row: str
    source: str


def meaning(rule: str, config: DeidentifyConfig) -> str:
    """Return what a rule says, in a sentence.

    :param config: the config that named it.
    """
    if rule in _MEANINGS:
        return _MEANINGS[rule]
    if rule.startswith(_BASIC):
        code = rule.removeprefix(_BASIC).strip()
        choices = " or ".join(_CODES.get(one, one) for one in code.split("/"))
        return f"DICOM PS3.15 table E.1-1, code {code}: {choices}"
    row = _ROW.fullmatch(rule)
    if row is not None:
        return _fhir_row(row[1], int(row[2]), config)
    return "A pattern of the config, in text burnt into the pixels" if rule.startswith("image.customRegexes") else ""


def _fhir_row(table: str, number: int, config: DeidentifyConfig) -> str:
    from airflow_healthcare_deid.engine.rules import load_rules

    if table.startswith("rules"):
        row = load_rules("fhir_default")["rows"][number]
        action, paths = row["action"], row["paths"]
        which = "Default profile (inferred)"
    else:
        assert config.fhir is not None
        assert config.fhir.field_metadata_list is not None
        listed = config.fhir.field_metadata_list[number]
        action, paths, which = listed.action, listed.paths or (), "Config"
    more = f" and {len(paths) - _PATHS_NAMED} more" if len(paths) > _PATHS_NAMED else ""
    return f"{which}: {action} {', '.join(paths[:_PATHS_NAMED])}{more}"


def inferred(config: DeidentifyConfig, kinds: set[str]) -> list[Inferred]:
    """Return what is inferred of the tables that a config makes the engine use.

    :param kinds: ``DICOM`` and ``FHIR``, as far as there were files.
    """
    from airflow_healthcare_deid.engine.rules import load_rules

    found: list[Inferred] = []
    for name in _tables(config, kinds):
        found += _rows(load_rules(name), name)
    return found


def _tables(config: DeidentifyConfig, kinds: set[str]) -> list[str]:
    names: list[str] = []
    if "DICOM" in kinds:
        names += ["dicom", "image"] if config.image else ["dicom"]
        profile = config.dicom and config.dicom.filter_profile
        names += {_BASIC: ["dicom_basic_profile"], "DEIDENTIFY_TAG_CONTENTS": ["dicom_contents"]}.get(profile or "", [])
    if "FHIR" in kinds:
        lists = config.fhir is not None and config.fhir.field_metadata_list
        names += ["fhir_paths", "fhir_info_types"] if lists else ["fhir_default", "fhir_paths", "fhir_info_types"]
    mode = config.image and config.image.text_redaction_mode
    if "FHIR" in kinds or "dicom_contents" in names or mode is TextRedactionMode.REDACT_SENSITIVE_TEXT:
        names += ["text", "text_patterns", "text_words", "keys"]
    return names


def _rows(table: Mapping[str, Any], where: str) -> Iterator[Inferred]:
    source = table.get("source")
    if isinstance(source, str) and "inferred" in source:
        yield Inferred(where, " ".join(source.split()))
    for name, row in table.items():
        if isinstance(row, dict):
            yield from _rows(row, f"{where} {name}")
