"""JSON Patch (RFC 6902) over a FHIR resource.

Errors name the operation by its position and the pointer's fault; a value never appears in them.
"""

from __future__ import annotations

import copy
from typing import Any

from airflow_healthcare_deid.emulator.fhir.outcome import invalid

_NEEDED: dict[str, tuple[str, ...]] = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("from", "path"),
    "copy": ("from", "path"),
    "test": ("path", "value"),
}
MAX_OPERATIONS = 1000
"""Operations one patch may hold; a guard of the emulator's own."""


def apply_patch(resource: dict[str, Any], patch: Any) -> dict[str, Any]:
    """Return a patched copy of a resource.

    :param resource: the resource; it is not changed.
    :param patch: the decoded patch document, a list of operations.
    :raises FhirError: 400 when the patch is malformed, points at nothing, or a ``test`` fails.
    """
    if not isinstance(patch, list) or len(patch) > MAX_OPERATIONS:
        raise invalid(f"a JSON Patch is an array of at most {MAX_OPERATIONS} operations", "invalid_patch")
    document: Any = copy.deepcopy(resource)
    for index, operation in enumerate(patch):
        try:
            document = _apply(document, _checked(operation))
        except _PatchError as error:
            raise invalid(f"operation {index} of the patch: {error}", "invalid_patch") from None
    if not isinstance(document, dict):
        raise invalid("the patch leaves no resource", "invalid_patch")
    return document


class _PatchError(Exception):
    """A fault of one operation, in words that hold no value."""


def _checked(operation: Any) -> dict[str, Any]:
    if not isinstance(operation, dict) or operation.get("op") not in _NEEDED:
        raise _PatchError(f"'op' must be one of {', '.join(_NEEDED)}")
    for member in _NEEDED[operation["op"]]:
        if member not in operation:
            raise _PatchError(f"'{member}' is missing")
        if member != "value" and not isinstance(operation[member], str):
            raise _PatchError(f"'{member}' must be a JSON Pointer")
    return operation


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    kind = operation["op"]
    path = _pointer(operation["path"])
    match kind:
        case "add":
            return _add(document, path, copy.deepcopy(operation["value"]))
        case "remove":
            return _remove(document, path)
        case "replace":
            _get(document, path)
            return (
                _add(_remove(document, path), path, copy.deepcopy(operation["value"])) if path else operation["value"]
            )
        case "test":
            if not _same(_get(document, path), operation["value"]):
                raise _PatchError("the test failed")
            return document
    source = _pointer(operation["from"])
    value = copy.deepcopy(_get(document, source))
    if kind == "move":
        if path[: len(source)] == source and path != source:
            raise _PatchError("an element cannot be moved into itself")
        document = _remove(document, source)
    return _add(document, path, value)


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise _PatchError("a JSON Pointer starts with '/'")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _index(part: str, size: int) -> int:
    if not part.isascii() or not part.isdigit() or (len(part) > 1 and part[0] == "0") or len(part) > len(str(size)):
        raise _PatchError("the path names no element of an array")
    index = int(part)
    if index >= size:
        raise _PatchError("the path names no element of an array")
    return index


def _get(node: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(node, list):
            node = node[_index(part, len(node))]
        elif isinstance(node, dict) and part in node:
            node = node[part]
        else:
            raise _PatchError("the path points at nothing")
    return node


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent) + 1), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise _PatchError("the path points into a value")
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    _get(document, path)
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[int(last)]
    else:
        del parent[last]
    return document


def _same(left: Any, right: Any) -> bool:
    # JSON's true and 1 differ, Python's do not.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)
