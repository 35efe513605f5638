"""Cloud Storage locations, ``gs://bucket/path/to/object``.

Rules of names: https://cloud.google.com/storage/docs/buckets#naming and .../objects#naming.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from airflow_healthcare_deid.config.suggestions import shown
from airflow_healthcare_deid.errors import ConfigError

_FORM = "gs://bucket/path/to/object"
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])")
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_MAX_OBJECT_BYTES = 1024


class GcsLocation(NamedTuple):
    """A bucket and what lies in it."""

    bucket: str
    name: str


def parse_gcs_uri(uri: str, path: str = "gcsUri", *, prefix: bool = False) -> GcsLocation:
    """Read a Cloud Storage location.

    :param uri: ``gs://bucket/path/to/object``.
    :param path: what an error calls it.
    :param prefix: whether it is the beginning of object names, which may be empty or end in ``/``.
    :raises ConfigError: if it has another form or breaks the rules of bucket or object names.
    """
    if not isinstance(uri, str):
        raise ConfigError(path, "is not text", f"Use the form {_FORM}")
    if not uri.startswith("gs://"):
        raise ConfigError(path, f"{shown(uri)} does not start with gs://", f"Use the form {_FORM}")
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    problem = _bucket_problem(bucket) or (None if prefix and not name else _object_problem(name, prefix=prefix))
    if problem:
        raise ConfigError(path, f"{shown(uri)} is no Cloud Storage location: {problem}", f"Use the form {_FORM}")
    return GcsLocation(bucket, name)


def _bucket_problem(bucket: str) -> str | None:
    if not bucket:
        return "it names no bucket"
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        return "a bucket's name has lower-case letters, digits, '-', '_', '.', and a letter or digit at both ends"
    if len(bucket) < 3 or len(bucket) > 222 or any(len(part) > 63 for part in bucket.split(".")):
        return "a bucket's name has 3 to 63 characters"
    if _IP_ADDRESS.fullmatch(bucket):
        return "a bucket's name is no IP address"
    if bucket.startswith("goog") or "google" in bucket:
        return "a bucket's name neither starts with 'goog' nor contains 'google'"
    return None


def _object_problem(name: str, *, prefix: bool) -> str | None:
    if not name:
        return "it names no object"
    if name.endswith("/") and not prefix:
        return "it names a folder, not an object"
    if any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in name):
        return "an object's name holds no control characters"
    if len(name.encode()) > _MAX_OBJECT_BYTES:
        return f"an object's name has at most {_MAX_OBJECT_BYTES} bytes"
    return None
