"""Google's infoTypes: which are looked for, which are only known by name, which do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from airflow_healthcare_deid.engine.errors import EngineError
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_healthcare_deid.config import TextConfig

DATE_TYPES = frozenset({"DATE", "DATE_OF_BIRTH"})
"""InfoTypes that a date shift applies to."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The infoTypes that one configuration is about.

    :param looked_for: those to find by pattern.
    :param excluded: those to leave alone, the patient's own identifiers among them included.
    :param not_looked_for: those that the configuration names, Google knows and the emulator does not find.
    """

    looked_for: frozenset[str]
    excluded: frozenset[str]
    not_looked_for: tuple[str, ...]


@cache
def supported_info_types() -> frozenset[str]:
    """Return the infoTypes that the emulator finds."""
    patterns = load_rules("text_patterns")["patterns"]
    found = {info_type for row in patterns for info_type in (row["info_type"], *row.get("also", ()))}
    return frozenset(found | DATE_TYPES | set(load_rules("text")["record_info_types"]["names"]))


@cache
def info_type_ranks() -> dict[str, int]:
    """Return the place of each infoType among findings of equal length: the order of `rules/text_patterns.yaml`."""
    rows = load_rules("text_patterns")["patterns"]
    return {
        name: rank
        for rank, name in enumerate(dict.fromkeys(("DATE_OF_BIRTH", "DATE", *(r["info_type"] for r in rows))))
    }


def default_info_types() -> frozenset[str]:
    """Return the infoTypes that are looked for when the configuration names none."""
    return frozenset(load_rules("text")["default_info_types"]["names"])


def select(config: TextConfig | None) -> Selection:
    """Return the infoTypes that a configuration asks for.

    :raises EngineError: when it names an infoType that is not one of Google's.
    """
    default = default_info_types()
    if config is None:
        return Selection(default, frozenset(), ())
    named = [
        name
        for transformation in (*(config.additional_transformations or ()), *(config.transformations or ()))
        for name in transformation.info_types or ()
    ]
    excluded = frozenset(config.exclude_info_types or ())
    unknown_to_us = _check_names((*named, *excluded))
    return Selection((default | set(named)) & supported_info_types() - excluded, excluded, unknown_to_us)


def _check_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names among these that Google knows and the emulator does not find."""
    table = load_rules("text")["not_looked_for"]
    supported = supported_info_types()
    others = tuple(dict.fromkeys(name for name in names if name not in supported))
    for name in others:
        if name not in table["names"] and not name.startswith(tuple(table["prefixes"])):
            raise EngineError(
                f"text: {name[:64]!r} is not an infoType of Sensitive Data Protection. "
                f"The emulator looks for {', '.join(sorted(supported))}; others of Google's names are accepted"
            )
    return others
