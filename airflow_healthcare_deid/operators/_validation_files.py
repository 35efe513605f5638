"""What a validation reads from Cloud Storage: the config and the filter file of the de-identification."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config import load_config
from airflow_healthcare_deid.errors import ConfigError, InvalidRequestError

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import DeidentifyConfig
    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook

_STUDY = re.compile(r"/studies/([0-9.]{1,64})(/.*)?")


def read_config(hook: HealthcareHook, uri: str) -> DeidentifyConfig:
    """Read a config, as ``gcsConfigUri`` names it.

    :raises ConfigError: if it is wrong.
    """
    try:
        return load_config(_read(hook, uri).decode())
    except UnicodeDecodeError:
        raise ConfigError("gcs_config_uri", "names a file that is not UTF-8 text") from None


def read_studies(hook: HealthcareHook, uri: str) -> tuple[frozenset[str], bool]:
    """Read the StudyInstanceUIDs of a filter file, as ``resourcePathsGcsUri`` names it.

    :return: the UIDs, and whether the file names nothing but whole studies.
    :raises InvalidRequestError: if a line is no resource path.
    """
    lines = [line.strip() for line in _read(hook, uri).decode("utf-8", "replace").splitlines()]
    found = [_STUDY.fullmatch(line) for line in lines if line]
    if wrong := found.count(None):
        raise InvalidRequestError("resource_paths_gcs_uri", f"{wrong} lines are no resource paths", "Use /studies/UID")
    return frozenset(match[1] for match in found if match), not any(match[2] for match in found if match)


def _read(hook: HealthcareHook, uri: str) -> bytes:
    from airflow_healthcare_deid.hooks.storage import GcsFiles

    return GcsFiles(hook).read(uri)
