"""De-identifies FHIR resources as a `DeidentifyConfig` asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.fhir.model import Version, fhir_model
from airflow_healthcare_deid.engine.fhir.plan import Planner
from airflow_healthcare_deid.engine.fhir.policy import Policy
from airflow_healthcare_deid.engine.fhir.values import ValueTransformer
from airflow_healthcare_deid.engine.fhir.walk import Walk
from airflow_healthcare_deid.engine.text import TextDeidentifier

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import DeidentifyConfig
    from airflow_healthcare_deid.engine.changes import Observer
    from airflow_healthcare_deid.engine.fhir.objects import ObjectPlan
    from airflow_healthcare_deid.engine.keys import KeyRing
    from airflow_healthcare_deid.engine.text import RecordIdentifiers


class FhirDeidentifier:
    """De-identifies resources of one FHIR version, one at a time. Picklable; safe to use from several threads.

    :param config: what to do; of it, ``fhir`` and ``text`` are used. Without ``fhir``, the default profile.
    :param keys: the keys of the operation.
    :param version: the FHIR version of the resources.
    :raises MissingPartError: when text has to be searched and the extra ``text`` is not installed, or the extra
        ``emulator`` is not.
    :raises EngineError: when a key or an infoType of the configuration cannot be used.
    """

    def __init__(self, config: DeidentifyConfig, keys: KeyRing, version: Version = "R4") -> None:
        self._arguments = (config, keys, version)
        self._model = fhir_model(version)
        policy = Policy(config.fhir)
        text = TextDeidentifier(config.text, keys) if policy.inspects else None
        self._keeps_all = policy.is_keep_all
        self._planner = Planner(self._model, policy, ValueTransformer(config.text, keys, text))
        self._plans: dict[str, ObjectPlan] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return FhirDeidentifier, self._arguments

    def deidentify(
        self, resource: dict[str, Any], observer: Observer | None = None, record: RecordIdentifiers | None = None
    ) -> dict[str, Any]:
        """Return a resource de-identified.

        The input is not changed; what stays as it was is shared with it. The order of properties and the type of
        numbers stay as they are.

        :param resource: a FHIR resource, a Bundle for example, as `json.loads` returns it.
        :param observer: is told of every change.
        :param record: what identifies the people whom the resource refers to (`people_of`, `collect_record`); what
            identifies people in the resource itself, and those in the same Bundle, need not be given.
        :raises UndecodableError: when it is no resource of the version, malformed or nested too deep.
        """
        if not isinstance(resource, dict):
            raise UndecodableError("a FHIR resource is a JSON object")
        walk = Walk(self._model, observer, record, resource)
        resource_type = walk.resource_type(resource, "the resource")
        if self._keeps_all:
            return dict(resource)
        plan = self._plans.get(resource_type)
        if plan is None:
            plan = self._plans[resource_type] = self._planner.resource(resource_type)
        result = plan.apply(resource, walk, resource_type)
        return dict(result) if result is resource else result
