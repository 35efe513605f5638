"""The API as the command line needs it: one session, Application Default Credentials, typed errors.

The hook does the same for Airflow; it stands on the discovery client and the connection store, whose imports take
longer than a command may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from airflow_healthcare_deid import __version__
from airflow_healthcare_deid.endpoint import Endpoint, resolve_endpoint
from airflow_healthcare_deid.errors import AuthenticationError, TransientApiError, api_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests

CLOUD_PLATFORM_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT = (10.0, 60.0)


class Client:
    """Sends requests, each once.

    :param api_endpoint: address of the service; default: ``HEALTHCARE_EMULATOR_HOST``, else Google's.
    :param scopes: OAuth scopes of the token; default: ``cloud-platform``.
    :param impersonate: service account to act as.
    :param quota_project: project whose quota is used.
    """

    def __init__(
        self,
        api_endpoint: str | None = None,
        *,
        scopes: Sequence[str] = (),
        impersonate: str | None = None,
        quota_project: str | None = None,
    ) -> None:
        self.endpoint = resolve_endpoint(api_endpoint)
        self._session = _session(self.endpoint, scopes or (CLOUD_PLATFORM_SCOPE,), impersonate)
        self._session.headers["user-agent"] = f"airflow-healthcare-deid/{__version__} cli"
        if quota_project:
            self._session.headers["x-goog-user-project"] = quota_project

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._session.close()

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send one request and return the answer's JSON.

        :param path: what follows ``/v1/``.
        :raises ApiError: if the service refuses, or does not answer.
        """
        import requests
        from google.auth.exceptions import GoogleAuthError

        url = f"{self.endpoint.url}/v1/{path}"
        try:
            answer = self._session.request(
                method, url, json=body, params=params, timeout=_TIMEOUT, allow_redirects=False
            )
        except GoogleAuthError:
            raise AuthenticationError("No token could be had. Run: gcloud auth application-default login") from None
        except requests.RequestException as error:
            hint = ". Start the emulator with: healthcare-deid emulator" if self.endpoint.loopback else ""
            raise TransientApiError(
                f"No answer from {self.endpoint.url} ({type(error).__name__}){hint}", sent=_sent(error)
            ) from None
        if answer.status_code >= 300:
            raise _error(answer, f"{method} {path}")
        try:
            found: object = answer.json()
        except requests.RequestException:
            found = None
        if not isinstance(found, dict):
            raise TransientApiError(f"{method} {path}: what came back is no JSON object; a proxy may have answered")
        return found

    def operations(self, dataset: str) -> Iterator[dict[str, Any]]:
        """Yield the operations of a dataset, page by page."""
        token = ""
        while True:
            page = self.call("GET", f"{dataset}/operations", params={"pageToken": token} if token else None)
            yield from page.get("operations", ())
            token = page.get("nextPageToken", "")
            if not token:
                return


def _session(endpoint: Endpoint, scopes: Sequence[str], impersonate: str | None) -> requests.Session:
    import requests

    if not endpoint.credentials:
        session = requests.Session()
        session.trust_env = False
        return session
    import google.auth
    from google.auth import impersonated_credentials
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials, _ = google.auth.default(scopes=list(scopes))
    except GoogleAuthError:
        raise AuthenticationError(
            "There are no Application Default Credentials. Run: gcloud auth application-default login, or set "
            "HEALTHCARE_EMULATOR_HOST to use the emulator"
        ) from None
    if impersonate:
        credentials = impersonated_credentials.Credentials(
            source_credentials=credentials, target_principal=impersonate, target_scopes=list(scopes)
        )
    return AuthorizedSession(credentials)


def _sent(error: requests.RequestException) -> bool:
    """Tell whether a request without an answer may have reached the service."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return not isinstance(reason, ConnectTimeoutError | NewConnectionError)


def _error(answer: requests.Response, what: str) -> Exception:
    try:
        error = answer.json()["error"]
        said, reason = str(error.get("message", "")), error.get("status")
    except (ValueError, KeyError, TypeError, AttributeError):
        said, reason = "", None
    status, wait = answer.status_code, answer.headers.get("retry-after", "")
    hint = ""
    if status in (403, 404):
        hint = " (the permission is missing, or the resource does not exist: the service answers alike)"
    return api_error(
        status,
        f"{what}: {status} {reason or ''} {said}{hint}".strip(),
        reason=reason,
        retry_after=float(wait) if wait.isdecimal() else None,
    )
