"""Operators that de-identify a dataset, a DICOM store or a FHIR store.

https://cloud.google.com/healthcare-api/docs/concepts/de-identification
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_healthcare_deid.config import (
    DeidentifyDatasetRequest,
    DeidentifyDicomStoreRequest,
    DeidentifyFhirStoreRequest,
    DicomFilterConfig,
    FhirFilter,
    load_config,
    load_request,
    to_body,
)
from airflow_healthcare_deid.errors import InvalidRequestError
from airflow_healthcare_deid.operators._config import MaskedConfig, check_config_arguments
from airflow_healthcare_deid.operators._literals import check_switches, is_literal
from airflow_healthcare_deid.operators._names import (
    UNKNOWN,
    check_literal_dataset,
    check_literal_name,
    dataset_name,
    parse_name,
)
from airflow_healthcare_deid.operators._request import OperationRequest, dataset_of, mapping
from airflow_healthcare_deid.operators.base import HealthcareOperationOperator
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_healthcare_deid.config import ConfigSource
    from airflow_healthcare_deid.operators._request import ResourceName

IF_DESTINATION_EXISTS = ("fail", "reuse", "replace")


class _DeidentifyOperator(HealthcareOperationOperator):
    """What the three have in common: a config, or the URI of one.

    :param config: how to de-identify: a :class:`~airflow_healthcare_deid.config.DeidentifyConfig`, a dict with Google's
        field names in camelCase or snake_case, JSON or YAML text, or the path of a ``.json``, ``.yaml`` or ``.yml``
        file, which is rendered. ``{}`` stands for all defaults. A literal ``cryptoKey`` is refused: it would be
        stored with the DAG; one that comes out of a template is masked.
    :param gcs_config_uri: ``gs://bucket/path/to/object`` of a config that the Healthcare service agent may read,
        instead of ``config``.
    """

    template_fields = (*HealthcareOperationOperator.template_fields, "config", "gcs_config_uri")
    template_fields_renderers = {"config": "json"}  # noqa: RUF012 - Airflow's declaration

    config = MaskedConfig()

    def __init__(
        self,
        *,
        config: ConfigSource | None = None,
        gcs_config_uri: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_config_arguments(config, gcs_config_uri)
        self.config = config
        self.gcs_config_uri = gcs_config_uri

    def _checked(
        self,
        kind: type[DeidentifyDatasetRequest | DeidentifyDicomStoreRequest | DeidentifyFhirStoreRequest],
        source: ResourceName,
        destination: ResourceName,
        **fields: Any,
    ) -> dict[str, Any]:
        """Return the request's body, with all that can be checked before it is sent checked."""
        _check_pair(source, destination)
        given_config = type(self).config.reveal(self)
        config = None if given_config is None else to_body(load_config(given_config))
        given = {"config": config, "gcs_config_uri": self.gcs_config_uri, **fields}
        return to_body(load_request(kind, {name: value for name, value in given.items() if value is not None}))


class DeidentifyDatasetOperator(_DeidentifyOperator):
    """De-identifies a dataset into a new one, which the service creates.

    Needs ``healthcare.datasets.deidentify`` on the source and ``healthcare.datasets.create`` on the destination's
    project; ``roles/healthcare.datasetAdmin`` has both, and what following the operation takes.

    :param source_dataset: ``projects/P/locations/L/datasets/D``, or ``D`` with ``project_id`` and ``location``.
    :param destination_dataset: the dataset to create, in the same location; a short id is taken to be in the source's
        project.
    :param if_destination_exists: ``fail`` (default); ``reuse``: use it as it is, unchecked, and start nothing;
        ``replace``: delete it and all it holds first.
    """

    template_fields = (*_DeidentifyOperator.template_fields, "source_dataset", "destination_dataset")

    def __init__(
        self,
        *,
        source_dataset: str,
        destination_dataset: str,
        if_destination_exists: Literal["fail", "reuse", "replace"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        source = self._check_dataset("source_dataset", source_dataset)
        project, location = (source.project, source.location) if source else (None, UNKNOWN)
        _check_pair(source, check_literal_dataset("destination_dataset", destination_dataset, project, location))
        self.source_dataset = source_dataset
        self.destination_dataset = destination_dataset
        self.if_destination_exists = if_destination_exists
        if if_destination_exists not in IF_DESTINATION_EXISTS:
            raise InvalidRequestError(
                "if_destination_exists",
                f"is {if_destination_exists!r}",
                f"Use one of {', '.join(IF_DESTINATION_EXISTS)}",
            )

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        source = self._dataset("source_dataset", self.source_dataset)
        destination = dataset_name(
            "destination_dataset", self.destination_dataset, lambda: source.project, source.location
        )
        body = self._checked(DeidentifyDatasetRequest, source, destination, destination_dataset=str(destination))
        return OperationRequest(method="datasets.deidentify", source=source, destination=destination, body=body)


class _DeidentifyStoreOperator(_DeidentifyOperator):
    """What the operators for stores have in common.

    :param source_store: full name of the store to read.
    :param destination_store: full name of the store to write, which exists and is in the same location.
    """

    template_fields = (*_DeidentifyOperator.template_fields, "source_store", "destination_store")
    store_type: ClassVar[type[DicomStoreName | FhirStoreName]]

    def __init__(self, *, source_store: str, destination_store: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _check_pair(
            check_literal_name(self.store_type, "source_store", source_store),
            check_literal_name(self.store_type, "destination_store", destination_store),
        )
        self.source_store = source_store
        self.destination_store = destination_store


class DeidentifyDicomStoreOperator(_DeidentifyStoreOperator):
    """De-identifies a DICOM store into another one that exists.

    Needs ``healthcare.dicomStores.deidentify`` on the source (``roles/healthcare.dicomStoreAdmin``) and
    ``healthcare.dicomStores.dicomWebWrite`` on the destination (``roles/healthcare.dicomEditor``).

    :param source_store: ``projects/P/locations/L/datasets/D/dicomStores/S``.
    :param destination_store: the same form.
    :param filter_config: which instances: ``{"resourcePathsGcsUri": "gs://bucket/paths.txt"}``, a file with one
        ``/studies/UID``, ``…/series/UID`` or ``…/instances/UID`` a line. Default: all.
    """

    template_fields = (*_DeidentifyStoreOperator.template_fields, "filter_config")
    store_type = DicomStoreName

    def __init__(
        self, *, filter_config: DicomFilterConfig | Mapping[str, Any] | str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        _check_filter(DicomFilterConfig, "filterConfig", filter_config)
        self.filter_config = filter_config

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        source = parse_name(DicomStoreName, "source_store", self.source_store)
        destination = parse_name(DicomStoreName, "destination_store", self.destination_store)
        body = self._checked(
            DeidentifyDicomStoreRequest,
            source,
            destination,
            destination_store=str(destination),
            filter_config=mapping("filter_config", self.filter_config),
        )
        return OperationRequest(
            method="datasets.dicomStores.deidentify", source=source, destination=destination, body=body
        )


class DeidentifyFhirStoreOperator(_DeidentifyStoreOperator):
    """De-identifies a FHIR store into another one that exists.

    Needs ``healthcare.fhirStores.deidentify`` on the source (``roles/healthcare.fhirStoreAdmin``) and
    ``healthcare.fhirResources.update`` on the destination (``roles/healthcare.fhirResourceEditor``).

    :param source_store: ``projects/P/locations/L/datasets/D/fhirStores/S``; not one of version R5.
    :param destination_store: the same form.
    :param resource_filter: which resources: ``{"resources": {"resources": ["Patient/1"]}}``. Default: all.
    :param skip_modified_resources: leave out what was created or changed after the operation began.
    """

    template_fields = (*_DeidentifyStoreOperator.template_fields, "resource_filter")
    store_type = FhirStoreName

    def __init__(
        self,
        *,
        resource_filter: FhirFilter | Mapping[str, Any] | str | None = None,
        skip_modified_resources: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_filter(FhirFilter, "resourceFilter", resource_filter)
        if skip_modified_resources is not None:
            check_switches(skip_modified_resources=skip_modified_resources)
        self.resource_filter = resource_filter
        self.skip_modified_resources = skip_modified_resources

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        source = parse_name(FhirStoreName, "source_store", self.source_store)
        destination = parse_name(FhirStoreName, "destination_store", self.destination_store)
        body = self._checked(
            DeidentifyFhirStoreRequest,
            source,
            destination,
            destination_store=str(destination),
            resource_filter=mapping("resource_filter", self.resource_filter),
            skip_modified_resources=self.skip_modified_resources,
        )
        return OperationRequest(
            method="datasets.fhirStores.deidentify", source=source, destination=destination, body=body
        )


def _check_pair(source: ResourceName | None, destination: ResourceName | None) -> None:
    """Check that the one can become the other; None stands for a name that is not known yet."""
    if source is None or destination is None:
        return
    field = "destination_dataset" if isinstance(destination, DatasetName) else "destination_store"
    if source == destination:
        raise InvalidRequestError(field, f"is the source itself, {source}", "Choose another one")
    if dataset_of(source).location != dataset_of(destination).location:
        raise InvalidRequestError(
            field,
            f"is in {dataset_of(destination).location}, but the source is in {dataset_of(source).location}",
            "The service only de-identifies within one location",
        )


def _check_filter(kind: type[DicomFilterConfig | FhirFilter], field: str, value: Any) -> None:
    """Check a filter as it stands in a DAG file."""
    if value is not None and is_literal(value):
        load_request(kind, mapping(field, value), field)
