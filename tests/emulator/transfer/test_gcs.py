from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.emulator import gcs
from airflow_healthcare_deid.emulator.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize(
    ("uri", "matching", "others"),
    [
        ("gs://bucket/dir/*.dcm", ["dir/a.dcm", "dir/.dcm"], ["dir/b/a.dcm", "dir/a.dcm.gz", "xdir/a.dcm"]),
        ("gs://bucket/dir/**", ["dir/a", "dir/b/c.dcm"], ["dirs/a", "a"]),
        ("gs://bucket/dir/**.dcm", ["dir/a.dcm", "dir/b/c.dcm"], ["dir/a.txt", "dir/adcm"]),
        ("gs://bucket/a?.dcm", ["ab.dcm"], ["a.dcm", "a/.dcm", "abc.dcm"]),
        ("gs://bucket/a[1]+.dcm", ["a[1]+.dcm"], ["a1.dcm"]),
    ],
)
def test_wildcards_stand_for_what_google_says(uri: str, matching: list[str], others: list[str]) -> None:
    location, pattern = gcs.compile_wildcards(uri, "uri")
    assert all(pattern.fullmatch(name) and name.startswith(location.name) for name in matching)
    assert not any(pattern.fullmatch(name) for name in others)


@pytest.mark.parametrize(
    "uri", [None, 7, "", "bucket/a", "gs://bucket", "gs://bucket/", "gs://B/a", "gs://bucket/*/**", "gs://bucket/**/a"]
)
def test_other_forms_are_refused(uri: Any) -> None:
    with pytest.raises(ServiceError) as refused:
        gcs.compile_wildcards(uri, "gcsSource.uri")
    assert refused.value.http_status == 400


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        location, pattern = gcs.compile_wildcards(f"gs://bucket/{text}", "uri")
    except ServiceError:
        return
    assert text.startswith(location.name)
    if not set(text) & set("*?"):
        assert pattern.fullmatch(text)


def test_objects_are_written_read_and_listed(bucket: Any) -> None:
    for name in ("a/1.txt", "a/b/2.txt", "c.txt"):
        gcs.write_gcs(f"gs://{bucket.name}/{name}", name.encode(), "text/plain")
    assert bucket.blob("a/1.txt").download_as_bytes() == b"a/1.txt"
    assert gcs.read_gcs(f"gs://{bucket.name}/a/b/2.txt") == b"a/b/2.txt"
    assert gcs.list_gcs(f"gs://{bucket.name}/a/**.txt") == [
        f"gs://{bucket.name}/a/1.txt",
        f"gs://{bucket.name}/a/b/2.txt",
    ]


def test_what_is_missing_or_too_large_is_a_clean_400(bucket: Any) -> None:
    gcs.write_gcs(f"gs://{bucket.name}/a", b"12345", "text/plain")
    for uri in (f"gs://{bucket.name}/none", f"gs://{bucket.name}-none/a"):
        with pytest.raises(ServiceError, match="does not exist") as missing:
            gcs.read_gcs(uri, "gcsConfigUri")
        assert missing.value.http_status == 400
    with pytest.raises(ServiceError, match="larger"):
        gcs.read_gcs(f"gs://{bucket.name}/a", limit=4)


@pytest.fixture
def bomb(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The size of every object of a storage that packs what it sends, as Google's does with objects stored packed."""
    size = 10_000_000
    packed = gzip.compress(bytes(size))

    class Storage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        yield size
        server.shutdown()


def test_what_unpacks_beyond_the_limit_is_not_unpacked(bomb: int, tmp_path: Path) -> None:
    file = tmp_path / "object"
    with pytest.raises(ServiceError, match="larger than 1000000 bytes") as refused:
        gcs.fetch_gcs("gs://bucket/bomb", file, "gcsSource.uri", 1_000_000)
    assert refused.value.http_status == 400
    assert file.stat().st_size <= 1_000_000
    gcs.fetch_gcs("gs://bucket/bomb", file, "gcsSource.uri")
    assert file.stat().st_size == bomb


def test_an_unreachable_storage_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(gcs, "_RETRY_SECONDS", 0.1)
    with pytest.raises(ServiceError, match="could not be reached") as failed:
        gcs.read_gcs("gs://bucket/a")
    assert failed.value.http_status == 503
