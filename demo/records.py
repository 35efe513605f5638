"""FHIR records: one Patient before and after, and a search for everything that identifies the patients."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from demo.comparison import holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from demo.fhir_samples import PatientSample, Resource
    from demo.storage import StoredFile

SHOWN = ("id", "name", "birthDate", "gender", "telecom", "address", "identifier", "text")
# Parts of a name, an address and so on that say what it is and not whose.
_KINDS = frozenset({"use", "rank", "system", "status", "period"})


def rows(before: Resource, after: Resource) -> Iterator[tuple[str, str, str]]:
    """Field, its first value before and after; a narrative without its tags."""
    for field in SHOWN:
        yield field, _shown(before.get(field)), _shown(after.get(field))


def resources(file: StoredFile) -> list[Resource]:
    """The resources of an exported file, which holds one per line."""
    return [json.loads(line) for line in file.data.splitlines()]


def leaks(sought: set[str], files: Iterable[StoredFile]) -> Counter[str]:
    """Name of a file -> how many texts in its JSON hold one of the identifiers as a word or phrase."""
    leaking: Counter[str] = Counter()
    for file in files:
        for document in [json.loads(file.data)] if file.name.endswith(".json") else resources(file):
            leaking[file.name] += sum(any(holds(text, one) for one in sought) for text in _texts(document))
    return +leaking


def identifiers(patients: Sequence[PatientSample]) -> set[str]:
    """What identifies the patients, in lower case, but for dates: one patient's may be another's after a shift."""
    return {text.lower() for patient in patients for text in patient.person.identifiers()} - {
        day for patient in patients for day in _dates(patient)
    }


def kept_dates(patients: Iterable[PatientSample], after: Iterable[Resource]) -> Counter[str]:
    """Type of a resource -> how many texts in it hold a date that its patient's record had."""
    dates = {resource["id"]: _dates(patient) for patient in patients for resource in patient.resources}
    kept: Counter[str] = Counter()
    for resource in after:
        sought = dates.get(resource["id"], frozenset())
        kept[resource["resourceType"]] += sum(any(holds(text, day) for day in sought) for text in _texts(resource))
    return +kept


def _dates(patient: PatientSample) -> frozenset[str]:
    return frozenset({patient.person.born.isoformat(), patient.person.seen.isoformat()})


def _shown(value: Any) -> str:
    if value is None:
        return "(absent)"
    first = value[0] if isinstance(value, list) else value
    if not isinstance(first, dict):
        return str(first)
    parts = [inner for key, inner in first.items() if key not in _KINDS and not key.startswith("_")]
    text = " ".join(text for part in parts for text in _leaves(part))
    return html.unescape(re.sub(r"(?:<[^>]*>|\s)+", " ", text)).strip() or "(empty)"


def _texts(value: Any) -> Iterator[str]:
    for text in _leaves(value):
        yield text.lower()


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None:
        yield str(value)
