"""Single elements of a data set, as they are written: for an index, which need not decode the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from airflow_healthcare_deid.engine.dicom.actions import KEEP, MAYBE_ITEMS, Tables
from airflow_healthcare_deid.engine.dicom.encoding import UNDEFINED
from airflow_healthcare_deid.engine.dicom.values import Constants, Replacements
from airflow_healthcare_deid.engine.dicom.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from airflow_healthcare_deid.engine.dicom.actions import ActionTable, Policy
    from airflow_healthcare_deid.engine.dicom.part10 import Part10

PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""FloatPixelData, DoubleFloatPixelData, PixelData."""


class Collected(NamedTuple):
    """What was found at the top level of a data set.

    :param elements: by tag, each from its header to its end.
    :param pixels: where the value of the first element with pixels starts, if there is one.
    """

    elements: dict[int, bytes]
    pixels: int | None


class Collector:
    """Takes elements out of one data set after the other.

    :param wanted: their tags.
    """

    def __init__(self, wanted: AbstractSet[int]) -> None:
        self._wanted = wanted | PIXELS
        self._tables = Tables()
        self._values = Replacements(Constants())

    def collect(self, file: Part10) -> Collected:
        """Return the elements of a data set.

        :raises UndecodableError: when it is malformed.
        """
        walk = _CollectingWalk(file.body, self._tables, self._values, self._wanted)
        walk.parts(file.start, self._tables.get(self, file.encoding))
        return Collected(walk.elements, walk.pixels)

    def decide(self, tag: int) -> int:
        return MAYBE_ITEMS if tag in self._wanted else KEEP

    def inside(self, tag: int, action: int) -> Policy:
        return self

    def rule(self, tag: int) -> str:
        return ""


class _CollectingWalk(Walk):
    """Changes nothing; what is wanted is not simply kept, so that it passes through `_element`."""

    def __init__(self, data: bytes, tables: Tables, values: Replacements, wanted: AbstractSet[int]) -> None:
        super().__init__(data, tables, values)
        self._wanted = wanted
        self.elements: dict[int, bytes] = {}
        self.pixels: int | None = None

    def _element(
        self, action: int, tag: int, vr: bytes, start: int, value: int, length: int, end: int, table: ActionTable
    ) -> tuple[int, int]:
        if (
            length != UNDEFINED
        ):  # what is inside is of no interest; `_data_set` sees to it that it does not reach too far
            behind, growth = value + length, 0
        else:
            behind, growth = super()._element(action, tag, vr, start, value, length, end, table)
        if self._depth == 1 and tag in self._wanted:
            if tag not in PIXELS:
                self.elements[tag] = self._data[start:behind]
            elif self.pixels is None:
                self.pixels = value
        return behind, growth
