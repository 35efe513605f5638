"""Operators that create and delete datasets, DICOM stores and FHIR stores; fit for setup and teardown.

https://cloud.google.com/healthcare-api/docs/how-tos/datasets, …/how-tos/dicom and …/how-tos/fhir
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow_healthcare_deid.errors import ConflictError
from airflow_healthcare_deid.operators._hooked import task_step
from airflow_healthcare_deid.operators._literals import is_literal
from airflow_healthcare_deid.operators._request import OperationRequest
from airflow_healthcare_deid.operators._resources import (
    IF_EXISTS,
    CreateStoreOperator,
    DeleteOperator,
    DeleteStoreOperator,
    already_there,
    check_choice,
)
from airflow_healthcare_deid.operators._service import HealthcareOperator
from airflow_healthcare_deid.operators.base import HealthcareOperationOperator
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.operation import Operation
    from airflow_healthcare_deid.operators._memory import Record

FHIR_VERSIONS = ("DSTU2", "STU3", "R4", "R5")


class CreateDatasetOperator(HealthcareOperationOperator):
    """Creates a dataset, which the service does as an operation.

    Needs ``healthcare.datasets.create`` on the project (``roles/healthcare.datasetAdmin``).

    :param dataset: ``projects/P/locations/L/datasets/D``, or ``D`` with ``project_id`` and ``location``.
    :param time_zone: IANA name of the dataset's time zone, such as ``Europe/Paris``; default: UTC.
    :param kms_key_name: Cloud KMS key that encrypts the dataset; default: Google's own.
    :param if_exists: ``fail`` (default), or ``reuse``: a dataset that is there is taken as it is.
    """

    template_fields = (*HealthcareOperationOperator.template_fields, "dataset", "time_zone", "kms_key_name")

    def __init__(
        self,
        *,
        dataset: str,
        time_zone: str | None = None,
        kms_key_name: str | None = None,
        if_exists: Literal["fail", "reuse"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("if_exists", if_exists, IF_EXISTS)
        self._check_dataset("dataset", dataset)
        self.dataset = dataset
        self.time_zone = time_zone
        self.kms_key_name = kms_key_name
        self.if_destination_exists = if_exists

    def build_request(self) -> OperationRequest:
        """Return the request, checked."""
        name = self._dataset("dataset", self.dataset)
        body: dict[str, Any] = {"timeZone": self.time_zone} if self.time_zone else {}
        if self.kms_key_name:
            body["encryptionSpec"] = {"kmsKeyName": self.kms_key_name}
        return OperationRequest(method="datasets.create", source=name, destination=name, body=body)

    def _launch(self, context: Context, request: OperationRequest) -> tuple[Record, Operation] | None:
        try:
            return super()._launch(context, request)
        except ConflictError:
            # Somebody else may have been faster than we after our look.
            if self.if_destination_exists == "reuse":
                return None
            raise already_there("dataset", request.source) from None


class CreateDicomStoreOperator(CreateStoreOperator):
    """Creates a DICOM store.

    Needs ``healthcare.dicomStores.create`` and ``.get`` on the dataset (``roles/healthcare.dicomStoreAdmin``).

    :param store: ``projects/P/locations/L/datasets/D/dicomStores/S``.
    """

    store_type = DicomStoreName

    def _create(self, name: DicomStoreName, body: Mapping[str, Any]) -> None:
        self.hook.create_dicom_store(name, body)


class CreateFhirStoreOperator(CreateStoreOperator):
    """Creates a FHIR store.

    Needs ``healthcare.fhirStores.create`` and ``.get`` on the dataset (``roles/healthcare.fhirStoreAdmin``).

    :param store: ``projects/P/locations/L/datasets/D/fhirStores/S``.
    :param version: ``DSTU2``, ``STU3``, ``R4`` (default) or ``R5``. One that is to take the result of a
        de-identification has the source's.
    """

    template_fields = (*CreateStoreOperator.template_fields, "version")
    store_type = FhirStoreName

    def __init__(self, *, version: str = "R4", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.version = version
        if is_literal(version):
            self._fields()

    def _fields(self) -> dict[str, Any]:
        check_choice("version", self.version, FHIR_VERSIONS)
        return {"version": self.version}

    def _create(self, name: FhirStoreName, body: Mapping[str, Any]) -> None:
        self.hook.create_fhir_store(name, body)

    def _check_existing(self, name: FhirStoreName) -> None:
        there = self.hook.get_resource(name).get("version")
        if there != self.version:
            raise ConflictError(f"store: {name} exists already, with version {there} instead of {self.version}")


class DeleteDatasetOperator(DeleteOperator):
    """Deletes a dataset and all it holds; it cannot be brought back.

    Needs ``healthcare.datasets.delete`` and ``.get`` on the dataset (``roles/healthcare.datasetAdmin``).

    :param dataset: ``projects/P/locations/L/datasets/D``, or ``D`` with ``project_id`` and ``location``.
    """

    template_fields = (*DeleteOperator.template_fields, "dataset")

    def __init__(self, *, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check_dataset("dataset", dataset)
        self.dataset = dataset

    def _name(self) -> DatasetName:
        return self._dataset("dataset", self.dataset)

    def _delete(self, name: DatasetName) -> None:
        self.hook.delete_dataset(name)


class DeleteDicomStoreOperator(DeleteStoreOperator):
    """Deletes a DICOM store and all it holds; it cannot be brought back.

    Needs ``healthcare.dicomStores.delete`` and ``.get`` on the store (``roles/healthcare.dicomStoreAdmin``).

    :param store: ``projects/P/locations/L/datasets/D/dicomStores/S``.
    """

    store_type = DicomStoreName


class DeleteFhirStoreOperator(DeleteStoreOperator):
    """Deletes a FHIR store and all it holds; it cannot be brought back.

    Needs ``healthcare.fhirStores.delete`` and ``.get`` on the store (``roles/healthcare.fhirStoreAdmin``).

    :param store: ``projects/P/locations/L/datasets/D/fhirStores/S``.
    """

    store_type = FhirStoreName


class _ListStoresOperator(HealthcareOperator):
    """What both operators that list stores have in common.

    :param dataset: ``projects/P/locations/L/datasets/D``, or ``D`` with ``project_id`` and ``location``.
    """

    template_fields = (*HealthcareOperator.template_fields, "dataset")

    def __init__(self, *, dataset: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check_dataset("dataset", dataset)
        self.dataset = dataset

    @task_step
    def execute(self, context: Context) -> list[str]:
        """Return the full names of the stores."""
        return [str(name) for name in self._stores(self._dataset("dataset", self.dataset))]

    def _stores(self, dataset: DatasetName) -> Sequence[object]:
        raise NotImplementedError


class ListDicomStoresOperator(_ListStoresOperator):
    """Lists a dataset's DICOM stores; what it returns is for tasks to be mapped over.

    Airflow maps over return values only, so the XComs ``dicom_stores`` and ``fhir_stores`` of a de-identification will
    not do. Needs ``healthcare.dicomStores.list`` on the dataset (``roles/healthcare.dicomStoreViewer``).
    """

    def _stores(self, dataset: DatasetName) -> Sequence[object]:
        return self.hook.list_dicom_stores(dataset)


class ListFhirStoresOperator(_ListStoresOperator):
    """Lists a dataset's FHIR stores; what it returns is for tasks to be mapped over.

    Needs ``healthcare.fhirStores.list`` on the dataset (``roles/healthcare.fhirStoreViewer``).
    """

    def _stores(self, dataset: DatasetName) -> Sequence[object]:
        return self.hook.list_fhir_stores(dataset)
