"""Runs DAG files with ``dag.test()`` in an Airflow of their own: ``python -m tests.docs.dag_runs NAME…``.

They lie in the DAGs folder. Prints one line of JSON for each: its name, and how its run ended.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag

from tests.support.run_dag import ask_soon

START = datetime(2026, 1, 2, 2, tzinfo=UTC)
"""The logical date of the first run. Each has its own, for some name what they create by it."""


def main(names: list[str]) -> None:
    """Run the DAGs of each file."""
    folder = Path(conf.get("core", "dags_folder"))
    for number, name in enumerate(names):
        date = START + timedelta(minutes=number)
        bag = DagBag(folder / f"{name}.py")
        states: dict[str, dict[str, str | None]] = {}
        for dag in bag.dags.values():
            ask_soon(dag)
            run = dag.test(logical_date=date, run_after=date)
            states[dag.dag_id] = {
                "state": str(run.state),
                **{ti.task_id: str(ti.state) for ti in run.get_task_instances()},
            }
        print(json.dumps({"name": name, "errors": list(bag.import_errors.values()), "states": states}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
