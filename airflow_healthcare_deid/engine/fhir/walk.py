"""The state of one walk through one resource."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.changes import Change
from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.fhir.patients import bundle_patients, collect_record, merged, patient_key
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
    :param given: what the caller knows of its patient.
    :param patient: its patient, if that stands in the same Bundle.
    :param model: the FHIR version.
    """

    def __init__(
        self,
        resource: dict[str, Any],
        key: str,
        given: RecordIdentifiers | None,
        patient: dict[str, Any] | None,
        model: FhirModel,
    ) -> None:
        self.patient_key = key
        self._resource = resource
        self._given = given
        self._patient = patient
        self._model = model

    @cached_property
    def record(self) -> RecordIdentifiers:
        """What identifies the people in the resource and its patient; collected when a text is first searched."""
        version = self._model.version
        own = None if self._resource.get("resourceType") == "Bundle" else collect_record(self._resource, version)
        patient = None if self._patient is None else collect_record(self._patient, version)
        return merged(self._given, patient, own)

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
    :param record: what the caller knows of the patient.
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
        self._patients: dict[str, dict[str, Any]] = {}
        self._enter_bundle(resource)
        self.context = Context(resource, patient_key(resource), record, None, model)

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
        self.context = Context(resource, key, self._record, self._patients.get(key), self._model)
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
            for key, url, patient in bundle_patients(resource):
                self._patients[key] = patient
                self._aliases[url] = key
