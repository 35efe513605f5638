"""The worker processes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.emulator.jobs.workers import _LARGEST_BATCH, _MOMENT, WorkerError, Workers

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(2)
    yield made
    made.stop()


def test_a_result_comes_back(workers: Workers) -> None:
    assert workers.call("operator:add", 2, 3) == 5


def test_an_exception_is_told_by_its_type_alone(workers: Workers) -> None:
    with pytest.raises(WorkerError, match=r"^ValueError$"):
        workers.call("builtins:int", "secret")


@pytest.mark.parametrize("end", ["abort()", "_exit(1)"])
def test_an_item_that_kills_its_worker_costs_only_itself(workers: Workers, end: str) -> None:
    items = [(f"__import__('time').sleep(0.002) or {number}",) for number in range(100)]
    items[50] = (f"__import__('os').{end}",)
    batches = list(workers.each("builtins:eval", items))
    results = dict(pair for batch in batches for pair in batch)
    lost = results.pop(items[50])
    assert isinstance(lost, WorkerError)
    assert "died" in str(lost)
    assert sorted(results.values()) == [*range(50), *range(51, 100)]
    assert max(map(len, batches)) > 1


def test_memory_of_a_worker_is_bounded(workers: Workers) -> None:
    with pytest.raises(WorkerError, match="MemoryError"):
        workers.call("builtins:bytearray", 8 * 1024**3)


def test_items_are_taken_no_further_ahead_than_needed(workers: Workers) -> None:
    taken = 0

    def items() -> Iterator[tuple[int, int]]:
        nonlocal taken
        for number in range(2000):
            taken += 1
            yield number, 1

    done = 0
    for batch in workers.each("operator:add", items()):
        assert all(result == number + 1 for (number, _), result in batch)
        done += len(batch)
        assert taken - done <= 2 * workers.count * _LARGEST_BATCH
    assert done == 2000


def test_quick_work_goes_in_large_batches_and_slow_work_one_by_one(workers: Workers) -> None:
    quick = [len(batch) for batch in workers.each("operator:add", ((1, 1) for _ in range(1000)))]
    assert quick[0] == 1
    assert max(quick) == _LARGEST_BATCH
    assert {len(batch) for batch in workers.each("time:sleep", [(2 * _MOMENT,)] * 4)} == {1}


def test_stopping_half_way_leaves_nothing_behind(workers: Workers) -> None:
    results = workers.each("time:sleep", iter([(0.001,)] * 100))
    next(results)
    results.close()
    assert workers._unfinished == 0


def test_a_stop_fails_what_is_in_hand(workers: Workers) -> None:
    futures = [workers.submit("time:sleep", [(60,)]) for _ in range(4)]
    workers.stop()
    for future in futures:
        with pytest.raises((WorkerError, CancelledError)):
            future.result()
    with pytest.raises(WorkerError, match="stopped"):
        workers.call("operator:add", 1, 1)


def test_heavy_libraries_are_loaded_by_the_workers_alone() -> None:
    code = (
        "import sys; from airflow_healthcare_deid.emulator import app, jobs; "
        "[jobs.find_job(kind) for kind in jobs.JOBS]; "
        "print(*{'google.cloud.storage', 'numpy', 'pydicom'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []
