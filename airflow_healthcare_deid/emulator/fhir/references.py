"""References between resources: finding them, and rewriting them in a transaction.

https://hl7.org/fhir/R4/references.html. Every object with a ``reference`` string counts, in extensions too, as with
``complexDataTypeReferenceParsing`` enabled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCAL = re.compile(r"([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?")


def reference_holders(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object that has a ``reference`` string."""
    if isinstance(node, list):
        for item in node:
            yield from reference_holders(item)
    elif isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for value in node.values():
            yield from reference_holders(value)


def local_target(reference: str) -> str | None:
    """Return ``Type/id`` of a relative reference; None for fragments, URNs and absolute URLs."""
    match = _LOCAL.fullmatch(reference)
    return match.group(1) if match else None


def local_references(resource: Any) -> set[str]:
    """Return the ``Type/id`` of everything in the same store that a resource refers to."""
    targets = (local_target(holder["reference"]) for holder in reference_holders(resource))
    return {target for target in targets if target is not None}


def rewrite_references(resource: dict[str, Any], new_reference: Callable[[str], str | None]) -> None:
    """Change a resource's references in place.

    :param new_reference: gives what takes the place of a reference, or None to leave it.
    """
    for holder in reference_holders(resource):
        replacement = new_reference(holder["reference"])
        if replacement is not None:
            holder["reference"] = replacement
