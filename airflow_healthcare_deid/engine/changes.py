"""What a de-identifier did to a value, told to whoever asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is not the same, or not there, in the output.

    Holds the value itself, for a preview on the user's own machine: never log it and never store it. The values are
    left out of the representation so that it cannot slip into a message.

    :param path: where it is: ``PatientName``, ``RequestAttributesSequence[0].ScheduledProcedureStepID``,
        ``Patient.name[0].family``.
    :param action: what was done: ``remove``, ``empty``, ``dummy``, ``uid``, ``transform``, ``redact``, …
    :param rule: the field of the configuration, or the row of the rule table, that asked for it.
    :param before: the value in the source, if it has a readable form.
    :param after: the value in the output; None when there is none.
    :param info_type: what was recognized in it, such as ``PERSON_NAME``, when text was searched.
    :param box: of what is covered in pixels: its left, top, right and bottom edge, the latter two exclusive.
    """

    path: str
    action: str
    rule: str
    before: object = field(default=None, repr=False)
    after: object = field(default=None, repr=False)
    info_type: str | None = None
    box: tuple[int, int, int, int] | None = None


Observer: TypeAlias = Callable[[Change], None]
"""Receives every change of one de-identification, in the order of the input."""
