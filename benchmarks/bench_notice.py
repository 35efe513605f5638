"""From the end of an operation to the end of the task, in a real Airflow, and where the time goes.

Our operator and one in the shape of most providers (ask every ten seconds) each wait for an operation; both operations
end at the same moment, after their counters have moved steadily. The parts are read from the tasks' logs: until the
trigger fired, until a worker began with the task again, until the task had ended.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from demo.playground import REPOSITORY, SOURCE, SOURCE_STORE, Playground
from demo.processes import wait_until

RESOURCES = 1000
DURATIONS = (35.0, 50.0, 75.0)
PARTS = ("until the trigger fired", "until a worker began", "until the task ended")
FIRED = "Trigger fired event"


class Run:
    """One run of each DAG, and the two operations they wait for."""

    def __init__(self, playground: Playground, number: int) -> None:
        self._airflow = playground.airflow
        self._http = httpx.Client(base_url=playground.emulator.url, timeout=30)
        peers = self._deidentify(f"peer-{number}")
        api = self._airflow.api
        self.runs = {
            "this_package": api.trigger("this_package", {"destination": f"ours-{number}"}),
            "fixed_interval": api.trigger("fixed_interval", {"url": f"{playground.emulator.url}/v1/{peers}"}),
        }
        wait_until(lambda: all(self._state(dag) == "deferred" for dag in self.runs), 180, "both tasks deferred")
        running = self._http.get(f"/v1/{SOURCE}/operations").json()["operations"]
        self._operations = [each["name"] for each in running if not each.get("done")]
        assert len(self._operations) == 2

    def finish(self, after: float) -> dict[str, list[float]]:
        """Let the operations go on for some seconds and end; returns the seconds of each part by DAG."""
        started = time.time()
        while (elapsed := time.time() - started) < after:
            done = int(RESOURCES * elapsed / after)
            self._advance({"counter": {"success": done, "pending": RESOURCES - done}})
            time.sleep(0.5)
        ended = time.time()
        self._advance({"done": True, "counter": {"success": RESOURCES, "pending": 0}})
        wait_until(lambda: all(self._state(dag) == "success" for dag in self.runs), 180, "both tasks done")
        self._http.close()
        return {dag: self._parts(dag, ended) for dag in self.runs}

    def _parts(self, dag: str, ended: float) -> list[float]:
        lines = filter(None, self._airflow.task_log(dag, self.runs[dag], "wait").splitlines())
        log = [(_time(line["timestamp"]), line.get("event", "")) for line in map(json.loads, lines)]
        fired = next(moment for moment, event in log if event.startswith(FIRED))
        began = min(moment for moment, event in log if moment > fired and not event.lower().startswith("trigger"))
        task = self._airflow.api.task_instance(dag, self.runs[dag], "wait")
        return [fired - ended, began - fired, _time(task["end_date"]) - began]

    def _state(self, dag: str) -> Any:
        return self._airflow.api.task_instance(dag, self.runs[dag], "wait")["state"]

    def _deidentify(self, destination: str) -> str:
        body = {"destinationDataset": f"{SOURCE.location_name}/datasets/{destination}", "config": {"dicom": {}}}
        return str(self._http.post(f"/v1/{SOURCE}:deidentify", json=body).raise_for_status().json()["name"])

    def _advance(self, push: dict[str, Any]) -> None:
        for name in self._operations:
            number = name.rpartition("/")[2]
            self._http.post(f"/_emulator/operations/{number}:advance", json=push).raise_for_status()


def _time(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1, help="how often each duration is measured")
    options = parser.parse_args()
    measured: dict[str, list[list[float]]] = {"this_package": [], "fixed_interval": []}
    environment = {"PYTHONPATH": str(REPOSITORY)}
    with Playground(Path(__file__).parent / "dags", environment=environment) as playground:
        playground.connect()
        playground.healthcare.create_dicom_store(SOURCE_STORE)
        httpx.put(f"{playground.emulator.url}/_emulator/progression", json={"mode": "manual"}).raise_for_status()
        for number, duration in enumerate(DURATIONS * options.rounds):
            for dag, parts in Run(playground, number).finish(duration).items():
                measured[dag].append(parts)
    print(f"| seconds, median (worst) of {len(DURATIONS) * options.rounds} | {' | '.join(PARTS)} | sum |")
    print("|---|---|---|---|---|")
    for dag, rows in measured.items():
        columns = [*zip(*rows, strict=True), tuple(map(sum, rows))]
        cells = " | ".join(f"{statistics.median(column):.1f} ({max(column):.1f})" for column in columns)
        print(f"| {dag.replace('_', ' ')} | {cells} |")


if __name__ == "__main__":
    main()
