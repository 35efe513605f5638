"""The bodies of the three deidentify requests of the discovery document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.deidentify import DeidentifyConfig
from airflow_healthcare_deid.config.dicom import DicomFilterConfig
from airflow_healthcare_deid.config.fhir import FhirFilter
from airflow_healthcare_deid.config.gcs import parse_gcs_uri
from airflow_healthcare_deid.config.message import Message, at_most_one
from airflow_healthcare_deid.errors import ConfigError, InvalidResourceNameError
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report


class _DeidentifyRequest(Message, frozen=True, kw_only=True):
    config: DeidentifyConfig | None = None
    gcs_config_uri: str | None = None

    def check(self, report: Report) -> None:
        at_most_one(self, report, "config", "gcs_config_uri")
        if self.config is None and self.gcs_config_uri is None:
            report("config", "is missing, and so is gcsConfigUri", "Give one of them; {} stands for all defaults")
        if self.gcs_config_uri is not None:
            try:
                parse_gcs_uri(self.gcs_config_uri)
            except ConfigError as error:
                report("gcsConfigUri", error.problem, error.way_out)


class DeidentifyDatasetRequest(_DeidentifyRequest, frozen=True, kw_only=True):
    """Body of ``datasets.deidentify``.

    :param destination_dataset: full name of the dataset to make, in the location of the source. Required.
    :param config: how to de-identify. Either it or ``gcs_config_uri``.
    :param gcs_config_uri: ``gs://bucket/path/to/object`` of the JSON of a ``DeidentifyConfig``, which the Healthcare
        service agent may read.
    """

    destination_dataset: str | None = None

    def check(self, report: Report) -> None:
        _check_name(DatasetName, self.destination_dataset, "destinationDataset", report)
        super().check(report)


class DeidentifyDicomStoreRequest(_DeidentifyRequest, frozen=True, kw_only=True):
    """Body of ``dicomStores.deidentify``.

    :param destination_store: full name of an existing DICOM store, in the location of the source. Required.
    :param config: how to de-identify. Either it or ``gcs_config_uri``.
    :param gcs_config_uri: ``gs://bucket/path/to/object`` of the JSON of a ``DeidentifyConfig``.
    :param filter_config: which instances; default: all.
    """

    destination_store: str | None = None
    filter_config: DicomFilterConfig | None = None

    def check(self, report: Report) -> None:
        _check_name(DicomStoreName, self.destination_store, "destinationStore", report)
        super().check(report)


class DeidentifyFhirStoreRequest(_DeidentifyRequest, frozen=True, kw_only=True):
    """Body of ``fhirStores.deidentify``.

    :param destination_store: full name of an existing FHIR store, in the location of the source. Required.
    :param config: how to de-identify. Either it or ``gcs_config_uri``.
    :param gcs_config_uri: ``gs://bucket/path/to/object`` of the JSON of a ``DeidentifyConfig``.
    :param resource_filter: which resources; default: all.
    :param skip_modified_resources: leave out what was created or changed after the operation began; default false.
    """

    destination_store: str | None = None
    resource_filter: FhirFilter | None = None
    skip_modified_resources: bool | None = None

    def check(self, report: Report) -> None:
        _check_name(FhirStoreName, self.destination_store, "destinationStore", report)
        super().check(report)


def _check_name(
    kind: type[DatasetName | DicomStoreName | FhirStoreName], name: str | None, where: str, report: Report
) -> None:
    if name is None:
        report(where, "is missing", "Give the full resource name")
        return
    try:
        kind.parse(name)
    except InvalidResourceNameError as error:
        report(where, error.problem, f"Use the form {error.field}")
