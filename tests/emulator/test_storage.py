"""What a killed emulator's workers still write is gone with the folder they write to."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path


def test_the_files_of_an_earlier_run_go_even_while_its_worker_writes(tmp_path: Path) -> None:
    with closing(Storage(tmp_path)) as earlier:
        folder, busy = earlier.incoming, threading.Event()

    def work() -> None:
        number = 0
        while True:
            try:
                (folder / str(number)).write_bytes(b"copy")
            except FileNotFoundError:
                return
            number += 1
            if number == 100:
                busy.set()

    worker = threading.Thread(target=work)
    worker.start()
    assert busy.wait(30)
    with closing(Storage(tmp_path)) as storage:
        worker.join(30)
        assert not worker.is_alive()
        assert not folder.exists()
        assert [path for path in tmp_path.rglob("*") if path.is_dir()] == [storage.incoming.parent, storage.incoming]


def test_a_folder_that_a_crash_left_moved_goes_too(tmp_path: Path) -> None:
    for folder in ("stale", "incoming"):
        (tmp_path / folder / "0123").mkdir(parents=True)
        (tmp_path / folder / "0123" / "copy").touch()
    with closing(Storage(tmp_path)) as storage:
        assert [path.name for path in storage.incoming.parent.iterdir()] == [storage.incoming.name]
        assert not (tmp_path / "stale").exists()
