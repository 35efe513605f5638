"""The walk that tells of every change: for a preview on the user's own machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.tags import tag_keyword
from airflow_healthcare_deid.engine.changes import Change
from airflow_healthcare_deid.engine.dicom.actions import NAMES
from airflow_healthcare_deid.engine.dicom.charset import decode
from airflow_healthcare_deid.engine.dicom.contents import IN_CHARACTER_SET
from airflow_healthcare_deid.engine.dicom.walk import Walk

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.changes import Observer
    from airflow_healthcare_deid.engine.dicom.actions import ActionTable, Tables
    from airflow_healthcare_deid.engine.dicom.values import Replacements

_IN_ASCII = frozenset({b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"TM", b"UI", b"UR"})


class ObservedWalk(Walk):
    """A walk that reports what it changes.

    :param data: bytes that hold the data set.
    :param tables: the decisions.
    :param values: supplies replacements.
    :param observer: hears of every change.
    """

    watched = True

    def __init__(self, data: bytes, tables: Tables, values: Replacements, observer: Observer) -> None:
        super().__init__(data, tables, values)
        self._replacements = values
        self._observer = observer
        self._path: list[tuple[int, int]] = []
        self._changes: list[Change] = []

    def parts(self, start: int, table: ActionTable) -> list[bytes | memoryview]:
        parts = super().parts(start, table)
        for change in self._changes:
            self._observer(change)
        return parts

    def _tell(self, action: int, tag: int, vr: bytes, before: bytes, after: bytes | None, table: ActionTable) -> None:
        if not tag & 0xFFFF:
            return  # a group length is no value of the record
        path = "".join(f"{tag_keyword(sequence)}[{index}]." for sequence, index in self._path) + tag_keyword(tag)
        self._changes.append(change_of(path, action, table.policy.rule(tag), vr, before, after, self._replacements))

    def _sequence(self, tag: int, value: int, length: int, end: int, table: ActionTable) -> tuple[int, int]:
        self._path.append((tag, -1))
        result = super()._sequence(tag, value, length, end, table)
        self._path.pop()
        return result

    def _item(self, pos: int, length: int, end: int, table: ActionTable) -> tuple[int, int]:
        tag, index = self._path[-1]
        self._path[-1] = tag, index + 1
        return super()._item(pos, length, end, table)

    def _state(self) -> tuple[int, ...]:
        return *super()._state(), len(self._path), len(self._changes)

    def _restore(self, state: tuple[int, ...]) -> None:
        super()._restore(state[:-2])
        del self._path[state[-2] :], self._changes[state[-1] :]


def change_of(
    path: str, action: int, rule: str, vr: bytes, before: bytes, after: bytes | None, values: Replacements
) -> Change:
    """Return the change of one element, with its values as a person reads them."""
    info_type = ", ".join(dict.fromkeys(values.info_types)) if NAMES[action] == "transform" else ""
    return Change(
        path=path,
        action=NAMES[action],
        rule=rule,
        before=_readable(vr, before, values.character_sets),
        after=None if after is None else _readable(vr, after, values.character_sets),
        info_type=info_type or None,
    )


def _readable(vr: bytes, value: bytes, character_sets: bytes) -> str | None:
    if vr in _IN_ASCII:
        return value.strip(b" \0").decode("ascii", "replace")
    if vr not in IN_CHARACTER_SET:
        return None
    text = decode(value, character_sets)
    return text if text is None else text.strip(" \0")
