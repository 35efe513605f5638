"""Arguments as they stand in a DAG file: which are final there, and which only come to be when the task runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_healthcare_deid.config.message import Message

FILE_SUFFIXES = (".json", ".yaml", ".yml")
_JINJA = ("{{", "{%", "{#")


def is_literal(value: object) -> bool:
    """Return whether a value is what the task will get: no template, no output of another task, no file."""
    if isinstance(value, str):
        return not any(mark in value for mark in _JINJA) and not is_file(value)
    if isinstance(value, Mapping):
        return all(is_literal(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(is_literal(item) for item in value)
    return isinstance(value, int | float | Message)


def is_file(value: Any) -> bool:
    """Return whether a value is the path of a file that Airflow renders; a ``gs://`` URI is none."""
    return isinstance(value, str) and value.endswith(FILE_SUFFIXES) and "://" not in value and "\n" not in value
