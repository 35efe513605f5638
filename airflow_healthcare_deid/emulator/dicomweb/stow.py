"""STOW-RS (PS3.18 section 10.5): taking files into a store, and the account of it in the DICOM JSON model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.state import State

# FailureReason (0008,1197), PS3.18 table I.2-2.
PROCESSING_FAILURE = 0x0110
CANNOT_UNDERSTAND = 0xC000


class Account(msgspec.Struct):
    """What became of the files of one request.

    :param stored: items of ReferencedSOPSequence.
    :param failed: items of FailedSOPSequence.
    """

    stored: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []

    def model(self, study_url: str | None) -> dict[str, Any]:
        """Return the account as a data set (PS3.18 annex I.2).

        :param study_url: where the study is, if all went into one.
        """
        model: dict[str, Any] = {}
        if study_url:
            model["00081190"] = {"vr": "UR", "Value": [study_url]}
        if self.failed:
            model["00081198"] = {"vr": "SQ", "Value": self.failed}
        if self.stored:
            model["00081199"] = {"vr": "SQ", "Value": self.stored}
        return model


def store_files(state: State, store: int, files: Sequence[Path], base_url: str, study: str | None) -> Account:
    """Take files into a store; those that can't be taken stay where they are.

    :param store: key of the DICOM store.
    :param base_url: URL of the store's DICOMweb service.
    :param study: the only study that the request may add to.
    """
    account = Account()
    # They are read in any order, and stored in that of the request: a search answers the oldest first.
    places = {path: place for place, path in enumerate(files)}
    for path, found in sorted(state.reader.index(files), key=lambda read: places[read[0]]):
        if isinstance(found, str):
            account.failed.append(_failure(None, CANNOT_UNDERSTAND, found))
        elif study is not None and found.study != study:
            account.failed.append(_failure(found, PROCESSING_FAILURE, "The instance is of another study."))
        elif not all(state.instances.add(store, [(found, path)])):
            account.failed.append(_failure(found, PROCESSING_FAILURE, "already exists"))
        else:
            url = f"{base_url}/studies/{found.study}/series/{found.series}/instances/{found.sop}"
            account.stored.append({**_reference(found), "00081190": {"vr": "UR", "Value": [url]}})
    return account


def _reference(record: InstanceRecord) -> dict[str, Any]:
    sop_class = record.attributes.get("00080016", {}).get("Value", [])
    return {
        "00081150": {"vr": "UI", "Value": sop_class} if sop_class else {"vr": "UI"},
        "00081155": {"vr": "UI", "Value": [record.sop]},
    }


def _failure(record: InstanceRecord | None, reason: int, detail: str) -> dict[str, Any]:
    return {
        "00090010": {"vr": "LO", "Value": ["GOOGLE"]},
        "00081197": {"vr": "US", "Value": [reason]},
        "00091097": {"vr": "UT", "Value": [detail]},
        **(_reference(record) if record else {}),
    }
