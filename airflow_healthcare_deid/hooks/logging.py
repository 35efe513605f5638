"""What Cloud Logging says of an operation: which resources failed. Names and codes are taken, messages are not.

Log entries: https://cloud.google.com/healthcare-api/docs/how-tos/logging. Google limits their rate, so an operation's
failure counter may be higher than the number of entries.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from airflow_healthcare_deid.endpoint import Endpoint, resolve_endpoint
from airflow_healthcare_deid.errors import AuthenticationError, InvalidRequestError, TransientApiError, api_error
from airflow_healthcare_deid.hooks._backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.resource_names import OperationName

PERMISSION = "logging.logEntries.list on the project (roles/logging.viewer)"
PAGE_SIZE = 1000
ATTEMPTS = 5
TIMEOUT = (10.0, 60.0)


class FailedResource(msgspec.Struct, frozen=True):
    """One resource that an operation could not process.

    :param resource: its name; empty where the entry has none.
    :param code: the ``google.rpc.Code`` of what went wrong, or None.
    """

    resource: str
    code: int | None = None


class OperationLogs:
    """Reads the error entries of operations.

    :param hook: whose connection, impersonation chain and quota project count.
    :param endpoint: address of Cloud Logging; default: Google's.
    """

    def __init__(self, hook: HealthcareHook, endpoint: str | None = None) -> None:
        self._hook = hook
        self._endpoint = resolve_endpoint(endpoint) if endpoint else _default_endpoint(hook.endpoint)

    def failed_resources(
        self, operation: OperationName, *, limit: int, since: datetime | None = None
    ) -> Iterator[FailedResource]:
        """Yield the resources that the entries name, each once, at most ``limit`` of them.

        :param since: when the operation began; there are no entries before.
        :raises PermissionOrNotFoundError: without ``logging.logEntries.list``.
        """
        seen: set[FailedResource] = set()
        for entry in self._entries(operation, since):
            found = _failed_resource(entry)
            if found not in seen:
                seen.add(found)
                yield found
            if len(seen) >= limit:
                return

    def close(self) -> None:
        """Close the connections."""
        if "_session" in self.__dict__:
            self._session.close()

    def _entries(self, operation: OperationName, since: datetime | None) -> Iterator[dict[str, Any]]:
        # Google does not say whether an entry has the operation's number or its full name; either contains the number.
        conditions = [f'operation.id:"{operation.operation}"', "severity>=ERROR"]
        if since is not None:
            conditions.append(f'timestamp>="{since.isoformat()}"')
        body: dict[str, Any] = {
            "resourceNames": [f"projects/{operation.project}"],
            "filter": " ".join(conditions),
            "orderBy": "timestamp asc",
            "pageSize": PAGE_SIZE,
        }
        while True:
            page = self._list(body)
            yield from page.get("entries", ())
            if not page.get("nextPageToken"):
                return
            body["pageToken"] = page["nextPageToken"]

    def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        backoff = Backoff()
        while True:
            try:
                return self._send(body)
            except TransientApiError as error:
                if backoff.failures + 1 >= ATTEMPTS:
                    raise
                self._hook._sleep(backoff.after(error))

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException

        try:
            response = self._session.post(
                f"{self._endpoint.url}/v2/entries:list", json=body, timeout=TIMEOUT, allow_redirects=False
            )
        except GoogleAuthError as error:
            raise AuthenticationError(f"No token for Cloud Logging ({type(error).__name__})") from None
        except RequestException as error:
            raise TransientApiError(f"Cloud Logging did not answer ({type(error).__name__})") from None
        if response.status_code != 200:
            message = f"entries.list was answered {response.status_code}; needed: {PERMISSION}"
            raise api_error(response.status_code, message)
        answer: dict[str, Any] = response.json()
        return answer

    @cached_property
    def _session(self) -> Any:
        import requests
        from airflow.providers.google.common.hooks.base_google import GoogleBaseHook
        from google.auth.transport.requests import AuthorizedSession

        if not self._endpoint.credentials:
            session = requests.Session()
            session.trust_env = not self._endpoint.loopback
            return session
        # The token of the Healthcare API is of no use here; this hook asks for the scope cloud-platform.
        hook = GoogleBaseHook(
            self._hook.gcp_conn_id, self._hook.impersonation_chain, quota_project_id=self._hook.quota_project_id
        )
        return AuthorizedSession(hook.get_credentials())


def _default_endpoint(healthcare: Endpoint) -> Endpoint:
    if healthcare.loopback:
        raise InvalidRequestError(
            "logging_endpoint", "is missing, and an emulator keeps no logs", "Ask Cloud Logging about a real operation"
        )
    host = urlsplit(healthcare.url).hostname or ""
    universe = host.removeprefix("healthcare.") if host.startswith("healthcare.") else "googleapis.com"
    return Endpoint(f"https://logging.{universe}")


def _failed_resource(entry: dict[str, Any]) -> FailedResource:
    """Read an entry: a ``DeidentifyLogEntry`` or one of its kin in ``google.cloud.healthcare.logging``.

    De-identification and export name the resource, an import the file it read, and of FHIR the id in there.
    """
    payload = entry.get("jsonPayload") or {}
    code = (payload.get("error") or {}).get("code")
    name = _text(payload, "resourceName", "resource_name")
    if not name:
        parts = _text(payload, "source"), _text(payload, "resourceId", "resource_id")
        name = "#".join(part for part in parts if part)
    return FailedResource(resource=name, code=code if isinstance(code, int) else None)


def _text(payload: dict[str, Any], *keys: str) -> str:
    return next((str(payload[key]) for key in keys if payload.get(key)), "")
