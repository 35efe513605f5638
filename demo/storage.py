"""Cloud Storage as any of its users meets it: Google's client library, pointed at the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class StoredFile:
    """One object.

    :param name: its name, from below the prefix that was asked for.
    :param data: its content.
    """

    name: str
    data: bytes


class StorageClient:
    """A client of the storage emulator.

    :param url: where it listens.
    """

    def __init__(self, url: str) -> None:
        session = requests.Session()
        session.trust_env = False
        credentials = AnonymousCredentials()
        self._client: Any = Client("demo", credentials, _http=session, client_options={"api_endpoint": url})

    def create_bucket(self, bucket: str) -> Any:
        """Create a bucket, and return it as Google's library does."""
        return self._client.create_bucket(bucket)

    def files(self, bucket: str, prefix: str) -> Iterator[StoredFile]:
        """Read every object whose name begins with the prefix, in the order of their names."""
        for blob in self._client.list_blobs(bucket, prefix=prefix):
            yield StoredFile(blob.name.removeprefix(prefix), blob.download_as_bytes())

    def close(self) -> None:
        self._client.close()
