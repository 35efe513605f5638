"""Shared by the tests of the FHIR engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.config import DeidentifyConfig, FhirAction, FhirConfig, FieldMetadata
from airflow_healthcare_deid.engine.fhir import FhirDeidentifier
from airflow_healthcare_deid.engine.keys import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.config import TextConfig
    from airflow_healthcare_deid.engine.fhir.model import Version

ACTIONS = {
    "keep": FhirAction.DO_NOT_TRANSFORM,
    "unspecified": FhirAction.ACTION_UNSPECIFIED,
    "transform": FhirAction.TRANSFORM,
    "inspect": FhirAction.INSPECT_AND_TRANSFORM,
}
"""Short names of the actions, for rules written as ``("transform", "Patient.name")``."""


@pytest.fixture
def keys() -> KeyRing:
    """The keys of one operation, the same in every run."""
    return KeyRing(b"0123456789abcdef")


@pytest.fixture
def deidentifier(keys: KeyRing) -> Callable[..., FhirDeidentifier]:
    """Makes a de-identifier of rules such as ``("transform", "Patient.name")``."""

    def make(
        *rules: tuple[str, ...],
        keep_extensions: bool | None = None,
        text: TextConfig | None = None,
        version: Version = "R4",
    ) -> FhirDeidentifier:
        listed = [FieldMetadata(action=ACTIONS[action], paths=list(paths)) for action, *paths in rules]
        config = FhirConfig(field_metadata_list=listed or None, default_keep_extensions=keep_extensions)
        return FhirDeidentifier(DeidentifyConfig(fhir=config, text=text), keys, version)

    return make


def validate(resource: dict[str, Any], version: Version) -> None:
    """Fail unless fhir.resources accepts a resource."""
    from importlib import import_module

    package = import_module(f"fhir.resources.{'R4B' if version == 'R4' else version}")
    package.get_fhir_model_class(resource["resourceType"]).model_validate(resource)
