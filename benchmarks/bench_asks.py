"""How often an operation is asked about, and how late its end is noticed: this package's schedule beside fixed ones.

A simulation, so the figures are the same on every machine: operations of 30 seconds to 24 hours, log-uniform, once
without counters and once with counters that move steadily.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable

from airflow_healthcare_deid.operation import Progress
from airflow_healthcare_deid.polling import PollSchedule

OPERATIONS = 2000
SHORTEST, LONGEST = 30.0, 86_400.0
RESOURCES = 10_000
Delay = Callable[[float, Progress | None], float]


def watch(duration: float, delay: Delay, *, counters: bool) -> tuple[int, float]:
    """Return the number of requests and by how many seconds the end was noticed late."""
    elapsed, requests = 0.0, 0
    progress: Progress | None = None
    while True:
        elapsed += delay(elapsed, progress)
        requests += 1
        if elapsed >= duration:
            return requests, elapsed - duration
        if counters:
            done = int(RESOURCES * elapsed / duration)
            progress = Progress(success=done, pending=RESOURCES - done)


def main() -> None:
    draw = random.Random(1)
    durations = [SHORTEST * (LONGEST / SHORTEST) ** draw.random() for _ in range(OPERATIONS)]
    schedule = PollSchedule()
    jitter = random.Random(2).uniform
    rows: list[tuple[str, Delay, bool]] = [
        ("this package, no counters", lambda t, p: schedule.next_delay(t, p, jitter), False),
        ("this package, counters", lambda t, p: schedule.next_delay(t, p, jitter), True),
        *((f"fixed {every} s", lambda _t, _p, every=every: float(every), False) for every in (4, 10, 60)),
    ]
    print("| schedule | late, mean share of the duration | late, mean s | requests, mean | requests for 4 h |")
    print("|---|---|---|---|---|")
    for name, delay, counters in rows:
        seen = [(duration, *watch(duration, delay, counters=counters)) for duration in durations]
        share = statistics.mean(late / duration for duration, _, late in seen)
        late = statistics.mean(late for _, _, late in seen)
        asked = statistics.mean(requests for _, requests, _ in seen)
        four_hours, _ = watch(4 * 3600.0, delay, counters=counters)
        print(f"| {name} | {share:.1%} | {late:.0f} | {asked:.0f} | {four_hours} |")


if __name__ == "__main__":
    main()
