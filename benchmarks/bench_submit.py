"""From `execute` to the request that starts the work: this package's operator beside Google's for Cloud Batch.

Ours sends its requests to a server on this machine; of Google's, the last call is replaced. A worker imports the DAG
file and executes one task, so every run is a process of its own. Ours imports almost nothing with the DAG file and
loads Google's libraries when it executes: compare the sums. A second `execute` in the same process shows what is our
own work, the libraries once loaded.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.operations_server import operations_server
from benchmarks.watch_candidates import connect, google, replace

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
STEPS = ("import", "first execute", "second execute")


class Memory(dict[str, Any]):
    """What Airflow 3.3 remembers of a task."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


class Sent:
    """When the request that starts the work left, in seconds of CPU time."""

    at = 0.0


def ours(url: str, counts: Counter[str]) -> Callable[[], Any]:
    connect({"project": "p", "healthcare_api_endpoint": url}, counts)
    putrequest = http.client.HTTPConnection.putrequest

    def counting(connection: Any, verb: str, path: str, *options: Any, **more: Any) -> Any:
        counts["requests"] += 1
        counts["discovery"] += "discovery" in path
        if verb == "POST":
            Sent.at = time.process_time()
        return putrequest(connection, verb, path, *options, **more)

    replace(http.client.HTTPConnection, "putrequest", counting)

    def make() -> Any:
        from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator

        return DeidentifyDatasetOperator(
            task_id="t",
            source_dataset="projects/p/locations/l/datasets/a",
            destination_dataset="projects/p/locations/l/datasets/b",
            config={"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}},
            deferrable=True,
        )

    return make


def cloud_batch(_url: str, counts: Counter[str]) -> Callable[[], Any]:
    connect({"project": "p"}, counts)

    def make() -> Any:
        from airflow.providers.google.cloud.operators.cloud_batch import CloudBatchSubmitJobOperator
        from google.cloud.batch import BatchServiceClient, Job

        def create_job(*_: Any) -> Any:
            counts["requests"] += 1
            Sent.at = time.process_time()
            return Job(name="j")

        replace(BatchServiceClient, "create_job", create_job)
        google()
        job = {"taskGroups": [{"taskSpec": {"runnables": [{"container": {"imageUri": "i"}}]}, "taskCount": "1"}]}
        return CloudBatchSubmitJobOperator(
            task_id="t", project_id="p", region="r", job_name="j", job=job, deferrable=True
        )

    return make


OPERATORS = {"this package": ours, "CloudBatchSubmitJobOperator": cloud_batch}


def run_one(name: str, url: str) -> None:
    """Measure one operator in this process and print the figures as JSON."""
    from airflow.sdk import DAG, BaseOperator  # noqa: F401 - what every DAG file pays for
    from airflow.sdk.exceptions import TaskDeferred

    counts: Counter[str] = Counter()
    make = OPERATORS[name](url, counts)
    started = time.process_time()
    operator = make()
    times, once = [time.process_time() - started], None
    for _ in range(2):
        task_instance = SimpleNamespace(
            task_id="t", map_index=-1, try_number=1, max_tries=0, xcom_push=lambda **_: None, xcom_pull=lambda **_: None
        )
        context = {"task": operator, "ti": task_instance, "task_state_store": Memory()}
        started = time.process_time()
        with suppress(TaskDeferred):
            operator.execute(context)
        times.append(Sent.at - started)
        operator.__dict__.pop("hook", None)
        once = once or dict(counts)
    print(json.dumps({"times": times, **(once or {})}))


def main() -> None:
    if len(sys.argv) > 1:
        run_one(*sys.argv[1:])
        return
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in OPERATORS}
    with operations_server(0.0) as url:
        for _ in range(ROUNDS):
            for name, seen in runs.items():
                command = [sys.executable, "-m", "benchmarks.bench_submit", name, url]
                out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
                seen.append(json.loads(out.splitlines()[-1]))
    print(f"| operator | {' | '.join(f'{step}, CPU ms' for step in STEPS)} | requests | discovery | look-ups |")
    print("|---|---|---|---|---|---|---|")
    for name, seen in runs.items():
        medians = [statistics.median(run["times"][step] for run in seen) * 1000 for step in range(len(STEPS))]
        cells = " | ".join(f"{median:.0f}" for median in medians)
        print(
            f"| {name} | {cells} | {seen[0].get('requests', 0)} | {seen[0].get('discovery', 0)} "
            f"| {seen[0].get('lookups', 0)} |"
        )


if __name__ == "__main__":
    main()
