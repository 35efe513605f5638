"""A config or a request from what a user has: a model, a mapping, text or a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from airflow_healthcare_deid.config.decode import Decoded, decode
from airflow_healthcare_deid.config.deidentify import DeidentifyConfig
from airflow_healthcare_deid.config.documents import parse_text
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Message

M = TypeVar("M", bound="Message")
ConfigSource = DeidentifyConfig | Mapping[str, object] | str | Path
"""What a config may come from; a ``str`` is JSON or YAML text, or the path of a file."""

FILE_SUFFIXES = (".json", ".yaml", ".yml")
_PATHS = f"A file's name ends in {', '.join(FILE_SUFFIXES)}; an object in Cloud Storage is given as gcsConfigUri"


def load_config(source: ConfigSource) -> DeidentifyConfig:
    """Read and check a ``DeidentifyConfig``.

    :param source: a model, a mapping with camelCase or snake_case keys, JSON or YAML text, or the path of a
        ``.json``, ``.yaml`` or ``.yml`` file.
    :raises ConfigError: at the first problem; :func:`find_problems` gives all.
    """
    return _first(_decode_config(source))


def find_problems(source: ConfigSource) -> list[ConfigError]:
    """Return all that is wrong with a config, as far as one problem does not hide another.

    :param source: as for :func:`load_config`.
    """
    try:
        return _decode_config(source).problems
    except ConfigError as error:
        return [error]


def load_request(kind: type[M], source: M | Mapping[str, object], path: str = "") -> M:
    """Read and check the body of a request, or a part of it.

    :param kind: its class, for example ``DeidentifyDatasetRequest``.
    :param source: a mapping with camelCase or snake_case keys, or a model.
    :param path: what a part is called in an error.
    :raises ConfigError: at the first problem.
    """
    return _first(decode(kind, source, path))


def _first(decoded: Decoded[M]) -> M:
    if decoded.message is None:
        raise decoded.problems[0]
    return decoded.message


def _decode_config(source: ConfigSource) -> Decoded[DeidentifyConfig]:
    content: object = source
    if isinstance(source, Path) or (isinstance(source, str) and _is_path(source)):
        content = parse_text(_read(Path(source)))
    elif isinstance(source, str):
        content = parse_text(source)
        if isinstance(content, str):
            raise ConfigError("", "the configuration is text, not a mapping", _PATHS)
    return decode(DeidentifyConfig, content)


def _is_path(text: str) -> bool:
    return text.endswith(FILE_SUFFIXES) and not any(mark in text for mark in ("\n", ": ", "{", "://"))


def _read(path: Path) -> str:
    if path.suffix not in FILE_SUFFIXES:
        raise ConfigError("", f"The file {path} is none of {', '.join(FILE_SUFFIXES)}", "Rename it")
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigError("", f"The file {path} cannot be read: {error.strerror}", "Check its path") from None
    except ValueError:
        raise ConfigError("", f"The file {path} is not UTF-8 text", "Save it as UTF-8") from None
