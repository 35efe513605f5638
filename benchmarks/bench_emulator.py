"""The emulator beside the engine alone: store, de-identify and export many DICOM instances and FHIR resources.

The engine's own rate is that of one process for each core that does nothing else, file to file or text to text,
measured before and after the emulator's work since the speed of a machine drifts. While the emulator works, somebody
asks it for the datasets twenty times a second. `--count 10000` is the full run; `--side 512` makes the images as large
as those of a real CT.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from benchmarks import made_up
from benchmarks.storage_server import storage_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG = {
    "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
    "fhir": {},
}
PARENT = "/v1/projects/p/locations/l"
BATCH = 50
CORES = len(os.sched_getaffinity(0))


# The engine alone ------------------------------------------------------------------------------------------------


@cache
def _engines() -> tuple[Any, Any]:
    from airflow_healthcare_deid.config import load_config
    from airflow_healthcare_deid.engine.dicom import DicomDeidentifier
    from airflow_healthcare_deid.engine.fhir import FhirDeidentifier
    from airflow_healthcare_deid.engine.keys import KeyRing

    config, keys = load_config(CONFIG), KeyRing(b"0" * 32)
    return DicomDeidentifier(config, keys), FhirDeidentifier(config, keys)


def deidentify_files(folder: Path, numbers: range) -> float:
    """De-identify files, each into a file of its own; returns the CPU seconds it took."""
    started = time.process_time()
    for number in numbers:
        data = _engines()[0].deidentify((folder / f"{number}.dcm").read_bytes()).data
        (folder / f"{number}.out").write_bytes(data)
    seconds = time.process_time() - started
    for number in numbers:
        (folder / f"{number}.out").unlink()
    return seconds


def deidentify_texts(texts: dict[int, bytes]) -> float:
    """De-identify JSON into JSON, each with what identifies its patient; returns the CPU seconds it took."""
    from airflow_healthcare_deid.engine.fhir import collect_record

    started = time.process_time()
    subject = record = None
    for number, text in texts.items():
        if subject != number // made_up.RESOURCES_PER_PATIENT:
            subject = number // made_up.RESOURCES_PER_PATIENT
            record = collect_record(made_up.patient(subject), "R4")
        json.dumps(_engines()[1].deidentify(json.loads(text), record=record)).encode()
    return time.process_time() - started


def engine_rate(pool: ProcessPoolExecutor, folder: Path, kind: str, count: int) -> tuple[float, float]:
    """Return instances or resources a second, and the CPU milliseconds of each."""
    if kind == "DICOM":
        shares = [pool.submit(deidentify_files, folder, range(n, count, CORES)) for n in range(CORES)]
    else:
        texts = {number: json.dumps(made_up.resource(number)).encode() for number in range(count)}
        numbers = [range(count * n // CORES, count * (n + 1) // CORES) for n in range(CORES)]
        shares = [pool.submit(deidentify_texts, {number: texts[number] for number in share}) for share in numbers]
    started = time.perf_counter()
    cpu = sum(share.result() for share in shares)
    return count / (time.perf_counter() - started), cpu * 1000 / count


# The emulator ----------------------------------------------------------------------------------------------------


@contextmanager
def emulator(folder: Path) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    """Run it in a process of its own, its state on disk; what it exports is forgotten."""
    command = [sys.executable, "-m", "airflow_healthcare_deid.emulator", "--data-dir", str(folder)]
    with (
        storage_server() as storage,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "STORAGE_EMULATOR_HOST": storage}
        ) as process,
    ):
        try:
            assert process.stdout is not None
            with httpx.Client(base_url=process.stdout.readline().strip().partition("=")[2], timeout=60) as client:
                yield client, psutil.Process(process.pid)
        finally:
            process.terminate()


def send(client: httpx.Client, path: str, **options: Any) -> httpx.Response:
    return client.post(f"{PARENT}/{path}", **options).raise_for_status()


def finish(client: httpx.Client, started: httpx.Response) -> dict[str, Any]:
    """Wait for an operation and return its counters."""
    operation = started.json()
    while not operation.get("done"):
        time.sleep(0.1)
        operation = client.get(f"/v1/{operation['name']}").json()
    assert "error" not in operation, operation["error"]
    counter: dict[str, Any] = operation["metadata"].get("counter", {})
    return counter


class Watcher(threading.Thread):
    """Asks for the datasets again and again, and looks at the emulator's memory."""

    def __init__(self, client: httpx.Client, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._url = client.base_url.join(f"{PARENT}/datasets")
        self._process = process
        self._stopped = threading.Event()
        self.answers: list[float] = []
        self.memory: list[float] = []

    def run(self) -> None:
        with httpx.Client() as client:
            while not self._stopped.wait(0.05):
                started = time.perf_counter()
                client.get(self._url).raise_for_status()
                self.answers.append((time.perf_counter() - started) * 1000)
                self.memory.append(self._process.memory_info().rss / 2**20)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def timed(
    title: str, count: int, client: httpx.Client, process: psutil.Process, work: Callable[[], Any]
) -> tuple[float, float]:
    """Do some work and print a row about it; returns how many a second, and the CPU milliseconds of each."""
    watcher = Watcher(client, process)
    watcher.start()
    started, cpu = time.perf_counter(), _cpu(process)
    work()
    seconds = time.perf_counter() - started
    workers, own = ((after - before) * 1000 / count for before, after in zip(cpu, _cpu(process), strict=True))
    watcher.stop()
    answers = sorted(watcher.answers)
    print(
        f"| {title} | {count / seconds:.0f} | {workers:.2f} | {own:.2f} "
        f"| {statistics.median(answers):.0f}, {answers[int(len(answers) * 0.99)]:.0f}, {answers[-1]:.0f} "
        f"| {watcher.memory[0]:.0f} to {max(watcher.memory):.0f} |",
        flush=True,
    )
    return count / seconds, workers + own


def _cpu(process: psutil.Process) -> tuple[float, float]:
    """Return the CPU seconds of the workers, and of the emulator itself."""
    workers = [child.cpu_times() for child in process.children()]
    own = process.cpu_times()
    return sum(times.user + times.system for times in workers), own.user + own.system


class Work:
    """What is done with one kind of data.

    :param kind: ``DICOM`` or ``FHIR``.
    :param dataset: where; a new one.
    :param count: of how many instances or resources.
    """

    def __init__(self, client: httpx.Client, folder: Path, kind: str, dataset: str, count: int) -> None:
        self._client, self._folder, self._kind, self._count = client, folder, kind, count
        self._stores = {"DICOM": "dicomStores", "FHIR": "fhirStores"}[kind]
        self._source, self._target = f"datasets/{dataset}", f"datasets/{dataset}-out"
        finish(client, send(client, "datasets", params={"datasetId": dataset}, json={}))
        settings = {"version": "R4", "enableUpdateCreate": True} if kind == "FHIR" else {}
        send(client, f"{self._source}/{self._stores}", params={f"{self._stores[:-1]}Id": "s"}, json=settings)

    def store(self) -> None:
        path = f"{self._source}/{self._stores}/s/{'dicomWeb/studies' if self._kind == 'DICOM' else 'fhir'}"
        for first in range(0, self._count, BATCH):
            numbers = range(first, min(first + BATCH, self._count))
            if self._kind == "DICOM":
                content, media_type = made_up.multipart([self._folder / f"{number}.dcm" for number in numbers])
            else:
                content, media_type = made_up.bundle(numbers), "application/fhir+json"
            send(self._client, path, content=content, headers={"content-type": media_type})

    def deidentify(self) -> None:
        kind = self._kind.lower()
        body = {"destinationDataset": f"{PARENT[4:]}/{self._target}", "config": {kind: CONFIG[kind]}}
        counter = finish(self._client, send(self._client, f"{self._source}:deidentify", json=body))
        assert counter == {"success": str(self._count)}, counter

    def export(self) -> None:
        body = {"gcsDestination": {"uriPrefix": f"gs://bucket/{self._kind}"}}
        finish(self._client, send(self._client, f"{self._target}/{self._stores}/s:export", json=body))


def run(kind: str, count: int, client: httpx.Client, process: psutil.Process, folder: Path) -> None:
    """Measure one kind of data."""
    first = Work(client, folder, kind, f"{kind.lower()}-first", 4 * CORES)
    for step in (first.store, first.deidentify, first.export):  # the workers start, and import what they need
        step()
    work = Work(client, folder, kind, kind.lower(), count)
    with ProcessPoolExecutor(CORES) as pool:
        engine_rate(pool, folder, kind, CORES)  # imports
        before, cpu_before = engine_rate(pool, folder, kind, count)
        timed(f"{kind}: store", count, client, process, work.store)
        rate, cpu = timed(f"{kind}: de-identify", count, client, process, work.deidentify)
        after, cpu_after = engine_rate(pool, folder, kind, count)
        timed(f"{kind}: export", count, client, process, work.export)
    alone = 2 / (1 / before + 1 / after)
    print(
        f"| {kind}: engine alone, before and after | {before:.0f}, {after:.0f} | {cpu_before:.2f}, {cpu_after:.2f} "
        f"| | emulator: {rate / alone:.0%} of it, by CPU time {(cpu_before + cpu_after) / 2 / cpu:.0%} | |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--side", type=int, default=128, help="rows and columns of the images")
    options = parser.parse_args()
    print(f"{options.count} instances of {options.side}x{options.side}, {options.count} resources, {CORES} cores\n")
    print(
        "| work | a second | CPU ms each, workers | CPU ms each, emulator "
        "| ms until answered: median, 99 %, worst | MiB, start to most |"
    )
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made_up.write_instances(folder, options.count, options.side)
        with emulator(folder / "state") as (client, process):
            for kind in ("DICOM", "FHIR"):
                run(kind, options.count, client, process, folder)


if __name__ == "__main__":
    main()
