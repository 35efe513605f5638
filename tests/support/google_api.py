"""Fixtures for tests over HTTP: Google's own client for the emulator, a dataset, and FHIR stores in it."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import httplib2  # type: ignore[import-untyped]
import pytest
from google.auth.credentials import AnonymousCredentials
from google_auth_httplib2 import AuthorizedHttp  # type: ignore[import-untyped]
from googleapiclient.discovery import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.emulator import Emulator

PARENT = "projects/p/locations/us-central1"


class ShortHttp(httplib2.Http):
    """An HTTP client that keeps no connection open: the server closes idle ones, and a session of tests has pauses."""

    def __init__(self) -> None:
        super().__init__(timeout=30)

    def request(self, *arguments: Any, **options: Any) -> Any:
        """Send a request on a connection of its own."""
        try:
            return super().request(*arguments, **options)
        finally:
            self.close()


class Reply:
    """An HTTP reply: status, headers and decoded body."""

    def __init__(self, response: httplib2.Response, content: bytes) -> None:
        self.status = response.status
        self.headers: dict[str, str] = dict(response)
        self.content = content

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


class Store:
    """A FHIR store, for requests that no client of Google's makes."""

    def __init__(self, url: str, name: str, http: httplib2.Http) -> None:
        self.name = name
        self.base = f"{url}/v1/{name}/fhir"
        self._http = http

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request; ``path`` is relative to ``…/fhir``; underscores in header names are hyphens."""
        sent = {"content-type": "application/fhir+json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return Reply(*self._http.request(f"{self.base}{path}", method, data, sent))

    def put(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Store a resource under its own id."""
        reply = self.send("PUT", f"/{resource['resourceType']}/{resource['id']}", resource)
        assert reply.status in (200, 201), reply.body
        stored: dict[str, Any] = reply.body
        return stored

    def ids(self, query: str) -> set[str]:
        """Return the ids that a search finds on its first page."""
        reply = self.send("GET", query)
        assert reply.status == 200, reply.body
        return {entry["resource"]["id"] for entry in reply.body.get("entry", [])}


@pytest.fixture(scope="session")
def http() -> Iterator[httplib2.Http]:
    """A plain HTTP client."""
    client = ShortHttp()
    client.follow_redirects = False
    yield client
    client.close()


@pytest.fixture(scope="session")
def service(session_emulator: Emulator) -> Iterator[Any]:
    """Google's client, on the static discovery document."""
    client = build(
        "healthcare",
        "v1",
        http=AuthorizedHttp(AnonymousCredentials(), http=ShortHttp()),
        client_options={"api_endpoint": session_emulator.url},
        static_discovery=True,
    )
    yield client
    client.close()


@pytest.fixture
def dataset(service: Any) -> str:
    """A new dataset."""
    name = f"d{uuid.uuid4().hex}"
    service.projects().locations().datasets().create(parent=PARENT, datasetId=name, body={}).execute()
    return f"{PARENT}/datasets/{name}"


@pytest.fixture
def fhir_stores(service: Any) -> Any:
    """The resource ``fhirStores`` of Google's client."""
    return service.projects().locations().datasets().fhirStores()


@pytest.fixture
def make_store(session_emulator: Emulator, http: httplib2.Http, fhir_stores: Any, dataset: str) -> Any:
    """Create a FHIR store: ``make_store("name", enableUpdateCreate=True)``."""

    def make(name: str = "store", version: str = "R4", **fields: Any) -> Store:
        body = {"version": version, "enableUpdateCreate": True, **fields}
        fhir_stores.create(parent=dataset, fhirStoreId=name, body=body).execute()
        return Store(session_emulator.url, f"{dataset}/fhirStores/{name}", http)

    return make


@pytest.fixture
def store(make_store: Any) -> Store:
    """An R4 store that takes ids of the client's and keeps referential integrity."""
    made: Store = make_store()
    return made


@pytest.fixture
def wait(service: Any) -> Any:
    """Wait for an operation: ``wait(started)`` returns it when it is done."""

    def wait(started: dict[str, Any]) -> dict[str, Any]:
        operations = service.projects().locations().datasets().operations()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            operation: dict[str, Any] = operations.get(name=started["name"]).execute()
            if operation.get("done"):
                return operation
            time.sleep(0.02)
        raise AssertionError("the operation does not end")

    return wait
