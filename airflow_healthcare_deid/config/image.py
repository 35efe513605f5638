"""Text that is burnt into pixels: ``ImageConfig`` of the discovery document."""

from __future__ import annotations

import re
import warnings
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.message import Message

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report


class TextRedactionMode(StrEnum):
    """Which text to cover in an image."""

    TEXT_REDACTION_MODE_UNSPECIFIED = "TEXT_REDACTION_MODE_UNSPECIFIED"
    """Same as ``REDACT_NO_TEXT``."""
    REDACT_ALL_TEXT = "REDACT_ALL_TEXT"
    REDACT_SENSITIVE_TEXT = "REDACT_SENSITIVE_TEXT"
    """Text that the default DICOM infoTypes find."""
    REDACT_NO_TEXT = "REDACT_NO_TEXT"


class CustomRegex(Message, frozen=True, kw_only=True):
    """A pattern of text to cover in an image.

    :param pattern: the regular expression. The document names no dialect; it must compile here, with Python's ``re``.
    :param group_indexes: the groups to cover, counted from 1; 0 or none is the whole match.
    """

    pattern: str | None = None
    group_indexes: list[int] | None = None

    def check(self, report: Report) -> None:
        if not self.pattern:
            report("pattern", "is missing", "Give a regular expression, or leave this customRegexes entry out")
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                groups = re.compile(self.pattern).groups
        except re.error as error:
            report("pattern", f"does not compile: {error}", "Use what Python's re and RE2 have in common")
            return
        except (OverflowError, RecursionError):
            report("pattern", "does not compile: it repeats or nests too much", "Simplify it")
            return
        for number, index in enumerate(self.group_indexes or ()):
            if not 0 <= index <= groups:
                has = "no group" if not groups else f"{groups} group{'s' * (groups > 1)}"
                report(f"groupIndexes[{number}]", f"is {index}, but the pattern has {has}", "Add the group or drop it")


class ImageConfig(Message, frozen=True, kw_only=True):
    """How to treat pixels.

    :param text_redaction_mode: which text to cover; default: none.
    :param custom_regexes: patterns of further text to cover.
    """

    text_redaction_mode: TextRedactionMode | None = None
    custom_regexes: list[CustomRegex] | None = None
