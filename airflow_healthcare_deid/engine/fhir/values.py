"""What becomes of one value: the transformations of a `TextConfig`, applied to a FHIR type."""

from __future__ import annotations

import base64
import re
import uuid
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config import CryptoHashConfig
from airflow_healthcare_deid.engine.fhir.narrative import (
    Replacement,
    UnreadableNarrativeError,
    narrative_of,
    narrative_text,
    transform_narrative,
)
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text.info_types import DATE_TYPES
from airflow_healthcare_deid.engine.text.transformations import Transformation, transformations

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.config import TextConfig
    from airflow_healthcare_deid.engine.keys import KeyRing
    from airflow_healthcare_deid.engine.text import RecordIdentifiers, TextDeidentifier

_YEAR = re.compile(r"\d{4}")
_YEAR_AND_MONTH = re.compile(r"\d{4}-\d{2}")


class ValueTransformer:
    """Transforms values whole, or what is found in them.

    :param config: what to do with which infoType; None for the defaults of `rules/text.yaml`.
    :param keys: the keys of the operation.
    :param text: finds identifiers in text; None when no field is to be searched.
    :raises EngineError: when a key cannot be resolved.
    """

    def __init__(self, config: TextConfig | None, keys: KeyRing, text: TextDeidentifier | None) -> None:
        rules = load_rules("fhir_paths")
        self._keys = keys
        self._text = text
        self._transformations = transformations(config, keys)
        self._excluded = frozenset((config and config.exclude_info_types) or ())
        self._limits: dict[str, frozenset[str]] = {
            action: frozenset(types) for action, types in rules["transformations"].items() if action != "source"
        }
        self._dates: dict[str, str] = rules["dates"]
        self._id_config = next(
            (
                row.crypto_hash_config
                for rows in (config and (config.additional_transformations, config.transformations)) or ()
                for row in rows or ()
                if row.crypto_hash_config is not None and not row.info_types
            ),
            CryptoHashConfig(),
        )

    def chosen(self, info_type: str) -> Transformation | None:
        """Return the transformation for an infoType, empty for a field without one; None when it is excluded."""
        if info_type in self._excluded:
            return None
        # A birth date without a rule of its own is a date.
        names = (info_type, "DATE") if info_type in DATE_TYPES else (info_type,)
        return next(one for one in self._transformations if any(map(one.fits, names)))

    def whole(
        self, value: object, fhir_type: str, info_type: str, patient_key: str, *, label: bool = False
    ) -> object | None:
        """Return a value transformed as a whole, or None when it is to be removed.

        :param fhir_type: its type, upper-case, as in the rule table.
        :param info_type: what it is, empty when that is not known.
        :param patient_key: what date shifts are fixed for.
        :param label: whether ``replaceWithInfoTypeConfig`` leaves the infoType, as in a search, or erases.
        """
        chosen = self.chosen(info_type)
        if chosen is None:
            return value
        applicable = chosen.action not in self._limits or fhir_type in self._limits[chosen.action]
        if not isinstance(value, str) or not applicable or chosen.action == "redact":
            return None
        if fhir_type == "Xhtml":
            return self._whole_narrative(value, chosen, info_type, patient_key)
        if chosen.action == "date_shift":
            return self._shifted(value, chosen, patient_key)
        if chosen.action == "replace_with_info_type":
            return f"[{info_type}]" if label and info_type and fhir_type in ("String", "Markdown") else None
        new = chosen.apply(value, info_type, patient_key)
        if chosen.action == "crypto_hash" and new is not None:
            return _in_grammar(new, fhir_type)
        return new or None

    def found(
        self,
        value: object,
        fhir_type: str,
        record: RecordIdentifiers | None,
        patient_key: str,
        heard: list[str] | None = None,
    ) -> object | None:
        """Return a value with what is found in it transformed, or None when nothing of it may stay.

        :param record: the identifiers of the patient whom it is about.
        :param heard: is made to hold the infoTypes of what is found.
        """
        hear = None
        if heard is not None:
            heard.clear()
            hear = heard.append
        if not isinstance(value, str):
            return value
        assert self._text is not None
        if fhir_type == "Xhtml":
            try:
                return transform_narrative(value, lambda text: self._replacements(text, record, patient_key, hear))
            except UnreadableNarrativeError:
                return None
        if fhir_type in ("Id", "Oid", "Uuid"):
            found = self._text.inspect(value, record)
            if hear is not None:
                for finding in found:
                    hear(finding.info_type)
            return None if found else value
        observer = None if hear is None else lambda change: hear(change.info_type or "")
        new = self._text.transform(value, record, patient_key, observer)
        return new if new.strip() else None

    def id_of(self, value: str) -> str:
        """Return what takes the place of a resource's id: equal for equal ids, and a valid id."""
        return _in_grammar(self._keys.crypto_hash(self._id_config, value), "Id")

    def uuid_of(self, value: str) -> str:
        """Return what takes the place of a UUID: equal for equal ones."""
        return _in_grammar(self._keys.crypto_hash(self._id_config, value), "Uuid")

    def _replacements(
        self, text: str, record: RecordIdentifiers | None, patient_key: str, hear: Callable[[str], None] | None
    ) -> list[Replacement]:
        assert self._text is not None
        found = []
        for finding in self._text.inspect(text, record) if text.strip() else ():
            chosen = self.chosen(finding.info_type)
            assert chosen is not None
            if hear is not None:
                hear(finding.info_type)
            new = chosen.apply(text[finding.start : finding.end], finding.info_type, patient_key)
            found.append(Replacement(finding.start, finding.end, new or ""))
        return found

    def _whole_narrative(self, xhtml: str, chosen: Transformation, info_type: str, patient_key: str) -> str | None:
        try:
            new = chosen.apply(narrative_text(xhtml), info_type, patient_key)
        except UnreadableNarrativeError:
            return None
        return narrative_of(new) if new and chosen.action != "replace_with_info_type" else None

    def _shifted(self, value: str, chosen: Transformation, patient_key: str) -> str | None:
        """Return a date, dateTime or instant shifted, as precise as it was."""
        day = value
        if _YEAR.fullmatch(value):
            day += self._dates["missing_month_and_day"]
        elif _YEAR_AND_MONTH.fullmatch(value):
            day += self._dates["missing_day"]
        shifted = chosen.apply(day, "DATE", patient_key)
        return shifted and shifted[: len(value)]


def _in_grammar(base64_hash: str, fhir_type: str) -> str:
    """Return a hash as its type has to be written."""
    digest = base64.b64decode(base64_hash)
    if fhir_type == "Id":
        return digest.hex()
    if fhir_type == "Uuid":
        return uuid.UUID(bytes=digest[:16], version=4).urn
    if fhir_type == "Oid":
        return f"urn:oid:2.25.{int.from_bytes(digest[:16], 'big')}"
    return base64_hash
