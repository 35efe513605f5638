"""All text of a destination, piece by piece, with what is known of where it stands."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.validation.checks.identifiers import Place
from airflow_healthcare_deid.validation.dicom_json import resource, walk
from airflow_healthcare_deid.validation.identifiers import FHIR_HOMES, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from airflow_healthcare_deid.validation.sides import DicomJson, FhirJson

# Elements that hold text a person could have written; the others hold numbers, UIDs or bulk data.
_TEXT_VRS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT"})
# Names of vocabularies: some vendors' are words that are names, too.
_NEVER_A_PERSON = frozenset({"00080102", "00080103"})
_DATE = re.compile(r"\d{4}-\d\d(-\d\d(T[\d:.+Z-]+)?)?")
_MARKUP = re.compile(r"<[^>]*>")
_BASE64_KEYS = frozenset({"data", "content", "valueBase64Binary"})
# Ids keep resources together and are the same on both sides; a check of its own looks at them.
_UNREAD_KEYS = frozenset({"id", "reference", "resourceType", "lastUpdated", "versionId"})


def dicom_places(
    store: str, instances: Iterable[DicomJson], homes: Mapping[str, Kind], *, unread: Collection[str] = ()
) -> Iterator[Place]:
    """Yield all text of instances.

    :param homes: the elements whose identifiers were to go.
    :param unread: elements of the patient's record that stay on purpose.
    """
    for instance in instances:
        name = resource(store, instance)
        for element in walk(instance):
            if element.vr not in _TEXT_VRS or element.tag in unread or element.tag in _NEVER_A_PERSON:
                continue
            is_date = element.vr in ("DA", "DT")
            for value in element.texts:
                yield Place(name, element.location, value, homes.get(element.tag), is_date)


def unread_elements(instances: Iterable[DicomJson]) -> int:
    """Count the elements of unknown representation, which may hold text, but are delivered as bulk data."""
    return sum(e.vr == "UN" and e.filled and not e.values for instance in instances for e in walk(instance))


def fhir_places(store: str, owner: str, resources: Iterable[FhirJson], kinds: Collection[Kind]) -> Iterator[Place]:
    """Yield all text of a patient's resources: narratives without their markup, and attachments that are text.

    :param owner: id of the patient.
    :param kinds: the kinds of identifiers that were to go.
    """
    for body in resources:
        kind = str(body.get("resourceType"))
        name = f"fhirStores/{store}/fhir/{kind}/{body.get('id')}"
        for key, inner in body.items():
            home = FHIR_HOMES.get(key) if kind == "Patient" else None
            for path, value in _leaves({key: inner}, kind):
                yield Place(name, path, value, home if home in kinds else None, bool(_DATE.fullmatch(value)), owner)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, _readable(value) if "<" in value or "&" in value else value
    elif isinstance(value, dict):
        if parts := [*_strings(value.get("given")), *_strings(value.get("family"))]:
            # The parts of a name make it one only together.
            yield path, " ".join(parts)
        for key, inner in value.items():
            if key in _BASE64_KEYS and isinstance(inner, str) and (content := _attached(inner)) is not None:
                yield f"{path}.{key}", _readable(content)
            if key not in _UNREAD_KEYS and not (parts and key in ("given", "family")):
                yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)


def _strings(value: Any) -> list[str]:
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, str)]


def _readable(value: str) -> str:
    """Return what a person reads of a text with markup, and the markup: its attributes may say something, too."""
    return html.unescape(f"{_MARKUP.sub(' ', value)} {_MARKUP.sub('', value)} {' '.join(_MARKUP.findall(value))}")


def _attached(value: str) -> str | None:
    """Return the text that base64 stands for, or None if it is none or stands for something else."""
    try:
        content = base64.b64decode(re.sub(r"\s", "", value), validate=True)
    except (binascii.Error, ValueError):
        return None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    return None if b"\0" in content else content.decode("utf-8", "replace")
