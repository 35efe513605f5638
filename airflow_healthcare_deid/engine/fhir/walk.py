"""The state of one walk through one resource."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.changes import Change
from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.fhir.patients import (
    bundle_patients,
    bundle_people,
    collect_record,
    merged,
    patient_key,
    people_of,
)
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.engine.changes import Observer
    from airflow_healthcare_deid.engine.fhir.model import FhirModel
    from airflow_healthcare_deid.engine.text import RecordIdentifiers


class Context:
    """Whose data one resource is.

    :param resource: the resource.
    :param key: what its date shifts are fixed for.
    :param given: what the caller knows of the people whom it refers to.
    :param people: those of them that may stand in the same Bundle, by the names of `people_of`.
    :param model: the FHIR version.
    """

    def __init__(
        self,
        resource: dict[str, Any],
        key: str,
        given: RecordIdentifiers | None,
        people: dict[str, dict[str, Any]],
        model: FhirModel,
    ) -> None:
        self.patient_key = key
        self._resource = resource
        self._given = given
        self._people = people
        self._model = model

    @cached_property
    def record(self) -> RecordIdentifiers:
        """What identifies the people in and around the resource; collected when a text is first searched."""
        if self._resource.get("resourceType") == "Bundle":
            return merged(self._given)
        version = self._model.version
        names = people_of(self._resource) if self._people else ()
        others = (collect_record(self._people[name], version) for name in names if name in self._people)
        return merged(self._given, *others, collect_record(self._resource, version))

    @cached_property
    def contained(self) -> dict[str, str]:
        """Types of the contained resources by their ids."""
        contained = self._resource.get("contained")
        return {
            one["id"]: str(one.get("resourceType"))
            for one in (contained if isinstance(contained, list) else ())
            if isinstance(one, dict) and isinstance(one.get("id"), str)
        }


class Walk:
    """Where a walk is, and who watches it.

    :param model: the FHIR version.
    :param observer: is told of every change.
    :param record: what the caller knows of the people whom the resource refers to.
    :param resource: the resource to walk through.
    """

    def __init__(
        self,
        model: FhirModel,
        observer: Observer | None,
        record: RecordIdentifiers | None,
        resource: dict[str, Any],
    ) -> None:
        self.observer = observer
        self.heard: list[str] | None = None if observer is None else []
        """InfoTypes found in the text that was searched last, for the observer."""
        self.depth = 0
        self._model = model
        self._record = record
        self._max_depth = int(load_rules("fhir_paths")["limits"]["depth"])
        self._aliases: dict[str, str] = {}
        self._people: dict[str, dict[str, Any]] = {}
        self._enter_bundle(resource)
        self.context = Context(resource, patient_key(resource), record, self._people, model)

    def enter(self, name: str) -> None:
        """Go one object deeper.

        :raises UndecodableError: when that is too deep.
        """
        self.depth += 1
        if self.depth > self._max_depth:
            raise UndecodableError(f"{name}: the resource is nested deeper than {self._max_depth} objects")

    def resource_type(self, node: dict[str, Any], where: str) -> str:
        """Return the type of a resource.

        :raises UndecodableError: when it has none, or one that the FHIR version does not know.
        """
        resource_type = node.get("resourceType")
        if not isinstance(resource_type, str) or resource_type not in self._model.resource_types:
            raise UndecodableError(f"{where}: resourceType is missing or no resource of FHIR {self._model.version}")
        return resource_type

    @contextmanager
    def of(self, resource: dict[str, Any], entry: dict[str, Any]) -> Iterator[None]:
        """Walk through a resource of its own inside another.

        :param entry: the entry of a Bundle, or other object, that holds it.
        """
        outer = self.context
        self._enter_bundle(resource)
        key = patient_key(resource, self._aliases) or self._aliases.get(str(entry.get("fullUrl")), "")
        self.context = Context(resource, key, self._record, self._people, self._model)
        try:
            yield
        finally:
            self.context = outer

    def report(
        self, path: str, action: str, rule: str, before: object, after: object, info_type: str | None = None
    ) -> None:
        """Tell the observer of a change."""
        if self.observer is not None:
            self.observer(Change(path, action, rule, before, after, info_type))

    def _enter_bundle(self, resource: dict[str, Any]) -> None:
        if resource.get("resourceType") == "Bundle":
            self._people.update(bundle_people(resource))
            self._aliases.update(bundle_patients(resource))
