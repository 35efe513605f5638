"""JSON and YAML text: reading it, and finding the line of a field in it.

YAML is read with JSON's idea of scalars: only ``null``, ``true``, ``false`` and whole numbers without leading zeros are
not text. YAML 1.1 would read the tag ``00100010`` as an octal number and the word ``no`` as false.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.suggestions import shown
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    import yaml

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_STANDARD_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")


class _DuplicateKeyError(ValueError):
    pass


def parse_text(text: str) -> object:
    """Read JSON or YAML text.

    :param text: one document. Single-quoted JSON, as in Google's labs, is YAML and is read as such.
    :raises ConfigError: if it is neither, or names a key twice; it says in which line, and quotes nothing.
    """
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text, object_pairs_hook=_without_duplicates)
        except _DuplicateKeyError as error:
            raise ConfigError("", f"The text has the key {error} twice in one object", "Keep one of them") from None
        except (ValueError, RecursionError):
            pass  # YAML's parser is more lenient, and names the line if it fails as well.
    return _parse_yaml(text)


def locate(text: str, path: str) -> int | None:
    """Return the line, counted from 1, of a field in JSON or YAML text.

    :param text: the text that was loaded.
    :param path: a ``ConfigError.path``. What the text lacks is found where it would belong: at its parent.
    """
    import yaml

    try:
        # A tab may indent JSON, but not YAML; inside of a JSON string there is none.
        node = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if node is None:
        return None
    line = node.start_mark.line
    for name, index in _STEP.findall(path):
        step = _child(node, name, int(index) if index else None)
        if step is None:
            break
        line, node = step
    return int(line) + 1


def camel_case(name: str) -> str:
    """Return Google's spelling of a field: ``keep_list`` is ``keepList``."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _child(node: yaml.Node, name: str, index: int | None) -> tuple[int, yaml.Node] | None:
    import yaml

    if isinstance(node, yaml.SequenceNode) and index is not None and index < len(node.value):
        item = node.value[index]
        return item.start_mark.line, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key.value, str) and name in (key.value, camel_case(key.value)):
                return key.start_mark.line, value
    return None


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(shown(next(key for key in keys if keys.count(key) > 1)))
    return result


def _parse_yaml(text: str) -> object:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        return None if node is None else _plain(node, {})
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = f"The text is neither JSON nor YAML{where}: {error.problem or error.context or 'syntax error'}"
        raise ConfigError("", problem, "Correct it there") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        problem = "The text is neither JSON nor YAML: it holds control characters or nests too deeply"
        raise ConfigError("", problem, "Remove them") from None


def _plain(node: yaml.Node, known: dict[int, object]) -> object:
    """Return what a node stands for; an alias gives the very object of its anchor."""
    import yaml

    if id(node) in known:
        return known[id(node)]
    line = node.start_mark.line + 1
    if not node.tag.startswith(_STANDARD_TAGS):
        raise ConfigError("", f"Line {line} has a YAML tag, {shown(node.tag)}", "Write plain values without '!'")
    if isinstance(node, yaml.ScalarNode):
        known[id(node)] = value = _scalar(node)
        return value
    if isinstance(node, yaml.SequenceNode):
        items: list[object] = []
        known[id(node)] = items
        items.extend(_plain(item, known) for item in node.value)
        return items
    mapping: dict[object, object] = {}
    known[id(node)] = mapping
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError("", f"Line {line} has a key that is not text", "Use a field's name")
        key = _scalar(key_node)
        if key in mapping:
            raise ConfigError("", f"Line {line} has the key {shown(key_node.value)} a second time", "Keep one of them")
        mapping[key] = _plain(value_node, known)
    return mapping


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    if node.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text
