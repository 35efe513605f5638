"""Which type every element of a FHIR resource has.

The maps come as data files of the fhirpathpy distribution, generated from HL7's StructureDefinitions; nothing of its
code is used. They are no documented interface, hence the exact version in `pyproject.toml`.
"""

from __future__ import annotations

import enum
import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from airflow_healthcare_deid.engine.errors import MissingPartError

Version: TypeAlias = Literal["DSTU2", "STU3", "R4"]
"""FHIR versions that Google's service de-identifies; it skips R5 stores (``FhirStore.version``)."""

_EXTENSION_FIELDS = frozenset({"extension", "modifierExtension"})


class Kind(enum.Enum):
    """How the JSON of an element is built."""

    PRIMITIVE = enum.auto()
    COMPLEX = enum.auto()
    RESOURCE = enum.auto()
    UNKNOWN = enum.auto()


@dataclass(frozen=True, slots=True)
class Element:
    """The type of one JSON property.

    :param name: name of the element; of a choice such as ``deceased[x]`` without the type: ``deceased``.
    :param type: the FHIR type, ``dateTime`` or ``Address``; empty for a backbone element, which has no type of its own.
    :param kind: how its JSON is built.
    :param defined_at: under which path its own elements are defined: a type, or a path such as ``Patient.contact``.
    :param choice: whether the property is one of the types of a choice.
    """

    name: str
    type: str
    kind: Kind
    defined_at: str = ""
    choice: bool = False

    @property
    def is_extension(self) -> bool:
        """Whether it is an extension of its parent."""
        return self.type == "Extension" and self.name in _EXTENSION_FIELDS


class FhirModel:
    """The elements of one FHIR version.

    :raises MissingPartError: when the extra that carries the maps is not installed.
    """

    def __init__(self, version: Version) -> None:
        self.version = version
        self._types: dict[str, str] = _load(version, "path2Type")
        self._parents: dict[str, str] = _load(version, "type2Parent")
        self._elsewhere: dict[str, str] = _load(version, "pathsDefinedElsewhere")
        self._choices: dict[str, str] = {
            f"{path}{suffix}": path.rpartition(".")[2]
            for path, types in _load(version, "choiceTypePaths").items()
            for suffix in types
        }
        self._backbones = {path.rpartition(".")[0] for path in self._types} - {""}
        self._elements: dict[tuple[str, str], Element] = {}
        self.resource_types: frozenset[str] = frozenset(
            name for name, parent in self._parents.items() if parent in ("Resource", "DomainResource")
        ) - {"DomainResource"}

    def element(self, defined_at: str, field: str) -> Element:
        """Return the type of a JSON property.

        :param defined_at: the path under which the elements of its object are defined.
        :param field: the property's name as it stands in the JSON, such as ``deceasedDateTime``.
        """
        known = self._elements.get((defined_at, field))
        if known is not None:
            return known
        element = self._defined(defined_at, field)
        if element.kind is not Kind.UNKNOWN:
            # What is not defined is not remembered: there is no end of it.
            self._elements[defined_at, field] = element
        return element

    def _defined(self, defined_at: str, field: str) -> Element:
        for place in self._places(defined_at):
            path = f"{place}.{field}"
            choice = self._choices.get(path)
            element_type = self._types.get(path)
            if element_type is not None:
                return self._typed(defined_at, field if choice is None else choice, element_type, choice is not None)
            if path in self._elsewhere:
                return Element(field, "", Kind.COMPLEX, self._elsewhere[path])
            if path in self._backbones:
                return Element(field, "", Kind.COMPLEX, path)
        return Element(field, "", Kind.UNKNOWN)

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Return the more general types of a type, nearest first: ``Quantity`` and ``Element`` for ``Age``."""
        found: list[str] = []
        while (name := self._parents.get(name, "")) and name not in found:
            found.append(name)
        return tuple(found)

    def _places(self, defined_at: str) -> tuple[str, ...]:
        """Return where the elements of an object may be defined: itself, then what it inherits from."""
        general = ("BackboneElement", "Element") if "." in defined_at else self.ancestors(defined_at)
        return (defined_at, *general)

    def _typed(self, defined_at: str, name: str, element_type: str, choice: bool) -> Element:
        if name == "id":
            # Only the id of a resource is an `id` in every version; R4's map has FHIRPath's type for both.
            element_type = "id" if defined_at in self.resource_types else "string"
        elif element_type == "System.String":
            element_type = "uri"  # Extension.url
        if element_type == "Resource":
            return Element(name, element_type, Kind.RESOURCE)
        if element_type[0].islower():
            return Element(name, element_type, Kind.PRIMITIVE, "Element", choice)
        return Element(name, element_type, Kind.COMPLEX, element_type, choice)


@cache
def fhir_model(version: Version) -> FhirModel:
    """Return the elements of a FHIR version, loaded once per process."""
    return FhirModel(version)


def _load(version: Version, name: str) -> dict[str, str]:
    # Found, not imported: the package's own code takes 0.2 s to import and is not needed.
    spec = importlib.util.find_spec("fhirpathpy")
    if spec is None or spec.origin is None:
        raise MissingPartError("emulator")
    text = Path(spec.origin).with_name("models").joinpath(version.lower(), f"{name}.json").read_text("utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded
