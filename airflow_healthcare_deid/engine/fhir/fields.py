"""What is done with the property of an object: one class for every way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.fhir.references import ReferenceMapper, is_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.engine.fhir.walk import Walk

    ChangeValue = Callable[[Any, dict[str, Any], Walk], object]


class Field:
    """The treatment of one property of an object, the same wherever the property stands in this position.

    :param name: type and element, such as ``HumanName.family``, for errors.
    :param required: whether FHIR requires the element.
    :param rule: what asked for the treatment.
    """

    __slots__ = ("name", "required", "rule")
    is_primitive = False

    def __init__(self, name: str, *, required: bool = False, rule: str = "") -> None:
        self.name = name
        self.required = required
        self.rule = rule

    def apply(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        """Return what takes the value's place: the value itself when nothing changes, None to remove it.

        Of a list, removed entries of primitive type are None, so that their extensions can be found.
        """
        if isinstance(value, list):
            new = [
                None if one is None else self.one(one, parent, walk, f"{where}[{index}]" if walk.observer else where)
                for index, one in enumerate(value)
            ]
            return value if all(map(_same, new, value)) else new
        return self.one(value, parent, walk, where)

    def one(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        """Return what takes the place of a value that is no list, or of one entry of a list."""
        raise NotImplementedError


class KeptField(Field):
    """A primitive value that passes unchanged; anything but a primitive value is an error."""

    __slots__ = ()
    is_primitive = True

    def one(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        return check_primitive(value, self.name)


class RemovedField(Field):
    """A property that is removed with all that is in it."""

    __slots__ = ()

    def apply(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        walk.report(where, "remove", self.rule, value, None)


class ValueField(Field):
    """A primitive value that is transformed, or searched.

    :param change: returns the new value, or None.
    :param action: what it does, for the report.
    :param info_type: what the field holds, for the report.
    """

    __slots__ = ("_action", "_change", "_info_type")
    is_primitive = True

    def __init__(
        self,
        name: str,
        change: ChangeValue,
        action: str,
        info_type: str = "",
        *,
        required: bool = False,
        rule: str = "",
    ) -> None:
        super().__init__(name, required=required, rule=rule)
        self._change = change
        self._action = action
        self._info_type = info_type

    def one(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        check_primitive(value, self.name)
        new = self._change(value, parent, walk)
        if new == value and new is not None:
            return value
        action = "redact" if new is None else self._action
        found = walk.heard if self._action == "inspect" else None
        info_type = self._info_type or ", ".join(dict.fromkeys(found or ()))
        walk.report(where, action, self.rule, value, new, info_type or None)
        return new


class LinkField(Field):
    """A reference or URL, which follows when the id it names is replaced.

    :param other: what to do with a reference that is none, but a search or words; None to keep it.
    """

    __slots__ = ("_mapper", "_other")
    is_primitive = True

    def __init__(
        self, name: str, mapper: ReferenceMapper, other: Field | None, *, required: bool = False, rule: str = ""
    ) -> None:
        super().__init__(name, required=required, rule=rule)
        self._mapper = mapper
        self._other = other

    def one(self, value: Any, parent: dict[str, Any], walk: Walk, where: str) -> Any:
        check_primitive(value, self.name)
        if self._other is not None and not (isinstance(value, str) and is_reference(value)):
            return self._other.one(value, parent, walk, where)
        if not isinstance(value, str):
            return value
        new = self._mapper.map(value, walk.context.contained)
        if new != value:
            walk.report(where, "reference", self.rule, value, new)
            return new
        return value


def check_primitive(value: Any, name: str) -> Any:
    """Return a value of primitive type.

    :raises UndecodableError: when it is an object or a list.
    """
    if isinstance(value, (dict, list)):
        raise UndecodableError(f"{name}: holds {_kind(value)} where FHIR has a single value")
    return value


def check_object(value: Any, name: str) -> dict[str, Any]:
    """Return a value that is an object.

    :raises UndecodableError: when it is not.
    """
    if not isinstance(value, dict):
        raise UndecodableError(f"{name}: holds {_kind(value)} where FHIR has an object")
    return value


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "a single value"


def _same(one: object, other: object) -> bool:
    return one is other
