"""How much of the data a validation looks into."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

import msgspec

from airflow_healthcare_deid.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T", bound=str)


class Sampling(msgspec.Struct, frozen=True):
    """A sample that can be drawn again.

    :param size: studies of each DICOM store and patients of each FHIR store to look into; None for all of them.
    :param pixels: instances of each DICOM store whose pixels are compared, of those looked into; None for all.
    :param seed: seed of the choice.
    """

    size: int | None = 25
    seed: int = 0
    pixels: int | None = 50

    def __post_init__(self) -> None:
        for field, value in (("sample_size", self.size), ("pixel_sample_size", self.pixels)):
            if value is not None and value < 1:
                raise InvalidRequestError(field, "is below 1", "Use a positive number, or None for everything")

    def draw(self, names: Iterable[T]) -> list[T]:
        """Choose studies or patients; the same seed and names give the same choice."""
        return self._draw(names, self.size)

    def draw_pixels(self, uids: Iterable[T]) -> list[T]:
        """Choose the instances whose pixels are compared."""
        return self._draw(uids, self.pixels)

    def _draw(self, names: Iterable[T], size: int | None) -> list[T]:
        known = sorted(names)
        if size is None or len(known) <= size:
            return known
        return sorted(random.Random(self.seed).sample(known, size))  # noqa: S311  a sample, not a secret


class Scope(msgspec.Struct, frozen=True):
    """What was de-identified, and what of it is looked into.

    :param sampling: how much to look into.
    :param failed: resources that the operation counted as failed; None if that is not known.
    :param subset: only a part of the source was asked for, or the destination held other data before.
    :param selected: the source side shows just the studies that were asked for.
    :param whole_studies: all of these studies was asked for.
    """

    sampling: Sampling
    failed: int | None = None
    subset: bool = False
    selected: bool = False
    whole_studies: bool = True


class Tally(msgspec.Struct):
    """How much was looked into, of how much there is."""

    studies: int = 0
    studies_looked_into: int = 0
    instances_unmatched: int = 0
    patients: int = 0
    patients_looked_into: int = 0
