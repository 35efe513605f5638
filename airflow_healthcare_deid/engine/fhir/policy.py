"""Which rule of a configuration treats which element, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config import FhirAction
from airflow_healthcare_deid.engine.fhir.paths import Match, PathMatcher, first_rule
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import FhirConfig
    from airflow_healthcare_deid.engine.fhir.paths import Step

_ACTIVE = (FhirAction.TRANSFORM, FhirAction.INSPECT_AND_TRANSFORM)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a ``fieldMetadataList`` or of the default profile.

    :param name: what to call it in a report.
    :param action: what to do.
    :param paths: which fields.
    """

    name: str
    action: FhirAction
    paths: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it transforms a field whole, as opposed to what is found in it."""
        return self.action is FhirAction.TRANSFORM


@dataclass(frozen=True, slots=True)
class Position:
    """An element of a resource, as the rules see it; equal positions are treated alike.

    :param rules: what the paths of the configuration say of it.
    :param info: what the paths of the infoType table say of it.
    :param in_extension: whether it is part of an extension that is kept only as far as a path names it.
    """

    rules: Match
    info: Match
    in_extension: bool = False


ROOT = Position(Match(), Match())
"""Above every resource."""


class Policy:
    """The rules of one configuration.

    :param config: None or without a ``fieldMetadataList``: the default profile of `rules/fhir_default.yaml`.
    """

    def __init__(self, config: FhirConfig | None) -> None:
        self.is_default = config is None or not config.field_metadata_list
        self.keep_extensions = bool(config and config.default_keep_extensions)
        self.rules = _default_rules() if self.is_default else _configured_rules(config)
        self._matcher = PathMatcher([rule.paths for rule in self.rules])
        self._info_rows = load_rules("fhir_info_types")["rows"]
        self._info_matcher = PathMatcher([row["paths"] for row in self._info_rows])
        self.names_extensions = self._matcher.names_extensions

    @property
    def is_keep_all(self) -> bool:
        """Whether nothing at all changes."""
        return self.keep_extensions and not any(rule.action in _ACTIVE for rule in self.rules)

    @property
    def inspects(self) -> bool:
        """Whether a rule asks to search text."""
        return any(rule.action is FhirAction.INSPECT_AND_TRANSFORM for rule in self.rules)

    def advance(self, position: Position, step: Step, name: str) -> Position:
        """Return the position of an element below another."""
        return Position(
            self._matcher.advance(position.rules, step, name),
            self._info_matcher.advance(position.info, step, name),
            position.in_extension or (step.is_extension and not self.keep_extensions),
        )

    def rule(self, position: Position, *, by_name_only: bool = False, from_above: bool = True) -> Rule | None:
        """Return the first rule that treats an element, or None when it passes unchanged.

        :param by_name_only: leave it alone unless a path ends on its very name.
        :param from_above: let rules treat it that ended on a complex type above it.
        """
        match = position.rules
        number = match.by_name if by_name_only else first_rule(match.here, match.above if from_above else None)
        if number is None or self.rules[number].action not in _ACTIVE:
            return None
        return self.rules[number]

    def info_type(self, position: Position) -> tuple[str, dict[str, str]]:
        """Return the infoType of a field, empty when it has none, and others by the field's ``system``."""
        number = first_rule(position.info.here, position.info.above)
        if number is None:
            return "", {}
        row = self._info_rows[number]
        return row["info_type"], row.get("by_system", {})


def _default_rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(f"rules/fhir_default.yaml rows[{number}]", FhirAction(row["action"]), tuple(row["paths"]))
        for number, row in enumerate(load_rules("fhir_default")["rows"])
    )


def _configured_rules(config: FhirConfig | None) -> tuple[Rule, ...]:
    return tuple(
        Rule(f"fhir.fieldMetadataList[{number}]", row.action or FhirAction.DO_NOT_TRANSFORM, tuple(row.paths or ()))
        for number, row in enumerate((config and config.field_metadata_list) or ())
    )
