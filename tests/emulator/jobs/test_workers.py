"""The worker processes."""

from __future__ import annotations

from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.emulator.jobs.workers import WorkerError, Workers

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


@pytest.mark.parametrize("task", ["os:abort", "os:_exit"])
def test_a_task_that_kills_its_worker_costs_only_itself(workers: Workers, task: str) -> None:
    lost = workers.submit(task, *([1] if task == "os:_exit" else []))
    kept = [workers.submit("operator:add", 1, number) for number in range(20)]
    with pytest.raises(WorkerError, match="died"):
        lost.result()
    assert [future.result() for future in kept] == list(range(1, 21))


def test_memory_of_a_worker_is_bounded(workers: Workers) -> None:
    with pytest.raises(WorkerError, match="MemoryError"):
        workers.call("builtins:bytearray", 8 * 1024**3)


def test_items_are_taken_no_further_ahead_than_needed(workers: Workers) -> None:
    taken = 0

    def items() -> Iterator[tuple[int, int]]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number, 1

    done = 0
    for (number, _), result in workers.each("operator:add", items()):
        assert result == number + 1
        done += 1
        assert taken - done <= 4 * workers.count
    assert done == 100


def test_stopping_half_way_leaves_nothing_behind(workers: Workers) -> None:
    results = workers.each("time:sleep", iter([(0.001,)] * 100))
    next(results)
    results.close()
    assert workers._unfinished == 0


def test_a_stop_fails_what_is_in_hand(workers: Workers) -> None:
    futures = [workers.submit("time:sleep", 60) for _ in range(4)]
    workers.stop()
    for future in futures:
        with pytest.raises((WorkerError, CancelledError)):
            future.result()
    with pytest.raises(WorkerError, match="stopped"):
        workers.call("operator:add", 1, 1)
