"""The FHIR half of the set: invented patients with their resources, and what in every leaf identifies somebody."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any

from demo.fhir_samples import Version, make_sample
from quality.plants import BOTH, Kept, Kind, Path, Place, Plant
from quality.sayings import dates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.fhir_samples import Person

_PATIENTS: tuple[tuple[Version, int], ...] = (("R4", 0), ("R4", 1), ("R4", 2), ("STU3", 3), ("STU3", 4))
_KINDS = {
    "family": Kind.NAME,
    "given": Kind.NAME,
    "maiden": Kind.NAME,
    "relative": Kind.NAME,
    "doctor": Kind.NAME,
    "born": Kind.DATE,
    "seen": Kind.DATE,
    "street": Kind.ADDRESS,
    "city": Kind.ADDRESS,
    "postal_code": Kind.ADDRESS,
    "phone": Kind.PHONE,
    "email": Kind.EMAIL,
    "record_number": Kind.ID,
    "social_security_number": Kind.ID,
}
_BY_SERVER = ("versionId", "lastUpdated")
_DATE = re.compile(r"\d{4}(-\d\d){0,2}(T.*)?")


def make_resources() -> tuple[dict[str, dict[str, Any]], list[Plant], list[Kept]]:
    """Return the resources by name (``R4/Patient/patient-0``), what is in them and what has to stay."""
    resources: dict[str, dict[str, Any]] = {}
    plants: list[Plant] = []
    kept: list[Kept] = []
    for version, seed in _PATIENTS:
        sample = make_sample(seed, version)
        for resource in sample.resources:
            name = f"{version}/{resource['resourceType']}/{resource['id']}"
            resources[name] = resource
            for path, value in leaves(resource):
                found = list(_identifiers(sample.person, str(value)))
                plants += [_plant(kind, needles, name, path, seed) for kind, needles in found]
                if not found and _has_to_stay(path, value):
                    kept.append(Kept(name, path))
    return resources, plants, kept


def leaves(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a resource with its path."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from leaves(child, (*path, key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from leaves(child, (*path, index))
    elif node is not None:
        yield path, node


def _identifiers(person: Person, text: str) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    for field in fields(person):
        kind = _KINDS.get(field.name)
        value = getattr(person, field.name)
        if kind is None:
            continue
        needles = dates(value) if isinstance(value, date) else (value,)
        if any(needle in text for needle in needles):
            yield kind, needles


def _plant(kind: Kind, needles: tuple[str, ...], name: str, path: Path, seed: int) -> Plant:
    place = Place.NARRATIVE if path[-1] == "div" else Place.FIELD
    return Plant(kind, place, name, path, needles, f"fhir-{seed}", BOTH)


def _has_to_stay(path: Path, value: object) -> bool:
    """Tell whether a value that identifies nobody has to stay.

    It does not where the default profile treats a field whatever it says, and in extensions, which go unless
    ``defaultKeepExtensions`` is set (discovery document).
    """
    treated = path[-1] in ("data", *_BY_SERVER) or path[-2:-1] == ("prefix",) or bool(_DATE.fullmatch(str(value)))
    return not (treated or in_extension(path))


def in_extension(path: Path) -> bool:
    """Tell whether a value is in an extension, or in what extends a primitive value."""
    return any(step == "extension" or (isinstance(step, str) and step.startswith("_")) for step in path)
