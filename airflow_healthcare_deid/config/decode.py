"""Plain data into messages, with every problem found on the way.

msgspec could do the conversion; done here, an error names the nearest valid key or enum value, never quotes a value
that may be a key, and does not hide the next one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from airflow_healthcare_deid.config.message import Int64, Message
from airflow_healthcare_deid.config.suggestions import shown, suggest
from airflow_healthcare_deid.errors import ConfigError

M = TypeVar("M", bound=Message)

_BITS = {int: 32, Int64: 64}
# Google's JSON has numbers of 64 bits as text, and takes any number either way.
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_LONGEST_KEY = 64
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_KINDS = {str: "text", bool: "a boolean", int: "a number", float: "a number", NoneType: "null"}
_QUOTE = "Put it in quotes: without them YAML and JSON read digits as a number"
_NATIVE = "Write true or false without quotes; a template gives text unless render_template_as_native_obj is set"


class Field(NamedTuple):
    """A field of a message, in both spellings.

    :param type: its type, without the None of an optional one.
    """

    attribute: str
    key: str
    type: Any


class Decoded(NamedTuple, Generic[M]):
    """A message, or the reasons why there is none."""

    message: M | None
    problems: list[ConfigError]


def decode(kind: type[M], source: object, path: str = "") -> Decoded[M]:
    """Read a message and check it.

    :param kind: class of the message.
    :param source: mappings with camelCase or snake_case keys, lists and scalars; or a message, whose parts may be such.
    :param path: what the message is part of, put before every path in an error.
    """
    problems: list[ConfigError] = []
    return Decoded(_message(kind, source, path, problems), problems)


def _message(kind: type[M], source: object, path: str, problems: list[ConfigError]) -> M | None:
    before = len(problems)
    if isinstance(source, kind):
        source = {name: getattr(source, name) for name in kind.__struct_fields__}
    if not isinstance(source, Mapping):
        name = path or "the configuration"
        problems.append(
            ConfigError(path, f"{'' if path else name + ' '}is {_a(source)}, not a mapping", _example(kind))
        )
        return None
    values: dict[str, Any] = {}
    for field, value in _entries(kind, source, path, problems):
        if value is not None:
            values[field.attribute] = _value(field.type, value, _join(path, field.key), problems)
    if len(problems) > before:
        return None
    message = kind(**values)
    message.check(lambda where, problem, way_out: problems.append(ConfigError(_join(path, where), problem, way_out)))
    return message if len(problems) == before else None


def _entries(
    kind: type[Message], source: Mapping[Any, object], path: str, problems: list[ConfigError]
) -> list[tuple[Field, object]]:
    """Return the known keys of a mapping with their values, and report the others."""
    fields = fields_of(kind)
    entries: dict[str, tuple[Field, object]] = {}
    for key, value in source.items():
        field = fields.get(key) if isinstance(key, str) else None
        if field is None:
            problems.append(_unknown_key(kind, key, path))
        elif field.attribute in entries:
            problem = f"is given twice, as {field.key} and {field.attribute}"
            problems.append(ConfigError(_join(path, field.key), problem, "Keep one of them"))
        else:
            entries[field.attribute] = field, value
    return list(entries.values())


def _unknown_key(kind: type[Message], key: object, path: str) -> ConfigError:
    keys = kind.__struct_encode_fields__
    if not isinstance(key, str):
        return ConfigError(path, f"has a key that is {_a(key)}, not text", _example(kind))
    way_out = suggest(key, keys) if keys else f"{kind.__name__} has no fields, write {{}}"
    if key.isidentifier() and len(key) <= _LONGEST_KEY:
        return ConfigError(_join(path, key), f"is no field of {kind.__name__}", way_out)
    return ConfigError(path, f"{shown(key)} is no field of {kind.__name__}", way_out)


def _value(kind: Any, value: object, path: str, problems: list[ConfigError]) -> Any:
    if get_origin(kind) is list:
        return _list(get_args(kind)[0], value, path, problems)
    if kind in _BITS:
        value = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
    elif issubclass(kind, Message):
        return _message(kind, value, path, problems)
    elif issubclass(kind, StrEnum):
        return _enum(kind, value, path, problems)
    problem = _scalar_problem(kind, value)
    if problem:
        problems.append(ConfigError(path, *problem))
    return value


def _list(kind: Any, value: object, path: str, problems: list[ConfigError]) -> list[Any] | None:
    if not isinstance(value, list | tuple):
        problems.append(ConfigError(path, f"is {_a(value)}, not a list", "Put it in brackets: [...]"))
        return None
    return [_value(kind, item, f"{path}[{number}]", problems) for number, item in enumerate(value)]


def _enum(kind: type[StrEnum], value: object, path: str, problems: list[ConfigError]) -> StrEnum | None:
    names = [str(member) for member in kind]
    if isinstance(value, str) and value in names:
        return kind(value)
    problem = f"{shown(value)} is no {kind.__name__}" if isinstance(value, str) else f"is {_a(value)}, not text"
    problems.append(ConfigError(path, problem, suggest(value if isinstance(value, str) else "", names)))
    return None


def _scalar_problem(kind: Any, value: object) -> tuple[str, str] | None:
    if kind is bool and not isinstance(value, bool):
        return f"is {_a(value)}, not true or false", _NATIVE
    if kind is str and not isinstance(value, str):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return f"is {_a(value)}, not text", _QUOTE if number else "Write text"
    if kind is str and _LONE_SURROGATE.search(str(value)):
        return "holds half of a character (a lone surrogate)", "Write the whole character"
    if bits := _BITS.get(kind):
        if isinstance(value, bool) or not isinstance(value, int):
            return f"is {_a(value)}, not a whole number", "Write a whole number"
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            return f"does not fit into {bits} bits", "Use a smaller number"
    return None


@cache
def fields_of(kind: type[Message]) -> dict[str, Field]:
    """Return the fields of a message by each of their two spellings, Google's first."""
    hints = get_type_hints(kind)
    fields = [
        Field(field.name, field.encode_name, next(part for part in get_args(hints[field.name]) if part is not NoneType))
        for field in msgspec.structs.fields(kind)
    ]
    return {field.key: field for field in fields} | {field.attribute: field for field in fields}


def _example(kind: type[Message]) -> str:
    keys = list(kind.__struct_encode_fields__)
    return f"Use {{{', '.join(keys)}}} or part of it" if keys else "Use {}"


def _a(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return _KINDS.get(type(value)) or f"of type {type(value).__name__}"


def _join(path: str, where: str) -> str:
    return f"{path}.{where}" if path and where else path or where
