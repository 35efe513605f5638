from __future__ import annotations

from typing import TYPE_CHECKING

from demo.emulator import EmulatorProcess
from demo.storage import StorageClient, StoredFile

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_in_the_bucket_is_read_by_prefix(tmp_path: Path) -> None:
    with EmulatorProcess(tmp_path / "data", tmp_path / "log") as emulator:
        storage = StorageClient(emulator.storage_url)
        bucket = storage.create_bucket("b")
        for name in ("published/2", "published/1", "quarantine/3"):
            bucket.blob(name).upload_from_string(name)
        assert list(storage.files("b", "published/")) == [
            StoredFile("1", b"published/1"),
            StoredFile("2", b"published/2"),
        ]
        storage.close()
