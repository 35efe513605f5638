"""HealthcareAsyncHook: what a trigger asks of the service, over a client that all triggers of the process share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from airflow.providers.common.compat.sdk import BaseHook

from airflow_healthcare_deid.errors import ApiError, TransientApiError
from airflow_healthcare_deid.hooks._backoff import CANCEL_ATTEMPTS, Backoff
from airflow_healthcare_deid.hooks._client import ClientKey, SharedClient
from airflow_healthcare_deid.resource_names import DatasetName, OperationName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_healthcare_deid.operation import Operation

StoreNames = dict[str, list[str]]
"""Full names, under ``dicom_stores`` and ``fhir_stores``."""

PAGE_SIZE = 500


class HealthcareAsyncHook(BaseHook):
    """Calls the Cloud Healthcare API from an event loop.

    Used as an asynchronous context manager: inside, it holds the process's client for its connection, chain, quota
    project and endpoint; the last to leave closes it. Requests are sent once, save that a refused token is renewed,
    and that asking for a cancellation is repeated while failures pass.

    :param gcp_conn_id: Airflow connection of type ``google_cloud_platform``.
    :param impersonation_chain: service account to impersonate, or chain of accounts of which the last is.
    :param quota_project_id: project that requests are billed and counted to.
    :param api_endpoint: address of the service; default: the connection's field ``healthcare_api_endpoint``, else
        ``HEALTHCARE_EMULATOR_HOST``, else Google's.
    """

    _sleep = staticmethod(asyncio.sleep)

    def __init__(
        self,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        *,
        quota_project_id: str | None = None,
        api_endpoint: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        chain = (impersonation_chain,) if isinstance(impersonation_chain, str) else tuple(impersonation_chain or ())
        self._key = ClientKey(gcp_conn_id, chain, quota_project_id, api_endpoint)
        self._client: SharedClient | None = None

    async def __aenter__(self) -> Self:
        self._client = SharedClient.acquire(self._key)
        return self

    async def __aexit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.release()

    @property
    def server_time(self) -> datetime | None:
        """The service's clock at the last answer to any user of the client, or None before the first."""
        return self._client.server_time if self._client else None

    async def get_operation(self, name: OperationName | str) -> Operation:
        """Look at an operation, once.

        :param name: its full name; who asks often reads it once.
        """
        checked = OperationName.parse(name) if isinstance(name, str) else name
        return await self._shared.get_operation(str(checked))

    async def list_stores(self, dataset: str) -> StoreNames:
        """Return the names of a dataset's stores; each page is asked for once.

        :param dataset: its full name.
        """
        name = DatasetName.parse(dataset)
        return {
            "dicom_stores": await self._names(name, "dicomStores"),
            "fhir_stores": await self._names(name, "fhirStores"),
        }

    async def _names(self, dataset: DatasetName, collection: str) -> list[str]:
        names: list[str] = []
        token = ""
        while True:
            suffix = f"/{collection}?pageSize={PAGE_SIZE}" + (f"&pageToken={quote(token, safe='')}" if token else "")
            page = await self._request(f"datasets.{collection}.list", "GET", dataset, suffix)
            names += [item["name"] for item in page.get(collection, ())]
            token = page.get("nextPageToken", "")
            if not token:
                return names

    async def cancel_operation(self, name: str) -> bool:
        """Ask the service to cancel an operation; it does so in its own time.

        :param name: its full name.
        :return: whether the service took the request; False if the operation has ended already.
        """
        operation = OperationName.parse(name)
        backoff = Backoff.for_cancelling()
        while True:
            try:
                await self._request("datasets.operations.cancel", "POST", operation, ":cancel")
            except TransientApiError as error:
                if backoff.failures + 1 >= CANCEL_ATTEMPTS:
                    raise
                await self._sleep(backoff.after(error))
            except ApiError as error:
                if error.status == 400:
                    return False
                raise
            else:
                return True

    async def _request(
        self, method: str, verb: str, name: OperationName | DatasetName, suffix: str = ""
    ) -> dict[str, Any]:
        return await self._shared.request(method, verb, str(name), suffix)

    @property
    def _shared(self) -> SharedClient:
        if self._client is None:
            raise RuntimeError("HealthcareAsyncHook is used outside of `async with`")
        return self._client
