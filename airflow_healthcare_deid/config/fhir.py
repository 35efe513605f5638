"""FHIR resources: ``FhirConfig`` and ``FhirFilter`` of the discovery document."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.message import Message
from airflow_healthcare_deid.config.suggestions import shown

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report

FHIR_PATH_TYPES = frozenset(
    {
        "AdministrativeGenderCode",
        "Base64Binary",
        "Boolean",
        "Code",
        "Date",
        "DateTime",
        "Decimal",
        "HumanName",
        "Id",
        "Instant",
        "Integer",
        "LanguageCode",
        "Markdown",
        "Oid",
        "PositiveInt",
        "String",
        "UnsignedInt",
        "Uri",
        "Uuid",
        "Xhtml",
    }
)
"""The types that the document lists as those a path may end on (``FieldMetadata.paths``)."""

_TYPE_SPELLINGS = {name.lower(): name for name in FHIR_PATH_TYPES}
_COMPONENT = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_CHOICE = re.compile(r"([a-z][A-Za-z0-9]*)\[x\]")
_RESOURCE = re.compile(r"[A-Z][A-Za-z]*/[A-Za-z0-9.-]{1,64}")


class FhirAction(StrEnum):
    """What to do with a field."""

    ACTION_UNSPECIFIED = "ACTION_UNSPECIFIED"
    """Same as ``DO_NOT_TRANSFORM``."""
    TRANSFORM = "TRANSFORM"
    """Transform the whole field."""
    INSPECT_AND_TRANSFORM = "INSPECT_AND_TRANSFORM"
    """Transform what is found in it."""
    DO_NOT_TRANSFORM = "DO_NOT_TRANSFORM"


class FieldMetadata(Message, frozen=True, kw_only=True):
    """Which fields, and what to do with them.

    :param action: default: leave them.
    :param paths: names of fields or types, separated by periods: ``Patient.HumanName``, ``Deceased.Age.unit``.
    """

    action: FhirAction | None = None
    paths: list[str] | None = None

    def check(self, report: Report) -> None:
        if not self.paths:
            problem = "is missing" if self.paths is None else "is empty"
            report("paths", problem, "Name a field, such as Patient.HumanName")
        for number, path in enumerate(self.paths or ()):
            found = _path_problem(path)
            if found:
                report(f"paths[{number}]", f"{shown(path)} is no FHIR path: {found[0]}", found[1])


class FhirConfig(Message, frozen=True, kw_only=True):
    """How to treat FHIR resources. A field that no entry names passes unchanged.

    :param field_metadata_list: which fields to treat how; default: the service's own table.
    :param default_keep_extensions: keep extensions that nothing else names; default: remove them.
    """

    field_metadata_list: list[FieldMetadata] | None = None
    default_keep_extensions: bool | None = None

    def check(self, report: Report) -> None:
        if self.field_metadata_list == []:
            report("fieldMetadataList", "is empty, which the service reads as absent", "List fields, or leave it out")


class Resources(Message, frozen=True, kw_only=True):
    """A list of FHIR resources.

    :param resources: ``Type/id``, for example ``Patient/1234``; empty or absent means all of them.
    """

    resources: list[str] | None = None

    def check(self, report: Report) -> None:
        for number, resource in enumerate(self.resources or ()):
            if not _RESOURCE.fullmatch(resource):
                report(f"resources[{number}]", "is no FHIR resource id", "Write it as Type/id, such as Patient/1234")


class FhirFilter(Message, frozen=True, kw_only=True):
    """Which FHIR resources to de-identify.

    :param resources: those; default: all.
    """

    resources: Resources | None = None


def _path_problem(path: str) -> tuple[str, str] | None:
    """Return what is wrong with a FHIR path and the way out."""
    for component in path.split("."):
        if not component:
            return "it has an empty name", "Separate names by single periods"
        choice = _CHOICE.fullmatch(component)
        if choice:
            name = choice[1][0].upper() + choice[1][1:]
            return "a choice type is written as two names", f"Write {component} as {name} and the type: {name}.Age"
        if "[" in component:
            return "it holds an index", "Drop the index; a path matches every element of a list"
        if not _COMPONENT.fullmatch(component):
            return "a name consists of letters and digits", "Use field or type names separated by periods"
    last = path.rpartition(".")[2]
    meant = _TYPE_SPELLINGS.get(last.lower())
    if last[0].isupper() and meant not in (None, last):
        return f"there is no type {last}", f"Did you mean {meant}?"
    return None
