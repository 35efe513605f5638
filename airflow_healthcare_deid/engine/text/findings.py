"""What was recognized in a text, and what becomes of overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A stretch of text that tells something about a person.

    :param start: where it starts, in characters.
    :param end: where it ends, exclusive.
    :param info_type: what it is, in Google's names: ``PERSON_NAME``, ``DATE``, …
    :param known: whether it repeats an identifier of the patient's own record, and so is no guess.
    """

    start: int
    end: int
    info_type: str
    known: bool = False


def merge(findings: Iterable[Finding], rank: dict[str, int]) -> list[Finding]:
    """Return findings that don't overlap and together cover all that the given ones cover.

    Where some overlap, one takes their whole extent, so that no letter of any of them is left. Its infoType is that of
    the patient's own identifier if there is one, else of the longest, else of the one that ranks first.

    :param rank: place of an infoType among equals, lowest first.
    """
    merged: list[Finding] = []
    best: Finding | None = None
    for finding in sorted(findings):
        if finding.start >= finding.end:
            continue
        if merged and best is not None and finding.start < merged[-1].end:
            best = min(best, finding, key=lambda one: _preference(one, rank))
            merged[-1] = Finding(
                merged[-1].start, max(merged[-1].end, finding.end), best.info_type, merged[-1].known or finding.known
            )
        else:
            merged.append(finding)
            best = finding
    return merged


def _preference(finding: Finding, rank: dict[str, int]) -> tuple[bool, int, int, str]:
    return (
        not finding.known,
        finding.start - finding.end,
        rank.get(finding.info_type, len(rank)),
        finding.info_type,
    )
