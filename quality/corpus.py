"""The whole set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from quality.dicom_set import Instance, make_instances
from quality.fhir_set import make_resources
from quality.people import Inventor

if TYPE_CHECKING:
    from quality.plants import Kept, Plant


@dataclass(frozen=True)
class Corpus:
    """Instances and resources, and the truth about them.

    :param instances: by name.
    :param resources: by name.
    :param plants: every identifier that was planted.
    :param kept: every element that has to stay as it is.
    """

    instances: dict[str, Instance]
    resources: dict[str, dict[str, Any]]
    plants: tuple[Plant, ...]
    kept: tuple[Kept, ...]


@lru_cache(maxsize=1)
def make_corpus(seed: int = 1) -> Corpus:
    """Return the set that belongs to a seed."""
    instances, in_instances, kept_in_instances = make_instances(Inventor(seed))
    resources, in_resources, kept_in_resources = make_resources()
    return Corpus(
        {instance.name: instance for instance in instances},
        resources,
        (*in_instances, *in_resources),
        (*kept_in_instances, *kept_in_resources),
    )
