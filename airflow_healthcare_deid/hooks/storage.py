"""Reading and writing small files in Cloud Storage, with the connection's credentials.

``STORAGE_EMULATOR_HOST`` leads to a storage emulator, which gets no credentials.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_healthcare_deid.config import parse_gcs_uri
from airflow_healthcare_deid.errors import AuthenticationError, InvalidRequestError, TransientApiError, api_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook

T = TypeVar("T")

EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"
MAX_BYTES = 16 * 1024**2
"""Largest file that is read; a config is far smaller."""


class GcsFiles:
    """Files in Cloud Storage.

    :param hook: whose connection, impersonation chain and quota project count.
    """

    def __init__(self, hook: HealthcareHook) -> None:
        self._hook = hook

    def read(self, uri: str) -> bytes:
        """Return the content of a file.

        :param uri: ``gs://bucket/path/to/object``.
        :raises ConfigError: if the URI is malformed.
        :raises ApiError: if it cannot be read.
        """
        place = parse_gcs_uri(uri)

        def read(client: Any) -> bytes:
            blob = client.bucket(place.bucket).blob(place.name)
            return bytes(blob.download_as_bytes(end=MAX_BYTES))

        content = self._answered(uri, "storage.objects.get", read)
        if len(content) > MAX_BYTES:
            raise InvalidRequestError("", f"{uri} is larger than {MAX_BYTES} bytes")
        return content

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Write a file; one that is there is overwritten.

        :param uri: ``gs://bucket/path/to/object``.
        :raises ConfigError: if the URI is malformed.
        :raises ApiError: if it cannot be written.
        """
        place = parse_gcs_uri(uri)

        def write(client: Any) -> None:
            from google.cloud.storage.retry import DEFAULT_RETRY

            blob = client.bucket(place.bucket).blob(place.name)
            # Written again, the same content does no harm.
            blob.upload_from_string(content, content_type=content_type, retry=DEFAULT_RETRY)

        self._answered(uri, "storage.objects.create and storage.objects.delete", write)

    def _answered(self, uri: str, permission: str, act: Callable[[Any], T]) -> T:
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
        from requests import RequestException

        try:
            return act(self._client())
        except DefaultCredentialsError:
            raise AuthenticationError(
                f"Connection {self._hook.gcp_conn_id} holds no credentials for Cloud Storage and there are no default "
                f"ones. Set its key, or {EMULATOR_VARIABLE} for a storage emulator",
                sent=False,
            ) from None
        except GoogleAPICallError as error:
            status = int(error.code or 500)
            raise api_error(status, f"{uri} was answered {status}; needed: {permission} on the bucket") from None
        except (RetryError, RequestException, GoogleAuthError) as error:
            raise TransientApiError(f"Cloud Storage did not answer for {uri} ({type(error).__name__})") from None

    def _client(self) -> Any:
        if os.environ.get(EMULATOR_VARIABLE):
            from google.auth.credentials import AnonymousCredentials
            from google.cloud.storage import Client

            return Client(project="emulator", credentials=AnonymousCredentials())
        from airflow.providers.google.cloud.hooks.gcs import GCSHook

        hook = GCSHook(
            self._hook.gcp_conn_id,
            self._hook.impersonation_chain,
            quota_project_id=self._hook.quota_project_id,
        )
        return hook.get_conn()
