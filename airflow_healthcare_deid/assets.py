"""Datasets and stores as Airflow assets, so that DAGs can be scheduled on their de-identification.

The URI is ``healthcare://PROJECT/LOCATION/DATASET``, with ``/dicomStores/STORE`` or ``/fhirStores/STORE`` behind it for
a store. Neither Google nor OpenLineage names a scheme for the Healthcare API; this one is this package's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Asset

from airflow_healthcare_deid.errors import InvalidResourceNameError
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from airflow.providers.common.compat.openlineage.facet import Dataset as OpenLineageDataset

SCHEME = "healthcare"

Name = DatasetName | DicomStoreName | FhirStoreName

_FORM = f"{SCHEME}://PROJECT/LOCATION/DATASET[/dicomStores/STORE | /fhirStores/STORE]"


def asset_uri(name: Name | str) -> str:
    """Return the asset URI of a dataset or store.

    :param name: its resource name, ``projects/P/locations/L/datasets/D`` or that of a store.
    :raises InvalidResourceNameError: if it is no such name.
    """
    parsed = parse_asset_name(name)
    dataset = parsed if isinstance(parsed, DatasetName) else parsed.dataset_name
    uri = f"{SCHEME}://{dataset.project}/{dataset.location}/{dataset.dataset}"
    if isinstance(parsed, DicomStoreName):
        return f"{uri}/dicomStores/{parsed.dicom_store}"
    if isinstance(parsed, FhirStoreName):
        return f"{uri}/fhirStores/{parsed.fhir_store}"
    return uri


def healthcare_asset(name: Name | str, *, extra: dict[str, Any] | None = None) -> Asset:
    """Return the asset of a dataset or store, for ``outlets``, ``inlets`` and ``schedule``.

    :param name: its resource name.
    :param extra: what to note with the asset; no patient data.
    :raises InvalidResourceNameError: if the name is malformed.
    """
    return Asset(uri=asset_uri(name), extra=extra or {})


def create_asset(
    *,
    project: str,
    location: str,
    dataset: str,
    dicom_store: str | None = None,
    fhir_store: str | None = None,
    extra: dict[str, Any] | None = None,
) -> Asset:
    """Return an asset from its parts; the factory that Airflow calls for this scheme."""
    name = DatasetName(project, location, dataset)
    if dicom_store:
        return healthcare_asset(name.dicom_store(dicom_store), extra=extra)
    return healthcare_asset(name.fhir_store(fhir_store) if fhir_store else name, extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Check an asset URI of this scheme; Airflow calls it when an asset is made.

    :raises ValueError: if it has another form.
    """
    _from_parts(uri.netloc, uri.path)
    return uri


def convert_asset_to_openlineage(asset: Asset, lineage_context: Any) -> OpenLineageDataset:
    """Return the OpenLineage dataset of an asset; Airflow's OpenLineage provider calls it."""
    from urllib.parse import urlsplit

    from airflow.providers.common.compat.openlineage.facet import Dataset as OpenLineageDataset

    parts = urlsplit(asset.uri)
    namespace, name = lineage_name(_from_parts(parts.netloc, parts.path))
    return OpenLineageDataset(namespace=namespace, name=name)


def lineage_name(name: Name) -> tuple[str, str]:
    """Return namespace and name of a dataset or store in OpenLineage."""
    return f"{SCHEME}://{name.project}", asset_uri(name).removeprefix(f"{SCHEME}://{name.project}/")


def parse_asset_name(name: Name | str) -> Name:
    """Read the resource name of a dataset or store.

    :raises InvalidResourceNameError: if it is no such name.
    """
    if not isinstance(name, str):
        return name
    if "/dicomStores/" in name:
        return DicomStoreName.parse(name)
    return FhirStoreName.parse(name) if "/fhirStores/" in name else DatasetName.parse(name)


def _from_parts(project: str, path: str) -> Name:
    try:
        location, dataset, *store = path.strip("/").split("/")
        name = DatasetName(project, location, dataset)
        match store:
            case []:
                return name
            case ["dicomStores", store_id]:
                return name.dicom_store(store_id)
            case ["fhirStores", store_id]:
                return name.fhir_store(store_id)
    except (ValueError, InvalidResourceNameError):
        pass
    raise InvalidResourceNameError(_FORM, "the URI has another form", "Use healthcare_asset() to make it")
