"""What it costs to watch many operations in one triggerer: this package's trigger beside Google's.

All triggers of a kind run in one event loop, in a process of their own, and are started the way the triggerer starts
them: one in each turn of the loop. Ours sends real HTTP to a server on this machine. Of Google's triggers only the
last call, the one that would leave the machine, is replaced by a wait as long as the server takes; hooks, clients,
connections and tokens are theirs, so in truth they cost more than is shown here by what their requests cost.

A stall is time in which a ticker of 10 ms does not get its turn: in wall time, which others on a busy machine lengthen,
and in CPU time of the loop's own thread, which they do not. The first trigger runs alone, before what is counted as
memory: it pays for what is imported and set up once. What the ticker itself costs is measured then, and taken off the
CPU time of polls.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import watch_candidates
from benchmarks.operations_server import operations_server

if TYPE_CHECKING:
    from collections.abc import Callable

TICK = 0.01
IDLE = 2.5


class Ticker:
    """Notices when the event loop does not come round: the longest wait, and the CPU time spent in it."""

    def __init__(self) -> None:
        self.wall = self.cpu = self.total = 0.0

    async def run(self) -> None:
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            late = time.perf_counter() - wall - TICK
            self.wall, self.cpu = max(self.wall, late), max(self.cpu, time.thread_time() - cpu)
            self.total += late if late > TICK else 0.0

    def reset(self) -> dict[str, float]:
        seen = {"wall": self.wall * 1000, "cpu": self.cpu * 1000, "total": self.total}
        self.wall = self.cpu = self.total = 0.0
        return seen


async def measure(make: Callable[[int], Any], triggers: int, seconds: float, counts: Counter[str]) -> dict[str, Any]:
    """Run one trigger until it asked once, then all of them."""
    ticker = Ticker()
    tasks = {asyncio.create_task(ticker.run())}
    await asyncio.sleep(10 * TICK)
    ticker.reset()
    tasks.add(asyncio.create_task(_consume(make(0))))
    while not counts["polls"]:  # noqa: ASYNC110 - Google's triggers set no event
        await asyncio.sleep(TICK)
    await asyncio.sleep(1)
    first = ticker.reset()
    gc.collect()
    counts["look"] = counts["slowest look"] = 0
    idle = await _idle_cpu()
    memory, polls, files = _resident(), counts["polls"], _files()
    await asyncio.sleep(10 * TICK)
    ticker.reset()
    cpu, started = time.process_time(), time.perf_counter()
    for number in range(1, triggers + 1):
        tasks.add(asyncio.create_task(_consume(make(number))))
        await asyncio.sleep(0)
    starting = ticker.reset()
    most_files = files
    half, polls_at_half = started, polls
    while (now := time.perf_counter()) < started + seconds:
        if half == started and now > started + seconds / 2:
            half, polls_at_half = now, counts["polls"]
        most_files = max(most_files, _files())
        await asyncio.sleep(0.25)
    rate = (counts["polls"] - polls_at_half) / (now - half)
    cpu, polls = time.process_time() - cpu - idle * (now - started), counts["polls"] - polls
    running = ticker.reset()
    gc.collect()
    memory = _resident() - memory
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "kib": memory / 1024 / triggers,
        "rate": rate,
        "cpu": cpu / polls,
        "first": first,
        "starting": starting,
        "running": running,
        "sockets": most_files - files,
        **counts,
    }


async def _idle_cpu() -> float:
    """Seconds of CPU that a second takes in which only the ticker and one waiting trigger run."""
    cpu, started = time.process_time(), time.perf_counter()
    while (now := time.perf_counter()) < started + IDLE:
        _files()
        await asyncio.sleep(0.25)
    return (time.process_time() - cpu) / (now - started)


async def _consume(trigger: Any) -> None:
    async for event in trigger.run():
        raise RuntimeError(f"The trigger ended: {event}")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def run_one(name: str, options: argparse.Namespace) -> None:
    """Measure one kind of trigger in this process and print the figures as JSON."""
    # What triggers write to their logs is left out: Google's write a line for each poll.
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    import airflow.jobs.triggerer_job_runner  # noqa: F401 - what a triggerer has loaded anyway

    counts: Counter[str] = Counter()
    make = watch_candidates.CANDIDATES[name](options.interval, options.latency, options.url, counts)
    print(json.dumps(asyncio.run(measure(make, options.triggers, options.seconds, counts))))


def run_all(options: argparse.Namespace) -> None:
    """Measure each kind of trigger in a process of its own and print a table."""
    print(
        f"{options.triggers} triggers, every {options.interval:g} s, {options.latency * 1000:g} ms until an answer:\n"
    )
    print(
        "| trigger | KiB per trigger | polls/s in the second half (due) | ms CPU per poll "
        "| connection look-ups | tokens | open files at most "
        "| stall, ms CPU (wall): first trigger | starting all | running | ms from due to answer, mean (worst) |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in options.only or watch_candidates.CANDIDATES:
        with operations_server(options.latency) as url:
            command = [sys.executable, "-m", "benchmarks.bench_watch", "--run", name, "--url", url]
            for option in ("triggers", "seconds", "interval", "latency"):
                command += [f"--{option}", str(getattr(options, option))]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seen = json.loads(done.stdout.splitlines()[-1])
        due = options.triggers / (options.interval + options.latency)
        stalls = " | ".join(
            f"{seen[when]['cpu']:.0f} ({seen[when]['wall']:.0f})" for when in ("first", "starting", "running")
        )
        # Of Google's only a wait is left to time.
        look = f"{seen['look'] / seen['polls'] / 1000:.0f} ({seen['slowest look'] / 1000:.0f})" if seen["look"] else ""
        print(
            f"| {name} | {seen['kib']:.1f} | {seen['rate']:.0f} ({due:.0f}) | {seen['cpu'] * 1000:.2f} "
            f"| {seen.get('lookups', 0)} | {seen.get('tokens', 0)} | {seen['sockets']} | {stalls} | {look} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--triggers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--interval", type=float, default=3)
    parser.add_argument("--latency", type=float, default=0.02)
    parser.add_argument("--only", action="append", choices=watch_candidates.CANDIDATES)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_one(options.run, options)
    else:
        run_all(options)


if __name__ == "__main__":
    main()
