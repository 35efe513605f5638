"""A request from arguments like ``-r .config.dicom filter-profile=X``: the grammar of google-apis-rs's command lines.

An argument without ``=`` moves a cursor, one with it sets a field below the cursor. A name that begins with ``.``
starts at the top; ``..`` goes up one level and each further ``.`` one more, between names as well, and a name may
follow; a lone ``.`` goes to the top. ``a.b=v`` sets a nested field and leaves the cursor where it is. Names are
kebab-case, snake_case or camelCase, and a field that is a list takes one value per argument.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_args, get_origin

from airflow_healthcare_deid.config import Message
from airflow_healthcare_deid.config.decode import Field, fields_of
from airflow_healthcare_deid.config.suggestions import shown, suggest
from airflow_healthcare_deid.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

_STEP = re.compile(r"\.+|[^.]+")
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def build_request(kind: type[Message], arguments: Iterable[str]) -> dict[str, Any]:
    """Return the request that arguments spell, in Google's spelling; whether it is a sound one is not checked.

    :param kind: class of the request, for example ``DeidentifyDatasetRequest``.
    :param arguments: cursor moves and ``field=value``.
    :raises InvalidRequestError: if one leads above the top, names no field, or has a value of the wrong type.
    """
    body: dict[str, Any] = {}
    cursor: tuple[str, ...] = ()
    for argument in arguments:
        name, equals, value = argument.partition("=")
        path = _resolve(kind, cursor, name, argument)
        if equals:
            _set(kind, body, path, value, argument)
        else:
            cursor = path
            _enter(kind, body, path, argument)
    return body


def _resolve(kind: type[Message], cursor: tuple[str, ...], name: str, argument: str) -> tuple[str, ...]:
    """Return the path that a name means from the cursor, in Google's spelling."""
    if not name:
        raise InvalidRequestError(shown(argument), "names no field", "Write field=value")
    path = () if len(name) - len(name.lstrip(".")) == 1 else cursor
    for step in _STEP.findall(name):
        if not step.startswith("."):
            path = (*path, _field(_message_at(kind, path, argument), step, argument).key)
        elif len(step) - 1 > len(path):
            at = ".".join(path) or "the top"
            raise InvalidRequestError(
                shown(argument), f"leads above the top of the request from {at}", "Use fewer dots"
            )
        else:
            path = path[: len(path) - (len(step) - 1)]
    if len(name) > 1 and name[-1] == "." != name[-2]:
        raise InvalidRequestError(shown(argument), "ends with a dot", "Name a field after it, or leave it out")
    return path


def _field(kind: type[Message], name: str, argument: str) -> Field:
    fields = fields_of(kind)
    field = fields.get(name) or fields.get(name.replace("-", "_"))
    if field is None:
        kebab = [field.attribute.replace("_", "-") for key, field in fields.items() if key == field.attribute]
        raise InvalidRequestError(shown(argument), f"{kind.__name__} has no field {shown(name)}", suggest(name, kebab))
    return field


def _type_at(kind: type[Message], path: tuple[str, ...]) -> Any:
    found: Any = kind
    for key in path:
        found = fields_of(found)[key].type
    return found


def _message_at(kind: type[Message], path: tuple[str, ...], argument: str) -> type[Message]:
    found = _type_at(kind, path)
    if isinstance(found, type) and issubclass(found, Message):
        return found
    if get_origin(found) is list and issubclass(get_args(found)[0], Message):
        raise _list_of_messages(path, argument)
    raise InvalidRequestError(shown(argument), f"{'.'.join(path)} holds a value and has no fields", "Set it with =")


def _enter(kind: type[Message], body: dict[str, Any], path: tuple[str, ...], argument: str) -> None:
    """Move into a message; that it is there says something even while it is empty (``{"fhir": {}}``)."""
    _message_at(kind, path, argument)
    _container(body, path)


def _container(body: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for key in path:
        body = body.setdefault(key, {})
    return body


def _set(kind: type[Message], body: dict[str, Any], path: tuple[str, ...], value: str, argument: str) -> None:
    if not path:
        raise InvalidRequestError(shown(argument), "names no field", "Write field=value")
    *parents, key = path
    wanted = _type_at(kind, path)
    container = _container(body, tuple(parents))
    if get_origin(wanted) is list:
        member = get_args(wanted)[0]
        if issubclass(member, Message):
            raise _list_of_messages(path, argument)
        container.setdefault(key, []).append(_convert(member, value, path))
    elif issubclass(wanted, Message):
        raise InvalidRequestError(".".join(path), "is a message, not a value", "Move to it, then set its fields")
    elif key in container:
        raise InvalidRequestError(".".join(path), "is set twice and holds one value", "Keep one of them")
    else:
        container[key] = _convert(wanted, value, path)


def _convert(wanted: type, value: str, path: tuple[str, ...]) -> Any:
    name = ".".join(path)
    if wanted is bool:
        if value.lower() not in (*_TRUE, *_FALSE):
            raise InvalidRequestError(name, "is neither true nor false", "Write true or false")
        return value.lower() in _TRUE
    if wanted is int:
        try:
            return int(value)
        except ValueError:
            raise InvalidRequestError(name, "is not a whole number", "Write digits") from None
    if issubclass(wanted, StrEnum) and value not in [str(member) for member in wanted]:
        valid = [str(member) for member in wanted]
        raise InvalidRequestError(name, f"{shown(value)} is no {wanted.__name__}", suggest(value, valid))
    return value


def _list_of_messages(path: tuple[str, ...], argument: str) -> InvalidRequestError:
    problem = f"{'.'.join(path)} is a list of messages, which this grammar cannot spell"
    return InvalidRequestError(shown(argument), problem, "Write it into a file and use --config")
