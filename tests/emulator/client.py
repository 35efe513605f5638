"""A small HTTP client for tests: paths are resource names, answers are checked where the test says what it expects."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

LOCATION = "projects/p/locations/us-central1"
_NUMBERS = itertools.count()


class Client:
    """Sends requests to an emulator.

    :param url: where it serves.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        """Send a request to the API, check the status of the answer, and return its JSON."""
        answer = self.http.request(method, f"/v1/{path}", params=query, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def error(self, method: str, path: str, body: Any = None, *, status: int, **query: Any) -> str:
        """Send a request that must fail, check Google's envelope, and return the message."""
        error = self.call(method, path, body, status=status, **query)["error"]
        assert error["code"] == status
        assert error["status"].isupper()
        return str(error["message"])

    def new_dataset(self) -> str:
        """Create a dataset and return its name."""
        identifier = f"made-{next(_NUMBERS)}"
        self.call("POST", f"{LOCATION}/datasets", {}, datasetId=identifier)
        return f"{LOCATION}/datasets/{identifier}"

    def new_store(self, dataset: str | None = None, instances: Iterable[bytes] = ()) -> str:
        """Create a DICOM store with instances and return its name."""
        dataset = dataset or self.new_dataset()
        self.call("POST", f"{dataset}/dicomStores", {}, dicomStoreId="store")
        store = f"{dataset}/dicomStores/store"
        parts = [b"--b\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % data for data in instances]
        if parts:
            headers = {"content-type": 'multipart/related; type="application/dicom"; boundary=b'}
            body = b"".join(parts) + b"--b--"
            answer = self.http.post(f"/v1/{store}/dicomWeb/studies", content=body, headers=headers)
            assert answer.status_code == 200, answer.text
        return store

    def store(self, store: str, data: bytes, study: str = "") -> httpx.Response:
        """Store one DICOM file."""
        headers = {"content-type": "application/dicom", "accept": "application/dicom+json"}
        return self.http.post(f"/v1/{store}/dicomWeb/studies{study}", content=data, headers=headers)

    def finished(self, operation: str) -> dict[str, Any]:
        """Wait for an operation to end and return it."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.call("GET", operation)
            if found.get("done"):
                return found
            time.sleep(0.02)
        raise AssertionError(f"still running: {found}")

    def admin(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Send a request to the emulator's own interface."""
        answer = self.http.request(method, f"/_emulator/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()
