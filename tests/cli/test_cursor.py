from __future__ import annotations

import contextlib
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.cli.cursor import build_request
from airflow_healthcare_deid.config import DeidentifyDatasetRequest, DeidentifyFhirStoreRequest
from airflow_healthcare_deid.errors import InvalidRequestError

REFERENCE = (
    ".config.dicom filter-profile=KEEP_ALL_PROFILE keep-list tags=PatientID ..remove-list tags=PatientName .. "
    "skip-id-redaction=true ..fhir default-keep-extensions=true ..image text-redaction-mode=REDACT_ALL_TEXT ..text "
    "exclude-info-types=LOCATION .. use-regional-data-processing=false .. destination-dataset=d gcs-config-uri=g"
)


def build(arguments: str) -> dict[str, Any]:
    return build_request(DeidentifyDatasetRequest, shlex.split(arguments))


def test_the_reference_run_builds_the_whole_request() -> None:
    assert build(REFERENCE) == {
        "config": {
            "dicom": {
                "filterProfile": "KEEP_ALL_PROFILE",
                "keepList": {"tags": ["PatientID"]},
                "removeList": {"tags": ["PatientName"]},
                "skipIdRedaction": True,
            },
            "fhir": {"defaultKeepExtensions": True},
            "image": {"textRedactionMode": "REDACT_ALL_TEXT"},
            "text": {"excludeInfoTypes": ["LOCATION"]},
            "useRegionalDataProcessing": False,
        },
        "destinationDataset": "d",
        "gcsConfigUri": "g",
    }


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (".config.fhir", {"config": {"fhir": {}}}),
        ("config.dicom.skip-id-redaction=false", {"config": {"dicom": {"skipIdRedaction": False}}}),
        ("config.dicom keep-list.tags=A keep-list.tags=B", {"config": {"dicom": {"keepList": {"tags": ["A", "B"]}}}}),
        (".config.dicom.keep-list tags=A ...fhir", {"config": {"dicom": {"keepList": {"tags": ["A"]}}, "fhir": {}}}),
        (".config.dicom . gcs-config-uri=g", {"config": {"dicom": {}}, "gcsConfigUri": "g"}),
        (".config.dicom .config.image", {"config": {"dicom": {}, "image": {}}}),
        (".config.dicom..fhir", {"config": {"fhir": {}}}),
        (
            ".config.dicom.keep-list...fhir default-keep-extensions=no",
            {"config": {"fhir": {"defaultKeepExtensions": False}}},
        ),
        (
            ".config.dicom.. image.text-redaction-mode=REDACT_NO_TEXT",
            {"config": {"image": {"textRedactionMode": "REDACT_NO_TEXT"}}},
        ),
        ("gcs-config-uri=a=b", {"gcsConfigUri": "a=b"}),
        ("gcsConfigUri=g", {"gcsConfigUri": "g"}),
    ],
)
def test_the_cursor_moves(arguments: str, request_: dict[str, Any]) -> None:
    assert build(arguments) == request_


def test_each_request_has_its_own_fields() -> None:
    arguments = ["resource-filter.resources.resources=Patient/1", "skip-modified-resources=yes"]
    assert build_request(DeidentifyFhirStoreRequest, arguments) == {
        "resourceFilter": {"resources": {"resources": ["Patient/1"]}},
        "skipModifiedResources": True,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (".config ...fhir", "leads above the top of the request from config. Use fewer dots"),
        ("..", "leads above the top"),
        ("config...fhir", "leads above the top of the request from config"),
        ("config.dicom.", "ends with a dot"),
        (".config.dicom filter-profil=X", "Did you mean filter-profile?"),
        (".konfig", "Did you mean config?"),
        (".config.dicom filter-profile=KEEP_AL_PROFILE", "Did you mean KEEP_ALL_PROFILE?"),
        (".config.dicom skip-id-redaction=maybe", "config.dicom.skipIdRedaction: is neither true nor false"),
        (".config.fhir.field-metadata-list", "is a list of messages"),
        (".config.text additional-transformations=x", "use --config"),
        ("config=x", "is a message, not a value"),
        ("gcs-config-uri=a gcs-config-uri=b", "is set twice"),
        ("gcs-config-uri.x=a", "holds a value and has no fields"),
        ("=x", "names no field"),
        (".=x", "names no field"),
    ],
)
def test_a_mistake_is_named_with_the_way_out(arguments: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as error:
        build(arguments)
    assert message in str(error.value)


@given(st.lists(st.text(alphabet=".=-abcdefgimnoprstx", max_size=30), max_size=5))
def test_any_arguments_build_a_request_or_are_refused(arguments: list[str]) -> None:
    with contextlib.suppress(InvalidRequestError):
        assert isinstance(build_request(DeidentifyDatasetRequest, arguments), dict)
