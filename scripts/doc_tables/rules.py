"""The rule tables of the engine: what each says, where it is from, and what of it is inferred."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from scripts.doc_tables.markdown import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST = 110
_SOURCE = "source"


def page() -> str:
    """Return a section for each table."""
    folder = files("airflow_healthcare_deid.engine.rules")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return "\n\n".join(_section(name, (folder / name).read_text("utf-8")) for name in names) + "\n"


def _section(name: str, text: str) -> str:
    rules = yaml.safe_load(text)
    rows = list(_rows(rules, inferred="inferred" in str(rules.get(_SOURCE, ""))))
    parts = [f"## {name}", _introduction(text)]
    if _SOURCE in rules:
        parts.append(f"Source of the whole table: {rules[_SOURCE].strip()}")
    if rows:
        parts.append(table(("rule", "what it says", "inferred", "source"), rows))
    return "\n\n".join(part for part in parts if part)


def _introduction(text: str) -> str:
    """Return the comment that a table begins with."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines)


def _rows(rules: Mapping[str, Any], *, inferred: bool) -> Iterator[tuple[str, ...]]:
    for name, rule in rules.items():
        if name == _SOURCE:
            continue
        source = str(rule.get(_SOURCE, "")).strip() if isinstance(rule, dict) else ""
        said = {key: value for key, value in rule.items() if key != _SOURCE} if isinstance(rule, dict) else rule
        yield f"`{name}`", _shown(said), "yes" if inferred or "inferred" in source.lower() else "", source


def _shown(value: Any) -> str:
    """Return a value as far as it is short, else its size."""
    if not value and isinstance(value, dict):
        return "built in"
    if isinstance(value, list):
        text = ", ".join(map(str, value)) if not any(isinstance(item, dict | list) for item in value) else ""
        return f"`{text}`" if text and len(text) <= _LONGEST else f"{len(value)} entries"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_shown(inner)}" for key, inner in list(value.items())[:6]) + (
            f"; and {len(value) - 6} more" if len(value) > 6 else ""
        )
    text = " ".join(str(value).split())
    return f"`{text}`" if len(text) <= _LONGEST else f"{len(str(value).splitlines())} lines"
