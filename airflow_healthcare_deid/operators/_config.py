"""The ``config`` argument of a de-identification: never shown with its keys, whoever sets it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_healthcare_deid.config import has_literal_keys, load_config, parse_gcs_uri, secrets_of
from airflow_healthcare_deid.config.documents import parse_text
from airflow_healthcare_deid.config.message import Message
from airflow_healthcare_deid.errors import ConfigError
from airflow_healthcare_deid.operators._literals import is_file, is_literal
from airflow_healthcare_deid.version_compat import mask_secret

_KEY_IN_TEXT = re.compile(r"""crypto[_-]?key["']?\s*[:=]\s*["']?([^\s"',}]+)""", re.IGNORECASE)


HIDDEN = "***"


class MaskedConfig:
    """A ``config`` attribute that shows no key to whoever reads it, and has its keys masked in all logs.

    Airflow stores the rendered fields before ``execute``, mapped tasks are rendered by another class, its masker does
    not know ``cryptoKey``, and up to 3.1 what a worker masks is not masked in what it stores. Reading and setting the
    attribute is what all of these have in common. The config itself is had by :meth:`reveal`.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else without_keys(instance.__dict__[self._name])

    def __set__(self, instance: Any, value: Any) -> None:
        if self._name in instance.__dict__ and HIDDEN in str(value) and value == self.__get__(instance):
            # Rendered once more, out of what could be read.
            return
        mask_keys(value)
        instance.__dict__[self._name] = value

    def reveal(self, instance: Any) -> Any:
        """Return the config with its keys."""
        return instance.__dict__[self._name]


def without_keys(config: Any) -> Any:
    """Return a config in which literal keys are hidden; templates are left as they are."""
    keys = [key for key in _keys_in(config) if is_literal(key)]
    return _hide(config, keys) if keys and not isinstance(config, Message) else config


def _hide(value: Any, keys: list[str]) -> Any:
    if isinstance(value, str):
        for key in keys:
            value = value.replace(key, HIDDEN)
        return value
    if isinstance(value, Mapping):
        return {name: _hide(item, keys) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hide(item, keys) for item in value]
    return value


def check_config_arguments(config: object, gcs_config_uri: str | None) -> None:
    """Check the two ways to give a config, as they stand in a DAG file.

    :raises ConfigError: if not exactly one is given, or ``config`` is wrong or holds a key for all to read.
    """
    if config is None and gcs_config_uri is None:
        raise ConfigError("config", "is missing, and so is gcs_config_uri", "Give one; {} stands for all defaults")
    if config is not None and gcs_config_uri is not None:
        raise ConfigError("config", "cannot be given together with gcs_config_uri", "Keep one of them")
    check_literal_uri("gcs_config_uri", gcs_config_uri)
    check_literal_config(config)


def check_literal_uri(field: str, value: object) -> None:
    """Check a Cloud Storage location that stands in a DAG file; None is none.

    :raises ConfigError: if it is no ``gs://bucket/path/to/object``.
    """
    if value is not None and (is_literal(value) or is_file(value)):
        parse_gcs_uri(value, field)  # type: ignore[arg-type]


def mask_keys(config: object) -> None:
    """Mask the literal keys in a config of any form."""
    for key in _keys_in(config):
        if is_literal(key):
            mask_secret(key)


def check_literal_config(config: object) -> None:
    """Check a config that stands in a DAG file.

    :raises ConfigError: if it is wrong, or holds a key for all to read who can read the DAG.
    """
    if config is None or is_file(config):
        return
    if any(is_literal(key) for key in _keys_in(config)):
        raise ConfigError(
            "config",
            "holds a literal cryptoKey, which everybody could read who can read the DAG file or Airflow's database",
            "Use kmsWrapped, a template such as {{ var.value.deid_key }}, or gcs_config_uri",
        )
    if is_literal(config):
        load_config(config)  # type: ignore[arg-type]


def _keys_in(config: object) -> list[str]:
    if isinstance(config, Message | Mapping):
        return secrets_of(config) if has_literal_keys(config) else []
    if not isinstance(config, str) or is_file(config):
        return []
    try:
        document = parse_text(config)
    except ConfigError:
        # Broken text is shown as well, so its keys are found as well as can be.
        return [key for key in _KEY_IN_TEXT.findall(config) if not key.startswith("projects/")]
    return secrets_of(document) if isinstance(document, Mapping) else []
