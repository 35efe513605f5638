"""`python -m quality`: de-identify the set with an emulator of its own and print what was planted and what was found.

Ends with 1 when any measure is below 100 %.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import TYPE_CHECKING

from airflow_healthcare_deid.emulator import Emulator
from quality.corpus import make_corpus
from quality.measures import measure
from quality.plants import Kind, Place, Profile
from quality.runs import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quality.corpus import Corpus
    from quality.measures import Measure


def main(arguments: Sequence[str]) -> int:
    """Run the set through the configurations asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m quality", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another set of identifiers")
    parser.add_argument("--config", action="append", choices=[*Profile], help="only this configuration")
    parser.add_argument("--faults", action="store_true", help="name the places where something went wrong")
    options = parser.parse_args(arguments)
    corpus = make_corpus(options.seed)
    print(planted(corpus))
    profiles = [Profile(name) for name in options.config or Profile]
    results: dict[Profile, list[Measure]] = {}
    with Emulator() as emulator:
        for profile in profiles:
            results[profile] = measure(run(corpus, profile, emulator.url))
    print(measured(results))
    faults = [(profile, one, fault) for profile, rows in results.items() for one in rows for fault in one.faults]
    if options.faults:
        for profile, one, fault in faults:
            print(f"{profile}: {one.name}: {fault}")
    return 1 if faults else 0


def planted(corpus: Corpus) -> str:
    """Return a table of what was planted where."""
    counts = Counter((plant.place, plant.kind) for plant in corpus.plants)
    rows = [[place, *(str(counts[place, kind]) for kind in Kind)] for place in Place]
    total = ["all", *(str(sum(counts[place, kind] for place in Place)) for kind in Kind)]
    title = (
        f"{len(corpus.plants)} identifiers in {len(corpus.instances)} instances and {len(corpus.resources)} resources"
    )
    return f"{title}\n{_table([['planted', *Kind], *rows, total])}"


def measured(results: dict[Profile, list[Measure]]) -> str:
    """Return a table of the measures: done right, required, and the share."""
    profiles = list(results)
    rows = [[one.name] for one in next(iter(results.values()))]
    for profile in profiles:
        for row, one in zip(rows, results[profile], strict=True):
            row += [f"{one.correct} of {one.required}", f"{100 * one.correct / one.required:.2f} %"]
    return _table([["measure", *(cell for profile in profiles for cell in (str(profile), ""))], *rows])


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width) for index, (cell, width) in enumerate(zipped)
        ).rstrip()
        for zipped in (list(zip(row, widths, strict=True)) for row in rows)
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
