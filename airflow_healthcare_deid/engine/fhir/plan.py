"""From rules to treatments: for every position in a resource, what to do with each property, decided once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_healthcare_deid.engine.fhir.fields import Field, KeptField, LinkField, RemovedField, ValueField
from airflow_healthcare_deid.engine.fhir.model import Element, Kind
from airflow_healthcare_deid.engine.fhir.objects import ElementField, ObjectField, ObjectPlan, ResourceField
from airflow_healthcare_deid.engine.fhir.paths import element_step, resource_step, type_names
from airflow_healthcare_deid.engine.fhir.policy import ROOT
from airflow_healthcare_deid.engine.fhir.references import ReferenceMapper
from airflow_healthcare_deid.engine.fhir.required import required_elements
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.fhir.fields import ChangeValue
    from airflow_healthcare_deid.engine.fhir.model import FhirModel
    from airflow_healthcare_deid.engine.fhir.policy import Policy, Position, Rule
    from airflow_healthcare_deid.engine.fhir.values import ValueTransformer
    from airflow_healthcare_deid.engine.fhir.walk import Walk

_EXTENSIONS = "fhir.defaultKeepExtensions"
_UNKNOWN = "rules/fhir_paths.yaml unknown_elements"
_IDS = "rules/fhir_paths.yaml ids"
_LINK_TYPES = frozenset({"uri", "url"})
_MAX_FIELDS = 1000


class _Place(NamedTuple):
    """A primitive property: its type, where the rules see it, its name for errors, and whether FHIR requires it."""

    element: Element
    position: Position
    name: str
    required: bool


class Planner:
    """Makes and remembers the plan of every position that a resource of this configuration comes to.

    :param model: the FHIR version.
    :param policy: the rules.
    :param values: what becomes of a value.
    """

    def __init__(self, model: FhirModel, policy: Policy, values: ValueTransformer) -> None:
        self.model = model
        self.max_fields = _MAX_FIELDS
        self._policy = policy
        self._values = values
        self._required = required_elements(model.version)
        rules = load_rules("fhir_paths")
        self._structure = frozenset(rules["structure"]["elements"])
        self._searched = frozenset(rules["inspection"]["types"])
        self._aliases: dict[str, str] = rules["type_aliases"]
        self._plans: dict[tuple[str, str, Position], ObjectPlan] = {}
        replaced = {name for name in model.resource_types if self._id_rule(name)}
        self._mapper = ReferenceMapper(replaced.__contains__, bool(replaced), values.id_of, values.uuid_of)

    def resource(self, resource_type: str, holder: Position | None = None, field: str | None = None) -> ObjectPlan:
        """Return the plan of a resource.

        :param holder: the position of the object that holds it, if another resource does.
        :param field: the property that holds it.
        """
        step = resource_step(resource_type, field)
        position = self._policy.advance(holder or ROOT, step, field or resource_type)
        return self._plan(resource_type, resource_type, position)

    def field(self, plan: ObjectPlan, key: str) -> Field | None:
        """Return the treatment of a property, None when it passes unchanged whatever it holds."""
        if key == "resourceType":
            return KeptField(key)
        if key.startswith("_"):
            return self._primitive_element(plan, key)
        element = self.model.element(plan.defined_at, key)
        position = self._policy.advance(plan.position, element_step(self.model, element, key), element.name)
        name = f"{plan.name}.{key}"
        required = (f"{element.name}[x]" if element.choice else key) in self._required.get(plan.defined_at, ())
        if element.is_extension and not self._policy.keep_extensions and not self._policy.names_extensions:
            return RemovedField(name, rule=_EXTENSIONS)
        if element.kind is Kind.UNKNOWN:
            return self._unknown(name, position)
        if element.kind is Kind.RESOURCE:
            return ResourceField(name, self, plan.position, key)
        if element.kind is Kind.COMPLEX:
            child = self._plan(element.defined_at, element.type or f"{plan.name}.{key}", position)
            return ObjectField(name, child, required=required)
        return self._primitive(plan, _Place(element, position, name, required))

    def _plan(self, defined_at: str, name: str, position: Position) -> ObjectPlan:
        key = (defined_at, name, position)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = ObjectPlan(self, defined_at, name, position)
        return plan

    def _primitive_element(self, plan: ObjectPlan, key: str) -> Field | None:
        element = self.model.element(plan.defined_at, key[1:])
        step = element_step(self.model, element, key[1:])
        position = self._policy.advance(plan.position, step, element.name)
        if element.kind is not Kind.PRIMITIVE:
            return self._unknown(f"{plan.name}.{key}", position)
        return ElementField(f"{plan.name}.{key}", self._plan("Element", f"{plan.name}.{key}", position))

    def _unknown(self, name: str, position: Position) -> Field | None:
        rule = self._policy.rule(position)
        if rule is not None:
            return RemovedField(name, rule=rule.name)
        return RemovedField(name, rule=_UNKNOWN) if self._policy.is_default or position.in_extension else None

    def _primitive(self, plan: ObjectPlan, place: _Place) -> Field:
        is_id = place.element.name == "id"
        if is_id and plan.defined_at in self.model.resource_types:
            rule = self._policy.rule(place.position, from_above=False)
            if rule is None:
                return KeptField(place.name)
            return ValueField(place.name, lambda value, *_: self._new_id(value), "id", rule=rule.name)
        if is_id or place.name == "Extension.url":
            return self._value(place, self._policy.rule(place.position, by_name_only=True))
        if place.position.in_extension and place.position.rules.extension is None:
            return RemovedField(place.name, rule=_EXTENSIONS)
        if place.name == "Reference.reference":
            return self._reference(place)
        structural = f"{plan.defined_at}.{place.element.name}" in self._structure
        rule = self._policy.rule(place.position, from_above=not structural)
        if rule is None and place.element.type in _LINK_TYPES and self._mapper.active:
            return LinkField(place.name, self._mapper, None, required=place.required, rule=_IDS)
        return self._value(place, rule)

    def _reference(self, place: _Place) -> Field:
        named = self._policy.rule(place.position, by_name_only=True)
        if named is not None:
            return self._value(place, named)
        rule = self._policy.rule(place.position)
        other = self._value(place, rule) if rule else None
        return LinkField(place.name, self._mapper, other, required=place.required, rule=_IDS)

    def _value(self, place: _Place, rule: Rule | None) -> Field:
        if rule is None:
            return KeptField(place.name, required=place.required)
        types = type_names(self.model, place.element)
        fhir_type = self._aliases.get(types[0], types[0])
        if fhir_type == "Base64Binary":
            return RemovedField(place.name, required=place.required, rule=rule.name)
        if not rule.is_whole and fhir_type not in self._searched:
            return KeptField(place.name, required=place.required)
        info_type, by_system = self._policy.info_type(place.position)
        change, action = self._search(fhir_type), "inspect"
        if rule.is_whole or info_type:
            change = self._whole_change(fhir_type, info_type, by_system, label=not rule.is_whole)
            chosen = self._values.chosen(info_type)
            action = chosen.action if chosen else "keep"
        return ValueField(place.name, change, action, info_type, required=place.required, rule=rule.name)

    def _whole_change(self, fhir_type: str, info_type: str, by_system: dict[str, str], *, label: bool) -> ChangeValue:
        def change(value: Any, parent: dict[str, Any], walk: Walk) -> object:
            told = by_system.get(parent["system"], info_type) if _has_system(parent, by_system) else info_type
            return self._values.whole(value, fhir_type, told, walk.context.patient_key, label=label)

        return change

    def _search(self, fhir_type: str) -> ChangeValue:
        def change(value: Any, _parent: dict[str, Any], walk: Walk) -> object:
            context = walk.context
            return self._values.found(value, fhir_type, context.record, context.patient_key, walk.heard)

        return change

    def _new_id(self, value: Any) -> Any:
        return self._values.id_of(value) if isinstance(value, str) else value

    def _id_rule(self, resource_type: str) -> Rule | None:
        plan = self.resource(resource_type)
        element = self.model.element(resource_type, "id")
        position = self._policy.advance(plan.position, element_step(self.model, element, "id"), "id")
        return self._policy.rule(position, from_above=False)


def _has_system(parent: dict[str, Any], by_system: dict[str, str]) -> bool:
    return bool(by_system) and isinstance(parent.get("system"), str)
