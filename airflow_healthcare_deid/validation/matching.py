"""Which instance of the destination was made from which of the source.

Where UIDs were kept or replaced by the known derivation, the UID tells. Otherwise the structure does: what no profile
touches and what is unlike all others. What stays unmatched is said in the report.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.uids import derive_uid
from airflow_healthcare_deid.validation.dicom_json import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, text
from airflow_healthcare_deid.validation.sides import DicomJson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# SOPClassUID, InstanceNumber, NumberOfFrames, Rows, Columns, BitsAllocated, BitsStored, PixelRepresentation,
# PhotometricInterpretation
_STRUCTURE = (
    "00080016",
    "00200013",
    "00280008",
    "00280010",
    "00280011",
    "00280100",
    "00280101",
    "00280103",
    "00280004",
)


class Matches(msgspec.Struct, frozen=True):
    """Pairs of instances, and how many of the source have no partner that can be proven."""

    pairs: tuple[tuple[DicomJson, DicomJson], ...]
    unmatched: int


def match_instances(source: Sequence[DicomJson], destination: Sequence[DicomJson], *, whole: bool) -> Matches:
    """Pair the instances of two sides of one store.

    :param whole: whether this is all of both sides. Of samples, two instances that are unlike all others may have been
        made from different ones.
    """
    by_uid = {text(instance, SOP_INSTANCE_UID): instance for instance in destination}
    pairs: list[tuple[DicomJson, DicomJson]] = []
    left: list[DicomJson] = []
    for instance in source:
        uid = text(instance, SOP_INSTANCE_UID)
        partner = by_uid.pop(uid, None) or by_uid.pop(derive_uid(uid), None)
        if partner is None:
            left.append(instance)
        else:
            pairs.append((instance, partner))
    if whole:
        pairs.extend(_by_structure(left, list(by_uid.values())))
    return Matches(tuple(pairs), len(source) - len(pairs))


def _by_structure(
    source: Sequence[DicomJson], destination: Sequence[DicomJson]
) -> Iterable[tuple[DicomJson, DicomJson]]:
    ours, theirs = _signatures(source), _signatures(destination)
    once = Counter(ours.values()), Counter(theirs.values())
    by_signature = {signature: destination[index] for index, signature in theirs.items()}
    for index, signature in ours.items():
        if once[0][signature] == once[1][signature] == 1:
            yield source[index], by_signature[signature]


def _signatures(instances: Sequence[DicomJson]) -> dict[int, tuple[str, ...]]:
    series_size = Counter(text(instance, SERIES_INSTANCE_UID) for instance in instances)
    return {
        index: (*(text(instance, tag) for tag in _STRUCTURE), str(series_size[text(instance, SERIES_INSTANCE_UID)]))
        for index, instance in enumerate(instances)
    }
