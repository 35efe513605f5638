"""Arguments as they stand in a DAG file: which are final there, and which only come to be when the task runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_healthcare_deid.config.message import Message
from airflow_healthcare_deid.errors import InvalidRequestError

FILE_SUFFIXES = (".json", ".yaml", ".yml")
_JINJA = ("{{", "{%", "{#")


def is_literal(value: object) -> bool:
    """Return whether a value is what the task will get: no template, no output of another task, no file."""
    if isinstance(value, str):
        return not is_template(value) and not is_file(value)
    if isinstance(value, Mapping):
        return all(is_literal(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(is_literal(item) for item in value)
    return value is None or isinstance(value, int | float | Message)


def is_template(text: str) -> bool:
    """Return whether a text is rendered before the task gets it."""
    return any(mark in text for mark in _JINJA)


def is_file(value: Any) -> bool:
    """Return whether a value is the path of a file that Airflow renders; a ``gs://`` URI and a template are none."""
    return (
        isinstance(value, str)
        and value.endswith(FILE_SUFFIXES)
        and not any(mark in value for mark in ("://", "\n", *_JINJA))
    )


def check_switches(**switches: object) -> None:
    """Refuse what is neither on nor off: any text counts as true, and no switch is a template.

    :param switches: arguments by their names.
    """
    for field, value in switches.items():
        if not isinstance(value, bool):
            raise InvalidRequestError(field, f"is {value!r}", "Use True or False; templates are not rendered here")
