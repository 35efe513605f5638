"""De-identifies text: finds what tells of a person, and transforms it as a `TextConfig` asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.engine.changes import Change
from airflow_healthcare_deid.engine.text.findings import Finding, merge
from airflow_healthcare_deid.engine.text.info_types import DATE_TYPES, info_type_ranks, select
from airflow_healthcare_deid.engine.text.patterns import find_patterns, require_regex
from airflow_healthcare_deid.engine.text.plain import plain_text
from airflow_healthcare_deid.engine.text.transformations import Transformation, transformations

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import TextConfig
    from airflow_healthcare_deid.engine.changes import Observer
    from airflow_healthcare_deid.engine.keys import KeyRing
    from airflow_healthcare_deid.engine.text.record import RecordIdentifiers


class TextDeidentifier:
    """Finds and transforms identifiers in text.

    The identifiers of the patient's own record are always looked for. Others are recognized by pattern, which needs
    the extra ``text``. Safe to use from several threads, and picklable.

    :param config: what to look for and what to do with it; None for the defaults of `rules/text.yaml`.
    :param keys: the keys of the operation.
    :param detect: whether to look for more than the record's own identifiers.
    :raises MissingPartError: when ``detect`` is set and the extra ``text`` is not installed.
    :raises EngineError: when the configuration names an infoType that does not exist, or a key that cannot be used.
    """

    def __init__(self, config: TextConfig | None, keys: KeyRing, *, detect: bool = True) -> None:
        self._config = config
        self._keys = keys
        self._detect = detect
        self._selection = select(config)
        self._transformations = transformations(config, keys)
        if detect:
            require_regex()

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self._config, self._keys, self._detect)

    @property
    def not_looked_for(self) -> tuple[str, ...]:
        """InfoTypes that the configuration names and Google finds, but the emulator does not."""
        return self._selection.not_looked_for

    def inspect(self, text: str, record: RecordIdentifiers | None = None, *, defaults: bool = False) -> list[Finding]:
        """Return what is recognized in a text, in order, without overlaps and without excluded infoTypes.

        :param text: any text.
        :param record: the identifiers of the patient whom the text is about.
        :param defaults: look for the default infoTypes, whatever the configuration names or excludes: what
            ``REDACT_SENSITIVE_TEXT`` does.
        :raises UndecodableError: when a search exceeds its time limit.
        """
        if not text:
            return []
        plain = plain_text(text)
        found = list(record.find(plain.text)) if record is not None else []
        selection = select(None) if defaults else self._selection
        if self._detect or defaults:
            found += find_patterns(plain.text, selection.looked_for)
        excluded = selection.excluded
        return merge(
            (plain.in_original(one) for one in found if one.info_type not in excluded),
            info_type_ranks(),
        )

    def transform(
        self,
        text: str,
        record: RecordIdentifiers | None,
        patient_key: str,
        observer: Observer | None = None,
        path: str = "",
    ) -> str:
        """Return a text with everything recognized in it transformed.

        :param text: any text.
        :param record: the identifiers of the patient whom the text is about.
        :param patient_key: what date shifts are fixed for: the patient's id, or the study's UID where there is none.
        :param observer: is told of every finding.
        :param path: where the text stands, for the observer.
        :raises UndecodableError: when a search exceeds its time limit.
        """
        findings = self.inspect(text, record)
        if not findings:
            return text
        parts: list[str] = []
        position = 0
        for finding in findings:
            value = text[finding.start : finding.end]
            action, rule, new = self._transformed(value, finding.info_type, patient_key)
            if observer is not None:
                observer(Change(path, action, rule, value, new, finding.info_type))
            parts += (text[position : finding.start], new)
            position = finding.end
        return "".join((*parts, text[position:]))

    def transform_value(self, value: str, info_type: str, patient_key: str, *, label: bool = False) -> str:
        """Return a whole value, known to be of one infoType, transformed.

        :param value: the value; spaces around it are kept by a date shift only.
        :param info_type: what it is.
        :param patient_key: what date shifts are fixed for.
        :param label: whether `replaceWithInfoTypeConfig` leaves ``[INFO_TYPE]``. By default it erases, as Google
            documents for the FHIR action ``TRANSFORM``.
        """
        if not value or info_type in self._selection.excluded:
            return value
        action, _, new = self._transformed(value, info_type, patient_key)
        return "" if action == "replace_with_info_type" and not label else new

    def _transformed(self, value: str, info_type: str, patient_key: str) -> tuple[str, str, str]:
        chosen = self._transformation(info_type)
        new = chosen.apply(value, info_type, patient_key)
        if new is None:
            return "redact", chosen.rule, ""
        return chosen.action, chosen.rule, new

    def _transformation(self, info_type: str) -> Transformation:
        # A birth date without a rule of its own is a date.
        names = (info_type, "DATE") if info_type in DATE_TYPES else (info_type,)
        return next(one for one in self._transformations if any(map(one.fits, names)))


def _restored(config: TextConfig | None, keys: KeyRing, detect: bool) -> TextDeidentifier:
    return TextDeidentifier(config, keys, detect=detect)
