"""Reading a DICOM store over DICOMweb: search, metadata, frames.

https://cloud.google.com/healthcare-api/docs/dicom, the conformance statement.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.errors import PermissionOrNotFoundError, RejectedRequestError
from airflow_healthcare_deid.hooks._content import check_uid, get_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.resource_names import DicomStoreName

DICOM_JSON = "application/dicom+json"
PAGE_SIZE = 5000
"""Most studies that the service returns at once."""
FRAMES_AT_ONCE = 16
FORBIDDEN = 403

Instance = dict[str, Any]


class DicomWeb:
    """Reads one store.

    :param hook: calls the service.
    :param store: what to read.
    """

    def __init__(self, hook: HealthcareHook, store: DicomStoreName) -> None:
        self._hook = hook
        self._store = store

    def search_studies(self, query: Mapping[str, str] | None = None, *, page_size: int = PAGE_SIZE) -> Iterator[str]:
        """Yield the StudyInstanceUIDs that match, page by page (QIDO-RS).

        :param query: attributes and the values to match, such as ``{"StudyDate": "20260101-20260131"}``.
        :param page_size: studies asked for at once, at most 5000.
        """
        offset = 0
        while True:
            page = self._search("dicomWeb/studies", {**(query or {}), "limit": page_size, "offset": offset})
            yield from (str(study["0020000D"]["Value"][0]) for study in page)
            offset += len(page)
            if len(page) < page_size:
                return

    def metadata(self, study: str) -> list[Instance]:
        """Return the instances of a study in the DICOM JSON model, without bulk data (WADO-RS)."""
        content = get_content(
            self._hook,
            "datasets.dicomStores.studies.retrieveMetadata",
            self._store,
            f"dicomWeb/studies/{check_uid(study)}/metadata",
            accept=DICOM_JSON,
        )
        return _instances(content.body) if content else []

    def frames_digest(self, study: str, series: str, sop: str, frames: int, *, decoded: bool) -> str | None:
        """Return the SHA-256 over the frames of an instance, or None if the service cannot deliver them.

        :param frames: how many there are.
        :param decoded: as Explicit VR Little Endian instead of as stored.
        """
        uids = (check_uid(uid) for uid in (study, series, sop))
        path = "dicomWeb/studies/{}/series/{}/instances/{}/frames/".format(*uids)
        syntax = "1.2.840.10008.1.2.1" if decoded else "*"
        digest = hashlib.sha256()
        for first in range(1, frames + 1, FRAMES_AT_ONCE):
            numbers = range(first, min(first + FRAMES_AT_ONCE, frames + 1))
            try:
                content = get_content(
                    self._hook,
                    "datasets.dicomStores.studies.series.instances.frames.retrieveFrames",
                    self._store,
                    path + ",".join(map(str, numbers)),
                    accept=f'multipart/related; type="application/octet-stream"; transfer-syntax={syntax}',
                )
            except (RejectedRequestError, PermissionOrNotFoundError) as error:
                if error.status == FORBIDDEN:
                    raise
                return None
            for part in content.parts() if content else ():
                digest.update(len(part).to_bytes(8))
                digest.update(part)
        return digest.hexdigest()

    def _search(self, path: str, query: Mapping[str, str | int]) -> list[Instance]:
        method = "datasets.dicomStores.searchForStudies"
        content = get_content(self._hook, method, self._store, path, query, accept=DICOM_JSON)
        return _instances(content.body) if content else []


def _instances(body: bytes) -> list[Instance]:
    return msgspec.json.decode(body, type=list[dict[str, Any]])
