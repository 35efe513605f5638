"""Runs DAGs with ``dag.test()``, in a process of its own with a metadata database of its own.

Reads one JSON list a line, ``[FILE, DATE]``, and prints how each run ended as JSON, too. One process for all runs: it
takes Airflow long to start.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

MARK = "RUN: "


def load(path: str) -> Any:
    """Return the one DAG of a file."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(path)
    assert not bag.import_errors, bag.import_errors
    [dag] = bag.dags.values()
    return dag


def ask_soon(dag: Any) -> None:
    """Let a DAG's tasks look at their operations every half second: nothing in the tests takes longer."""
    for task in dag.tasks:
        if hasattr(task, "poll_interval"):
            task.poll_interval = 0.5


def run(path: str, date: str | None) -> dict[str, Any]:
    """Run a DAG for a date, or without a logical date; return the states of the run and of its tasks."""
    from airflow.utils.session import create_session

    dag = load(path)
    for task in dag.tasks:
        task.retries = 0
    ask_soon(dag)
    when = datetime.fromisoformat(date).replace(tzinfo=UTC) if date else None
    ended = dag.test(run_after=when, logical_date=when)
    with create_session() as session:
        instances = ended.get_task_instances(session=session)
        tasks = {f"{ti.task_id}[{ti.map_index}]" if ti.map_index >= 0 else ti.task_id: ti.state for ti in instances}
    return {"state": ended.state, "tasks": tasks}


def main() -> None:
    """Make the database, then run what is asked for until there is nothing more."""
    from airflow.utils.db import upgradedb

    upgradedb()
    print(MARK + "{}", flush=True)
    for line in sys.stdin:
        print(MARK + json.dumps(run(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
