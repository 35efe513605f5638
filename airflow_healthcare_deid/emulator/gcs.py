"""Cloud Storage, through Google's client: ``STORAGE_EMULATOR_HOST`` points it at a storage emulator.

Credentials are never used with a storage emulator, and otherwise are the machine's own (Application Default
Credentials). Wildcards: discovery document, ``GoogleCloudHealthcareV1DicomGcsSource.uri``.
"""

from __future__ import annotations

import functools
import io
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from airflow_healthcare_deid.config.gcs import GcsLocation, parse_gcs_uri
from airflow_healthcare_deid.emulator.errors import Code, ServiceError, invalid
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_OBJECT_BYTES = 1024**3
"""The largest object that is read; the emulator's own guard, Google's limits are higher."""

_TIMEOUT = 60
_RETRY_SECONDS = 10.0


class _TooLargeError(Exception):
    """An object has more bytes than its reader takes."""


class _BoundedFile(io.FileIO):
    """A new file that takes so many bytes: what an object holds may be compressed, so its size tells nothing."""

    def __init__(self, path: Path, limit: int | None) -> None:
        super().__init__(path, "w")
        self._limit = limit

    def write(self, data: Any) -> int:
        if self._limit is not None and self.tell() + len(data) > self._limit:
            raise _TooLargeError
        return super().write(data)


def parse_location(uri: object, field: str, *, prefix: bool = False) -> GcsLocation:
    """Read a ``gs://`` URI of a request.

    :param field: the request's field, for the error.
    :param prefix: whether it names a directory; the slash at its end is added where it is missing.
    :raises ServiceError: 400 if it is malformed.
    """
    try:
        location = parse_gcs_uri(uri if isinstance(uri, str) else "", field, prefix=prefix)
    except ConfigError as error:
        raise invalid(str(error), field=field) from None
    if prefix and location.name:
        return location._replace(name=f"{location.name.rstrip('/')}/")
    return location


def compile_wildcards(uri: object, field: str) -> tuple[GcsLocation, re.Pattern[str]]:
    """Read a source URI with its wildcards: ``*`` and ``?`` within a directory, ``**`` over directories.

    ``**`` stands at the end and alone, or before a file extension, as in ``dir/**.dcm``.

    :return: bucket and the prefix before the first wildcard; the pattern for whole object names.
    :raises ServiceError: 400 for any other form.
    """
    source = parse_location(uri, field)
    name = source.name
    head, double, tail = name.partition("**")
    if double and (re.search(r"[*?]", head) or not re.fullmatch(r"(?:\.[\w.-]+)?", tail)):
        raise invalid("'**' must be the only wildcard, and stand at the end or before a file extension.", field=field)
    if double:
        pattern = re.escape(head) + ".*" + re.escape(tail)
    else:
        pattern = re.sub(r"\\([*?])", lambda match: {"*": "[^/]*", "?": "[^/]"}[match.group(1)], re.escape(name))
    prefix = re.split(r"[*?]", name, maxsplit=1)[0]
    return GcsLocation(source.bucket, prefix), re.compile(pattern, re.DOTALL)


def read_gcs(uri: str, field: str = "gcsUri", limit: int = MAX_OBJECT_BYTES) -> bytes:
    """Read an object.

    :param uri: ``gs://bucket/path/to/object``.
    :param field: the request's field that holds the URI, for the error.
    :param limit: the most bytes it may have.
    :raises ServiceError: 400 if the URI is malformed, the object is missing or too large; 403 if it may not be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "object"
        fetch_gcs(uri, file, field, limit)
        return file.read_bytes()


def fetch_gcs(uri: str, target: Path, field: str, limit: int | None = None) -> None:
    """Read an object into a file.

    :param limit: the most bytes it may have, unpacked; None is for any size.
    :raises ServiceError: as `read_gcs` does.
    """
    source = parse_location(uri, field)

    def fetch() -> None:
        blob = _client().bucket(source.bucket).blob(source.name)
        with _BoundedFile(target, limit) as file:
            blob.download_to_file(file, timeout=_TIMEOUT, retry=_retry())

    try:
        _answered(fetch, source, field)
    except _TooLargeError:
        raise invalid(f"{uri} is larger than {limit} bytes.", field=field) from None


def list_gcs(uri: str, field: str = "gcsSource.uri") -> list[str]:
    """Return the URIs of all objects that a source URI with wildcards stands for, in order of their names.

    :raises ServiceError: 400 if the URI is malformed or the bucket is missing; 403 if it may not be listed.
    """
    source, pattern = compile_wildcards(uri, field)

    def names() -> list[str]:
        blobs = _client().list_blobs(source.bucket, prefix=source.name, timeout=_TIMEOUT, retry=_retry())
        return sorted(blob.name for blob in blobs if pattern.fullmatch(blob.name) and not blob.name.endswith("/"))

    return [f"gs://{source.bucket}/{name}" for name in _answered(names, source, field)]


def write_gcs(uri: str, content: bytes | BinaryIO, content_type: str, field: str = "gcsDestination.uriPrefix") -> None:
    """Write an object; one that is there is overwritten.

    :param content: the bytes, or an open file that has them.
    :raises ServiceError: 400 if the bucket is missing, 403 if it may not be written.
    """
    target = parse_location(uri, field)
    options: dict[str, Any] = {"content_type": content_type, "timeout": _TIMEOUT, "retry": _retry()}

    def write() -> None:
        blob = _client().bucket(target.bucket).blob(target.name)
        if isinstance(content, bytes):
            blob.upload_from_string(content, **options)
        else:
            # With its size, an object of up to 8 MiB takes one request instead of two.
            blob.upload_from_file(content, size=os.fstat(content.fileno()).st_size, **options)

    _answered(write, target, field)


def check_bucket(target: GcsLocation, field: str) -> None:
    """See that a destination's bucket is there.

    :raises ServiceError: 400 if it is missing, 403 if it may not be seen.
    """

    def look() -> None:
        next(iter(_client().list_blobs(target.bucket, max_results=1, timeout=_TIMEOUT, retry=_retry())), None)

    _answered(look, target, field)


def _client() -> Any:
    return _client_for(os.environ.get("STORAGE_EMULATOR_HOST"))


@functools.lru_cache(maxsize=4)
def _client_for(emulator_host: str | None) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    if emulator_host:
        return Client(project="emulator", credentials=AnonymousCredentials())
    return Client()


def _retry() -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(_RETRY_SECONDS)


def _answered(act: Callable[[], T], target: GcsLocation, field: str) -> T:
    """Turn the storage client's errors into the Healthcare API's; their own text may hold what was sent."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    where = f"gs://{target.bucket}/{target.name}"
    try:
        return act()
    except exceptions.NotFound:
        raise invalid(f"{where}: the bucket or object does not exist.", field=field) from None
    except (exceptions.Forbidden, exceptions.Unauthorized):
        raise ServiceError(
            Code.PERMISSION_DENIED, f"The emulator's credentials may not access {where} (or it does not exist)."
        ) from None
    except GoogleAuthError:
        raise ServiceError(
            Code.PERMISSION_DENIED,
            "No usable credentials for Cloud Storage. Set STORAGE_EMULATOR_HOST to use a storage emulator.",
        ) from None
    except (exceptions.GoogleAPICallError, exceptions.RetryError, RequestException) as error:
        raise ServiceError(
            Code.UNAVAILABLE, f"Cloud Storage could not be reached for {where}: {type(error).__name__}."
        ) from None
