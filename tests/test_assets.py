from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_healthcare_deid.assets import (
    asset_uri,
    convert_asset_to_openlineage,
    create_asset,
    healthcare_asset,
    sanitize_uri,
)
from airflow_healthcare_deid.errors import InvalidResourceNameError

DATASET = "projects/p1/locations/us-central1/datasets/d"


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        (DATASET, "healthcare://p1/us-central1/d"),
        (f"{DATASET}/dicomStores/ct", "healthcare://p1/us-central1/d/dicomStores/ct"),
        (f"{DATASET}/fhirStores/ehr", "healthcare://p1/us-central1/d/fhirStores/ehr"),
    ],
)
def test_a_name_becomes_a_uri_and_openlineage_knows_it(name: str, uri: str) -> None:
    asset = healthcare_asset(name, extra={"success": 3})
    assert (asset.uri, asset.extra) == (uri, {"success": 3})
    assert sanitize_uri(urlsplit(uri)) == urlsplit(uri)
    dataset = convert_asset_to_openlineage(asset, None)
    assert (dataset.namespace, dataset.name) == ("healthcare://p1", uri.removeprefix("healthcare://p1/"))


def test_the_factory_takes_parts() -> None:
    parts: dict[str, Any] = {"project": "p1", "location": "us-central1", "dataset": "d"}
    assert create_asset(**parts).uri == asset_uri(DATASET)
    assert create_asset(**parts, dicom_store="ct").uri == asset_uri(f"{DATASET}/dicomStores/ct")
    assert create_asset(**parts, fhir_store="ehr").uri == asset_uri(f"{DATASET}/fhirStores/ehr")


@pytest.mark.parametrize(
    "uri",
    ["healthcare://p1", "healthcare://p1/us-central1", "healthcare:///us-central1/d", "healthcare://p1/a/b/c/d/e"],
)
def test_another_form_is_refused(uri: str) -> None:
    with pytest.raises(InvalidResourceNameError, match="healthcare_asset"):
        sanitize_uri(urlsplit(uri))


def test_a_malformed_name_is_refused() -> None:
    with pytest.raises(InvalidResourceNameError, match="projects/P"):
        healthcare_asset("d")
