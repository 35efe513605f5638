"""Filter files: which instances of a store an operation takes (discovery document, ``DicomFilterConfig``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.gcs import read_gcs

if TYPE_CHECKING:
    from collections.abc import Callable

    Uids = tuple[str, str, str]
    InstanceFilter = Callable[[Uids], bool]
    """Takes the UIDs of study, series and instance."""

_FIELD = "filterConfig.resourcePathsGcsUri"
_LINE = re.compile(r"/studies/([0-9.]{1,64})(?:/series/([0-9.]{1,64})(?:/instances/([0-9.]{1,64}))?)?")


def everything(_: Uids) -> bool:
    """Take every instance."""
    return True


def read_filter(uri: str) -> InstanceFilter:
    """Read a filter file from Cloud Storage.

    :param uri: ``filterConfig.resourcePathsGcsUri``.
    :raises ServiceError: if the object can't be read, or a line is no path.
    """
    return parse_filter(read_gcs(uri, _FIELD).decode("utf-8", "replace"))


def parse_filter(text: str) -> InstanceFilter:
    """Read the lines ``/studies/{uid}[/series/{uid}[/instances/{uid}]]`` of a filter file; empty lines are passed over.

    :raises ServiceError: 400 naming the first line that is no such path.
    """
    wanted: set[tuple[str, ...]] = set()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise invalid(f"Line {number} of the filter file is no path of a study, series or instance.", field=_FIELD)
        wanted.add(tuple(uid for uid in match.groups() if uid))
    return lambda uids: any(uids[:length] in wanted for length in (1, 2, 3))
