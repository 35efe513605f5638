"""Counts over all files of a preview."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_healthcare_deid.cli.preview.rows import Fate
from airflow_healthcare_deid.cli.preview.rules import NO_RULE, meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_healthcare_deid.cli.preview.rows import FilePreview
    from airflow_healthcare_deid.config import DeidentifyConfig


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule acted.

    :param rule: its name.
    :param meaning: what it says.
    :param fates: what became of fields by it, and of how many.
    """

    rule: str
    meaning: str
    fates: tuple[tuple[Fate, int], ...]

    @property
    def total(self) -> int:
        """Fields that it acted on."""
        return sum(count for _, count in self.fates)


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened over all.

    :param fates: fields by what became of them.
    :param rules: by rule, the busiest first.
    :param info_types: how many fields held which infoType, the most frequent first.
    """

    fates: dict[Fate, int]
    rules: tuple[RuleCount, ...]
    info_types: tuple[tuple[str, int], ...]


def summarize(files: Sequence[FilePreview], config: DeidentifyConfig) -> Summary:
    """Count what the files list; the fields by fate are counted listed or not.

    :param config: the config that acted.
    """
    fates = {fate: sum(file.counts[fate] for file in files) for fate in Fate}
    by_rule: dict[str, Counter[Fate]] = {}
    info_types: Counter[str] = Counter()
    for file in files:
        for row in file.treated:
            by_rule.setdefault(row.rule, Counter())[row.fate] += 1
            info_types.update(row.info_types)
    rules = [
        RuleCount(rule or NO_RULE, meaning(rule, config), tuple(count.most_common())) for rule, count in by_rule.items()
    ]
    return Summary(
        fates,
        tuple(sorted(rules, key=lambda rule: (-rule.total, rule.rule))),
        tuple(info_types.most_common()),
    )
