"""Free text: ``TextConfig`` of the discovery document, and the transformations it applies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.keys import CryptoHashConfig, DateShiftConfig
from airflow_healthcare_deid.config.message import Message, at_most_one
from airflow_healthcare_deid.config.suggestions import shown

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report

_INFO_TYPE = re.compile(r"[A-Z][A-Z0-9_]*")
_TRANSFORMATIONS = (
    "redact_config",
    "replace_with_info_type_config",
    "character_mask_config",
    "crypto_hash_config",
    "date_shift_config",
)


class RedactConfig(Message, frozen=True, kw_only=True):
    """Erase the value: "My name is Jane." becomes "My name is ."."""


class ReplaceWithInfoTypeConfig(Message, frozen=True, kw_only=True):
    """Put the infoType in its place: "My name is Jane." becomes "My name is [PERSON_NAME]."."""


class CharacterMaskConfig(Message, frozen=True, kw_only=True):
    """Replace every character.

    :param masking_character: by which; default ``*``.
    """

    masking_character: str | None = None

    def check(self, report: Report) -> None:
        character = self.masking_character
        if character is not None and len(character) != 1:
            report("maskingCharacter", f"has {len(character)} characters", "Give exactly one, or none for '*'")


class InfoTypeTransformation(Message, frozen=True, kw_only=True):
    """What to do with text that was found to be of an infoType; exactly one of the five configs.

    :param info_types: names of detectors of Sensitive Data Protection; default: any.
    :param redact_config: erase it.
    :param replace_with_info_type_config: put the infoType in its place.
    :param character_mask_config: mask its characters.
    :param crypto_hash_config: hash it under a key.
    :param date_shift_config: shift it, if it is a date.
    """

    info_types: list[str] | None = None
    redact_config: RedactConfig | None = None
    replace_with_info_type_config: ReplaceWithInfoTypeConfig | None = None
    character_mask_config: CharacterMaskConfig | None = None
    crypto_hash_config: CryptoHashConfig | None = None
    date_shift_config: DateShiftConfig | None = None

    def check(self, report: Report) -> None:
        if not self.set_fields(*_TRANSFORMATIONS):
            report("", "names no transformation", 'Add one, for example "redactConfig": {}')
        at_most_one(self, report, *_TRANSFORMATIONS)
        if self.info_types == []:
            report("infoTypes", "is empty, which the service reads as any infoType", "List some, or leave it out")
        check_info_types(self.info_types, "infoTypes", report)


class TextConfig(Message, frozen=True, kw_only=True):
    """How to treat text, in DICOM tags and FHIR fields alike.

    :param additional_transformations: what to do with which infoTypes.
    :param transformations: the same under its old name; deprecated by Google, still valid.
    :param exclude_info_types: infoTypes to leave alone; wins over ``additional_transformations``.
    """

    additional_transformations: list[InfoTypeTransformation] | None = None
    transformations: list[InfoTypeTransformation] | None = None
    exclude_info_types: list[str] | None = None

    def check(self, report: Report) -> None:
        check_info_types(self.exclude_info_types, "excludeInfoTypes", report)


def check_info_types(names: list[str] | None, where: str, report: Report) -> None:
    """Report names that cannot be infoTypes; which ones the service knows is not documented."""
    for number, name in enumerate(names or ()):
        if not _INFO_TYPE.fullmatch(name):
            upper = re.sub(r"[\s-]+", "_", name.strip()).upper()
            way_out = f"Did you mean {upper}?" if _INFO_TYPE.fullmatch(upper) else "Use a name such as PERSON_NAME"
            report(f"{where}[{number}]", f"{shown(name)} is no infoType: upper-case letters, digits and '_'", way_out)
