"""What becomes of a stretch of text that was recognized: the transformations of a `TextConfig`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text.dates import shift_date
from airflow_healthcare_deid.engine.text.info_types import DATE_TYPES

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import InfoTypeTransformation, TextConfig
    from airflow_healthcare_deid.engine.keys import KeyRing

Apply: TypeAlias = Callable[[str, str, str], str | None]
"""From (value, infoType, patient key) to the new text, or None where the transformation cannot be applied."""


@dataclass(frozen=True, slots=True)
class Transformation:
    """One transformation and what it applies to.

    :param rule: the field of the configuration, or the rule, that it comes from.
    :param action: ``redact``, ``replace_with_info_type``, ``character_mask``, ``crypto_hash`` or ``date_shift``.
    :param info_types: what it applies to; None stands for any.
    :param apply: does it.
    """

    rule: str
    action: str
    info_types: frozenset[str] | None
    apply: Apply

    def fits(self, info_type: str) -> bool:
        """Whether it applies to an infoType."""
        return self.info_types is None or info_type in self.info_types


def transformations(config: TextConfig | None, keys: KeyRing) -> tuple[Transformation, ...]:
    """Return the transformations of a configuration, then the default ones, in order of precedence.

    :raises EngineError: when a key cannot be resolved.
    """
    listed: list[Transformation] = []
    if config is not None:
        for field, rows in (
            ("text.additionalTransformations", config.additional_transformations),
            ("text.transformations", config.transformations),
        ):
            listed += (_configured(f"{field}[{index}]", row, keys) for index, row in enumerate(rows or ()))
    return (*listed, *_defaults(keys))


def _configured(rule: str, row: InfoTypeTransformation, keys: KeyRing) -> Transformation:
    info_types = frozenset(row.info_types) if row.info_types else None
    if row.replace_with_info_type_config is not None:
        return Transformation(rule, "replace_with_info_type", info_types, _replace_with_info_type)
    if (mask := row.character_mask_config) is not None:
        character = mask.masking_character or "*"
        return Transformation(rule, "character_mask", info_types, lambda value, *_: character * len(value))
    if (hashing := row.crypto_hash_config) is not None:
        keys.key(hashing)
        return Transformation(rule, "crypto_hash", info_types, lambda value, *_: keys.crypto_hash(hashing, value))
    if (shifting := row.date_shift_config) is not None:
        keys.key(shifting)
        return Transformation(
            rule,
            "date_shift",
            info_types,
            lambda value, info_type, patient: _shifted(value, info_type, keys.date_shift_days(shifting, patient)),
        )
    return Transformation(rule, "redact", info_types, _redact)


def _defaults(keys: KeyRing) -> list[Transformation]:
    from airflow_healthcare_deid.config import DateShiftConfig

    shifting = DateShiftConfig()
    actions: dict[str, Apply] = {
        "redact": _redact,
        "replace_with_info_type": _replace_with_info_type,
        "date_shift": lambda value, info_type, patient: _shifted(
            value, info_type, keys.date_shift_days(shifting, patient)
        ),
    }
    return [
        Transformation(
            f"rules/text.yaml default_transformations[{index}]",
            row["transformation"],
            None if row["info_types"] == "any" else frozenset(row["info_types"]),
            actions[row["transformation"]],
        )
        for index, row in enumerate(load_rules("text")["default_transformations"]["rows"])
    ]


def _redact(_value: str, _info_type: str, _patient_key: str) -> str:
    return ""


def _replace_with_info_type(_value: str, info_type: str, _patient_key: str) -> str:
    return f"[{info_type}]"


def _shifted(value: str, info_type: str, days: int) -> str | None:
    return shift_date(value, days) if info_type in DATE_TYPES else None
