"""Reading what stores hold: DICOMweb and FHIR.

What is asked and what comes back is patient data. Neither is logged, and an error names the resource and the status
without repeating what the service said.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from airflow_healthcare_deid.errors import InvalidRequestError, TransientApiError
from airflow_healthcare_deid.hooks._answers import error_from_response, no_answer
from airflow_healthcare_deid.hooks._backoff import Backoff
from airflow_healthcare_deid.hooks._methods import METHODS
from airflow_healthcare_deid.hooks._token import credentials_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.resource_names import DicomStoreName, FhirStoreName

ATTEMPTS = 5
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_PATIENT_PATHS = ("/dicomWeb/", "/fhir/")


class Content(NamedTuple):
    """A body and its media type."""

    media_type: str
    body: bytes

    def parts(self) -> Iterator[bytes]:
        """Yield the bodies of a multipart message (RFC 2046, section 5.1)."""
        found = _BOUNDARY.search(self.media_type)
        if found is None:
            yield self.body
            return
        delimiter = b"--" + found[1].encode("latin-1")
        for part in self.body.split(delimiter)[1:-1]:
            yield part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


def get_content(
    hook: HealthcareHook,
    method: str,
    store: DicomStoreName | FhirStoreName,
    path: str,
    query: Mapping[str, str | int] | None = None,
    *,
    accept: str,
) -> Content | None:
    """Read from a store; passing failures are tried again.

    :param method: key of the table of methods.
    :param path: below the store, such as ``dicomWeb/studies``.
    :param query: parameters; their values never show.
    :param accept: media type asked for.
    :return: None for an answer without content, as a search without matches has.
    :raises ApiError: what the answer, or its absence, means.
    """
    _quiet()
    backoff = Backoff()
    while True:
        try:
            return _get(hook, method, store, f"{path}?{urlencode(query)}" if query else path, accept)
        except TransientApiError as error:
            if backoff.failures + 1 >= ATTEMPTS:
                raise
            hook._sleep(backoff.after(error))


def _get(
    hook: HealthcareHook, method: str, store: DicomStoreName | FhirStoreName, path: str, accept: str
) -> Content | None:
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    from airflow_healthcare_deid.hooks._transport import RefusedError, may_have_been_sent

    entry = METHODS[method]
    try:
        response, body = hook._http.request(f"{hook.endpoint.url}/v1/{store}/{path}", headers={"accept": accept})
    except RefusedError as error:
        raise error_from_response(entry, str(store), error.status, b"", error.retry_after) from None
    except RequestException as error:
        sent = may_have_been_sent(error)
        raise no_answer(entry, str(store), hook.endpoint, type(error).__name__, sent=sent) from None
    except GoogleAuthError as error:
        raise credentials_error(error, hook.gcp_conn_id) from None
    return Content(response.get("content-type", ""), body) if response.status == 200 and body else None


def check_uid(uid: str) -> str:
    """Return a UID that may stand in a URL's path."""
    if not re.fullmatch(r"[0-9.]{1,64}", uid):
        raise InvalidRequestError("", "a UID in the store has characters other than digits and dots")
    return uid


class _NoPatientPaths(logging.Filter):
    """Drops the debug lines in which urllib3 writes out a request's path and query."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not any(path in str(argument) for argument in record.args or () for path in _PATIENT_PATHS)


_FILTER = _NoPatientPaths()


def _quiet() -> None:
    # Adding the same filter again does nothing.
    logging.getLogger("urllib3.connectionpool").addFilter(_FILTER)
