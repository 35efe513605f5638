"""The hooks: one for workers, on Google's discovery client, and one for triggers.

Importing this module loads Google's libraries, which takes about a second; operators, sensors and triggers import it
when they run and never before.
"""

from __future__ import annotations

import keyword
import time
from functools import cached_property
from json import JSONDecodeError
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow.providers.google.common.hooks.base_google import GoogleBaseHook  # noqa: TID253

from airflow_healthcare_deid.endpoint import Endpoint, resolve_endpoint
from airflow_healthcare_deid.errors import (
    ApiError,
    AuthenticationError,
    HealthcareDeidError,
    PermissionOrNotFoundError,
    TransientApiError,
)
from airflow_healthcare_deid.hooks._answers import NOT_JSON, error_from_response, no_answer, read_operation
from airflow_healthcare_deid.hooks._backoff import CANCEL_ATTEMPTS, Backoff
from airflow_healthcare_deid.hooks._methods import METHODS
from airflow_healthcare_deid.hooks._token import credentials_error
from airflow_healthcare_deid.hooks.asynchronous import HealthcareAsyncHook
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from google.auth.credentials import Credentials

    from airflow_healthcare_deid.hooks._transport import OnceHttp
    from airflow_healthcare_deid.operation import Operation

__all__ = ["HealthcareAsyncHook", "HealthcareHook"]

DEFAULT_SCOPES = ("https://www.googleapis.com/auth/cloud-healthcare",)
READ_ATTEMPTS = 5
"""How often a request that changes nothing is tried."""


class HealthcareHook(GoogleBaseHook):
    """Calls the Cloud Healthcare API from a worker.

    A request that changes something is sent exactly once; whoever calls decides what a lost reply means. Requests that
    only read are repeated after passing failures. The OAuth scope is ``cloud-healthcare`` unless the connection sets
    another.

    :param gcp_conn_id: Airflow connection of type ``google_cloud_platform``.
    :param impersonation_chain: service account to impersonate, or chain of accounts of which the last is.
    :param quota_project_id: project that requests are billed and counted to.
    :param api_endpoint: address of the service; default: the connection's field ``healthcare_api_endpoint``, else
        ``HEALTHCARE_EMULATOR_HOST``, else Google's.
    :param extras: extra fields of the connection, if they were looked up already.
    """

    _sleep = staticmethod(time.sleep)

    def __init__(
        self,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        *,
        quota_project_id: str | None = None,
        api_endpoint: str | None = None,
        extras: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if extras is not None:
            # The base class looks the connection up by this attribute, and takes nothing of it but the extras.
            self.__dict__["get_connection"] = lambda _: SimpleNamespace(extra_dejson=extras)
        super().__init__(gcp_conn_id, impersonation_chain, quota_project_id=quota_project_id, **kwargs)
        self.api_endpoint = api_endpoint

    @cached_property
    def endpoint(self) -> Endpoint:
        """Where requests go.

        :raises InvalidEndpointError: if the address is malformed, or would send credentials in the clear.
        """
        return resolve_endpoint(
            self.api_endpoint, {"healthcare_api_endpoint": self._get_field("healthcare_api_endpoint")}
        )

    @property
    def scopes(self) -> Sequence[str]:
        """OAuth scopes: those of the connection, else ``cloud-healthcare``."""
        return super().scopes if self._get_field("scope") else DEFAULT_SCOPES

    @property
    def default_project_id(self) -> str | None:
        """Project of the connection, else of the credentials, else None; an emulator needs no credentials for it."""
        if project := self._get_field("project"):
            return str(project)
        return self.get_credentials_and_project_id()[1] if self.endpoint.credentials else None

    def usable_credentials(self) -> Credentials | None:
        """Return the connection's credentials, or None if the endpoint gets none.

        :raises AuthenticationError: if the connection yields no credentials.
        """
        if not self.endpoint.credentials:
            return None
        from google.auth.exceptions import DefaultCredentialsError, TransportError

        try:
            return self.get_credentials()
        except TransportError as error:
            raise TransientApiError(
                f"The credentials could not be fetched ({type(error).__name__})", sent=False
            ) from None
        except DefaultCredentialsError:
            raise AuthenticationError(
                f"Connection {self.gcp_conn_id} holds no credentials and there are no default ones. "
                "Set its key or impersonation_chain, or attach a service account to the worker",
                sent=False,
            ) from None

    @cached_property
    def _http(self) -> OnceHttp:
        from airflow_healthcare_deid.hooks._transport import OnceHttp

        return OnceHttp(self.usable_credentials(), proxies=not self.endpoint.loopback)

    @cached_property
    def _service(self) -> Any:
        from google.api_core.client_options import ClientOptions
        from googleapiclient.discovery import build

        return build(
            "healthcare",
            "v1",
            http=self._http,
            cache_discovery=False,
            static_discovery=True,
            client_options=ClientOptions(api_endpoint=self.endpoint.url),
        )

    def get_conn(self) -> Any:
        """Return the discovery client of the API, built from the document that ships with it."""
        return self._service

    @property
    def server_time(self) -> datetime | None:
        """The service's clock at the last answer, or None before the first."""
        return self._http.server_time

    def close(self) -> None:
        """Close the connections."""
        if "_http" in self.__dict__:
            self._http.close()

    # Operations ------------------------------------------------------------------------------------------------------

    def start_operation(self, method: str, resource: str, body: Mapping[str, Any]) -> Operation:
        """Start a long-running operation: one request, never repeated.

        :param method: key of the table of methods, such as ``datasets.deidentify``.
        :param resource: full name of the resource the method is called on.
        :param body: the request's body.
        :raises ApiError: the service's answer; for a :class:`TransientApiError` with ``sent`` set, the operation may
            have been started all the same.
        """
        if method == "datasets.create":
            return self.create_dataset(DatasetName.parse(resource), body)
        return self._operation(method, resource, self._call(method, resource, body=dict(body)))

    def deidentify_dataset(self, source: DatasetName, body: Mapping[str, Any]) -> Operation:
        """Start ``datasets.deidentify``; the body is a ``DeidentifyDatasetRequest``."""
        return self.start_operation("datasets.deidentify", str(source), body)

    def deidentify_dicom_store(self, source: DicomStoreName, body: Mapping[str, Any]) -> Operation:
        """Start ``dicomStores.deidentify``; the body is a ``DeidentifyDicomStoreRequest``."""
        return self.start_operation("datasets.dicomStores.deidentify", str(source), body)

    def deidentify_fhir_store(self, source: FhirStoreName, body: Mapping[str, Any]) -> Operation:
        """Start ``fhirStores.deidentify``; the body is a ``DeidentifyFhirStoreRequest``."""
        return self.start_operation("datasets.fhirStores.deidentify", str(source), body)

    def get_operation(self, name: str, *, attempts: int = 1) -> Operation:
        """Look at an operation.

        :param name: its full name.
        :param attempts: how often to try if the failure may pass.
        """
        method = "datasets.operations.get"
        return self._operation(method, name, self._read(method, name, attempts=attempts))

    def list_operations(self, dataset: DatasetName, *, page_size: int = 100) -> Iterator[Operation]:
        """Iterate over the operations that were started on a dataset or on a store of it."""
        for item in self._list("datasets.operations.list", str(dataset), "operations", page_size):
            yield self._operation("datasets.operations.list", str(dataset), item)

    def cancel_operation(self, name: str) -> bool:
        """Ask the service to cancel an operation; it does so in its own time.

        Asking twice does no harm, so passing failures are tried again.

        :param name: its full name.
        :return: whether the service took the request; False if the operation has ended already.
        """
        backoff = Backoff.for_cancelling()
        try:
            self._repeat("datasets.operations.cancel", name, attempts=CANCEL_ATTEMPTS, backoff=backoff, body={})
        except ApiError as error:
            if error.status == 400:
                return False
            raise
        return True

    # Datasets and stores ---------------------------------------------------------------------------------------------

    def create_dataset(self, name: DatasetName, body: Mapping[str, Any] | None = None) -> Operation:
        """Create a dataset; the service does so as an operation.

        :param body: ``timeZone`` and ``encryptionSpec``, if any.
        """
        answer = self._call("datasets.create", name.location_name, body=dict(body or {}), datasetId=name.dataset)
        return self._operation("datasets.create", str(name), answer)

    def get_dataset(self, name: DatasetName) -> dict[str, Any]:
        """Return a dataset."""
        return self._read("datasets.get", str(name))

    def dataset_exists(self, name: DatasetName) -> bool | None:
        """Tell whether a dataset exists, or None if this caller may not know.

        The service answers 403 for a dataset that does not exist, so a 403 is settled by the list of datasets.
        """
        try:
            self.get_dataset(name)
        except PermissionOrNotFoundError as error:
            if error.status == 404:
                return False
        else:
            return True
        try:
            return any(item["name"] == str(name) for item in self.list_datasets(name.project, name.location))
        except PermissionOrNotFoundError:
            return None

    def list_datasets(self, project_id: str, location: str, *, page_size: int = 500) -> Iterator[dict[str, Any]]:
        """Iterate over the datasets of a project in a location."""
        yield from self._list("datasets.list", f"projects/{project_id}/locations/{location}", "datasets", page_size)

    def delete_dataset(self, name: DatasetName) -> None:
        """Delete a dataset and all it holds."""
        self._call("datasets.delete", str(name))

    def create_dicom_store(self, name: DicomStoreName, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Create a DICOM store."""
        parent = str(name.dataset_name)
        return self._call("datasets.dicomStores.create", parent, body=dict(body or {}), dicomStoreId=name.dicom_store)

    def create_fhir_store(self, name: FhirStoreName, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Create a FHIR store; the body names its ``version``."""
        parent = str(name.dataset_name)
        return self._call("datasets.fhirStores.create", parent, body=dict(body or {}), fhirStoreId=name.fhir_store)

    def get_resource(self, name: DatasetName | DicomStoreName | FhirStoreName) -> dict[str, Any]:
        """Return a dataset or a store."""
        if isinstance(name, DatasetName):
            return self.get_dataset(name)
        return self._read(f"datasets.{_collection(name)}.get", str(name))

    def delete_store(self, name: DicomStoreName | FhirStoreName) -> None:
        """Delete a store and all it holds."""
        self._call(f"datasets.{_collection(name)}.delete", str(name))

    def list_dicom_stores(self, dataset: DatasetName) -> list[DicomStoreName]:
        """Return the names of a dataset's DICOM stores."""
        items = self._list("datasets.dicomStores.list", str(dataset), "dicomStores", 500)
        return [DicomStoreName.parse(item["name"]) for item in items]

    def list_fhir_stores(self, dataset: DatasetName) -> list[FhirStoreName]:
        """Return the names of a dataset's FHIR stores."""
        items = self._list("datasets.fhirStores.list", str(dataset), "fhirStores", 500)
        return [FhirStoreName.parse(item["name"]) for item in items]

    def get_store_metrics(self, name: DicomStoreName | FhirStoreName) -> dict[str, Any]:
        """Return ``DicomStoreMetrics`` or ``FhirStoreMetrics``: how many resources a store holds."""
        verb = "getDICOMStoreMetrics" if isinstance(name, DicomStoreName) else "getFHIRStoreMetrics"
        return self._read(f"datasets.{_collection(name)}.{verb}", str(name))

    def test_connection(self) -> tuple[bool, str]:
        """List the datasets of the connection's project in one location: one cheap request, no token in any URL."""
        try:
            project = self.default_project_id
            if not project:
                return False, "The connection names no project: set its field project"
            location = str(self._get_field("healthcare_location") or "us-central1")
            next(self.list_datasets(project, location, page_size=1), None)
        except HealthcareDeidError as error:
            return False, str(error)
        return True, f"Listed the datasets of {project} in {location} at {self.endpoint.url}"

    # Requests --------------------------------------------------------------------------------------------------------

    def _call(self, method: str, resource: str, *, body: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        """Send one request, once, and return the answer's body."""
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        from airflow_healthcare_deid.hooks._transport import RefusedError, may_have_been_sent

        entry = METHODS[method]
        if body is not None:
            params["body"] = body
        try:
            request = self._build(entry.name, **{entry.parameter: resource}, **params)
            answer = request.execute(num_retries=0)
        except RefusedError as error:
            raise error_from_response(entry, resource, error.status, error.content, error.retry_after) from None
        except RequestException as error:
            raise no_answer(
                entry, resource, self.endpoint, type(error).__name__, sent=may_have_been_sent(error)
            ) from None
        except JSONDecodeError:
            raise no_answer(entry, resource, self.endpoint, NOT_JSON, sent=True) from None
        except GoogleAuthError as error:
            raise credentials_error(error, self.gcp_conn_id) from None
        if not isinstance(answer, dict):
            raise no_answer(entry, resource, self.endpoint, NOT_JSON, sent=True)
        return answer

    def _operation(self, method: str, resource: str, answer: dict[str, Any]) -> Operation:
        return read_operation(METHODS[method], resource, self.endpoint, answer)

    def _build(self, method: str, **params: Any) -> Any:
        *collections, verb = method.split(".")
        resource = self._service.projects().locations()
        for collection in collections:
            resource = getattr(resource, collection)()
        return getattr(resource, f"{verb}_" if keyword.iskeyword(verb) else verb)(**params)

    def _read(self, method: str, resource: str, *, attempts: int = READ_ATTEMPTS, **params: Any) -> dict[str, Any]:
        """Send a request that changes nothing; passing failures are tried again."""
        return self._repeat(method, resource, attempts=attempts, backoff=Backoff(), **params)

    def _repeat(self, method: str, resource: str, *, attempts: int, backoff: Backoff, **params: Any) -> dict[str, Any]:
        """Send a request that may be sent again if the failure passes."""
        while True:
            try:
                return self._call(method, resource, **params)
            except TransientApiError as error:
                if backoff.failures + 1 >= attempts:
                    raise
                self._sleep(backoff.after(error))

    def _list(self, method: str, resource: str, field: str, page_size: int) -> Iterator[dict[str, Any]]:
        params: dict[str, Any] = {"pageSize": page_size}
        while True:
            page = self._read(method, resource, **params)
            yield from page.get(field, ())
            if not page.get("nextPageToken"):
                return
            params["pageToken"] = page["nextPageToken"]


def _collection(name: DicomStoreName | FhirStoreName) -> str:
    return "dicomStores" if isinstance(name, DicomStoreName) else "fhirStores"
