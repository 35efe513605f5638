"""What the emulator serves of Google's API, method by method, from the routes of its application."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from starlette.routing import Match, Route

from airflow_healthcare_deid.emulator.app import ROUTES
from scripts.doc_tables.google_api import Method, document, methods
from scripts.doc_tables.markdown import table

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "notes.yaml").read_text("utf-8"))
DONE, PARTLY, NOT = "done", "partly", "not"
_REFUSAL = re.compile(r"\b_refuse\b")


class Coverage(NamedTuple):
    """Whether the emulator serves a method."""

    method: Method
    state: str
    note: str


@cache
def coverage() -> list[Coverage]:
    """Return what the emulator does with every method.

    :raises ValueError: if the notes speak of a method that Google's document or the emulator does not have.
    """
    found = [_cover(method) for method in methods()]
    served = {row.method.id for row in found if row.state != NOT}
    if amiss := sorted(NOTES["methods"].keys() - served):
        raise ValueError(f"notes.yaml speaks of methods that are not served: {', '.join(amiss)}")
    return found


def _cover(method: Method) -> Coverage:
    route = _route(method)
    if route is None or _REFUSAL.search(route.endpoint.__qualname__):
        return Coverage(method, NOT, "")
    note = NOTES["methods"].get(method.id, "")
    return Coverage(method, PARTLY if note else DONE, note)


def sample_path(method: Method) -> str:
    """Return a path of a method with its variables filled in."""
    names = {"projectsId": "my-project", "locationsId": "us-central1", "fhirId": "Patient", "resourceType": "Patient"}
    return re.sub(r"{(\w+)}", lambda variable: names.get(variable[1], "x"), method.path)


def _route(method: Method) -> Route | None:
    """Return the route that answers a method; the last segment of a resource must not swallow a custom verb."""
    scope = {"type": "http", "method": method.verb, "path": sample_path(method), "root_path": "", "headers": []}
    custom = method.path.rpartition(":")[2] if ":" in method.path.rpartition("/")[2] else ""
    for route in ROUTES:
        if route.matches(scope)[0] is Match.FULL:
            return route if route.path.endswith(f":{custom}") or not custom else None
    return None


def _group(method: Method) -> str:
    """Return what a method belongs to, such as ``datasets.fhirStores``."""
    parts = method.id.split(".")
    return (
        ".".join(parts[:2]) if parts[:1] == ["datasets"] and len(parts) > 2 else parts[0] if parts[1:] else "locations"
    )


def page() -> str:
    """Return the tables, one for each kind of resource; what is refused as a whole takes one line."""
    rows = coverage()
    count = Counter(row.state for row in rows)
    groups: dict[str, list[Coverage]] = {}
    for row in rows:
        groups.setdefault(_group(row.method), []).append(row)
    whole = [name for name, members in groups.items() if all(row.state == NOT for row in members)]
    parts = [
        f"Google's discovery document, revision {document()['revision']}, has {len(rows)} methods. The emulator:\n\n"
        + table((DONE, PARTLY, NOT), [(str(count[DONE]), str(count[PARTLY]), str(count[NOT]))]),
        "*Not* is answered `501`, status `UNIMPLEMENTED`, and never with a made-up result.",
        "Refused as a whole: " + ", ".join(f"`{name}` ({len(groups[name])})" for name in whole) + ".",
    ]
    for name, members in groups.items():
        if name not in whole:
            parts.append(f"### {name}\n\n" + table(("method", "HTTP", "emulator", "note"), _cells(name, members)))
    return "\n\n".join(parts) + "\n"


def _cells(group: str, rows: Iterable[Coverage]) -> list[tuple[str, ...]]:
    return [(f"`{row.method.id.removeprefix(group + '.')}`", row.method.verb, row.state, row.note) for row in rows]
