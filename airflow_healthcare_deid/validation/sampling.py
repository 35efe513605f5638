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
    :param seed: seed of the choice.
    """

    size: int | None = 25
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise InvalidRequestError("sample_size", "is below 1", "Use a positive number, or None for everything")

    def draw(self, names: Iterable[T]) -> list[T]:
        """Choose among names; the same seed and names give the same choice."""
        known = sorted(names)
        if self.size is None or len(known) <= self.size:
            return known
        return sorted(random.Random(self.seed).sample(known, self.size))  # noqa: S311  a sample, not a secret


class Tally(msgspec.Struct):
    """How much was looked into, of how much there is."""

    studies: int = 0
    studies_looked_into: int = 0
    instances_unmatched: int = 0
    patients: int = 0
    patients_looked_into: int = 0
