"""`make bench`: run every measurement, or those named: `python -m benchmarks polling imports`.

A measurement is a file `bench_<name>.py` beside this one. It runs in a process of its own, so that none warms the
imports or the memory of the next, and prints what it measured.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PREFIX = "bench_"


def main(wanted: list[str]) -> int:
    """Run the measurements; returns 0 when all of them ended well, 2 when a name is unknown."""
    found = {path.stem.removeprefix(PREFIX): path for path in sorted(Path(__file__).parent.glob(f"{PREFIX}*.py"))}
    unknown = sorted(set(wanted) - set(found))
    if unknown:
        print(f"no such measurement: {', '.join(unknown)}; there are: {', '.join(found) or 'none'}", file=sys.stderr)
        return 2
    if not found:
        print("No measurements yet.")
    failed = 0
    for name in wanted or found:
        print(f"== {name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{found[name].stem}"], check=False).returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
