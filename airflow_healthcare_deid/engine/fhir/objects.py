"""Walks the objects of a resource. What does not change is shared with the input, never copied and never written to."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.fhir.fields import Field, KeptField, check_object
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.fhir.plan import Planner
    from airflow_healthcare_deid.engine.fhir.policy import Position
    from airflow_healthcare_deid.engine.fhir.walk import Walk

_WITHOUT_CONTENT = frozenset({"id"})


class ObjectPlan:
    """The treatment of the objects at one position.

    :param planner: decides the treatment of a property when it is first met.
    :param defined_at: where the elements of the object are defined.
    :param name: type, or path of a backbone element.
    :param position: as the rules see it.
    """

    __slots__ = ("_fields", "_planner", "defined_at", "name", "position")

    def __init__(self, planner: Planner, defined_at: str, name: str, position: Position) -> None:
        self._planner = planner
        self._fields: dict[str, Field | None] = {}
        self.defined_at = defined_at
        self.name = name
        self.position = position

    def apply(self, node: dict[str, Any], walk: Walk, where: str) -> dict[str, Any]:
        """Return an object with its properties treated; empty when nothing of it is left.

        :raises UndecodableError: when it is malformed or too deep.
        """
        walk.enter(self.name)
        changed: dict[str, Any] = {}
        for key, value in node.items():
            field = self._field(key)
            if field is None or (field.__class__ is KeptField and not isinstance(value, (dict, list))):
                continue
            new = field.apply(value, node, walk, f"{where}.{key}" if walk.observer is not None else where)
            if new is not value:
                changed[key] = new
        walk.depth -= 1
        return self._finished(node, changed) if changed else node

    def _field(self, key: str) -> Field | None:
        try:
            return self._fields[key]
        except KeyError:
            field = self._planner.field(self, key) if isinstance(key, str) else None
            if len(self._fields) < self._planner.max_fields:
                self._fields[key] = field
            return field

    def _finished(self, node: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
        result = {key: changed.get(key, value) for key, value in node.items()}
        for key in changed:
            if isinstance(node[key], list):
                self._align(result, key)
            elif changed[key] is None and _says_nothing(None, result.get(f"_{key}")):
                result[f"_{key}"] = None
        left = {key: value for key, value in result.items() if value is not None or node.get(key, "") is None}
        if not self._has_content(left):
            return {}
        lost = {
            key: absent
            for key in changed
            if key not in left and (absent := self._absent(key, left, node[key])) is not None
        }
        return _in_order(node, left, lost) if lost else left

    def _align(self, result: dict[str, Any], key: str) -> None:
        """Drop removed entries of a list; of primitive values together with what stands for them in the ``_`` twin."""
        base = key.removeprefix("_")
        values, twins = result.get(base), result.get(f"_{base}")
        if not isinstance(values, list) or not isinstance(twins, list):
            column = result[key]
            result[key] = [one for one in column if one is not None] or None if column else None
            return
        pairs = [pair for pair in zip_longest(values, twins) if not _says_nothing(*pair)]
        for name, side in ((base, 0), (f"_{base}", 1)):
            column = [pair[side] for pair in pairs]
            result[name] = column if any(one is not None for one in column) else None

    def _has_content(self, left: dict[str, Any]) -> bool:
        if self.name == "Extension":
            return any(key.startswith(("value", "_value", "extension")) for key in left)
        if self.name == "Narrative":
            return "div" in left
        if self.defined_at == "Element":
            return bool(left)  # of the twin of a value, the id tells something
        return not _WITHOUT_CONTENT.issuperset(left)

    def _absent(self, key: str, left: dict[str, Any], old: Any) -> tuple[str, Any] | None:
        """Return the property that tells of the absence of a required one, None where nothing has to."""
        field = self._fields.get(key)
        if field is None or not field.required:
            return None
        rules = load_rules("fhir_paths")["removed_required"]
        absent = {"extension": [{"url": rules["url"], "valueCode": rules["code"]}]}
        if not field.is_primitive:
            return key, [absent] if isinstance(old, list) else absent
        twin = f"_{key}"
        return None if twin in left else (twin, [absent] if isinstance(old, list) else absent)


class ObjectField(Field):
    """A property that holds objects of a complex type or of none of their own."""

    __slots__ = ("_plan",)

    def __init__(self, name: str, plan: ObjectPlan, *, required: bool = False) -> None:
        super().__init__(name, required=required)
        self._plan = plan

    def one(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        node = check_object(value, self.name)
        return self._plan.apply(node, walk, where) or (node if not node else None)


class ElementField(ObjectField):
    """The ``_`` twin of a primitive value: its id and its extensions."""

    __slots__ = ()
    is_primitive = True


class ResourceField(Field):
    """A property that holds resources.

    :param planner: knows the plans of all resource types.
    :param position: of the object that holds it.
    :param key: the property.
    """

    __slots__ = ("_key", "_planner", "_plans", "_position")

    def __init__(self, name: str, planner: Planner, position: Position, key: str) -> None:
        super().__init__(name)
        self._planner = planner
        self._position = position
        self._key = key
        self._plans: dict[str, ObjectPlan] = {}

    def one(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        node = check_object(value, self.name)
        resource_type = walk.resource_type(node, self.name)
        plan = self._plans.get(resource_type)
        if plan is None:
            plan = self._plans[resource_type] = self._planner.resource(resource_type, self._position, self._key)
        if self._key == "contained":
            return plan.apply(node, walk, where)
        with walk.of(node, parent):
            return plan.apply(node, walk, where)


def _says_nothing(value: Any, twin: Any) -> bool:
    """Whether an entry has neither a value nor an extension in its ``_`` twin; an id alone names nothing."""
    return value is None and (twin is None or (isinstance(twin, dict) and "extension" not in twin))


def _in_order(node: dict[str, Any], left: dict[str, Any], lost: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    result = {}
    for key in node:
        if key in left:
            result[key] = left[key]
        elif key in lost:
            name, value = lost[key]
            result[name] = value
    return result
