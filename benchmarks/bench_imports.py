"""What a DAG file pays for importing operators: time and memory over bare Airflow, beside Google's operators.

Each import runs in a fresh process, the rounds interleaved; medians are shown. A DAG file is parsed again and again,
and once more at the start of every task.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 7
BARE = "from airflow.sdk import DAG, BaseOperator"
CANDIDATES = {
    "bare Airflow": BARE,
    "this package, deidentify": f"{BARE}\nimport airflow_healthcare_deid.operators.deidentify",
    "this package, deidentify and sensor": (
        f"{BARE}\nimport airflow_healthcare_deid.operators.deidentify, airflow_healthcare_deid.sensors.operation"
    ),
    "google cloud_sql": f"{BARE}\nimport airflow.providers.google.cloud.operators.cloud_sql",
    "google cloud_batch": f"{BARE}\nimport airflow.providers.google.cloud.operators.cloud_batch",
    "google cloud_run": f"{BARE}\nimport airflow.providers.google.cloud.operators.cloud_run",
    "google dataproc": f"{BARE}\nimport airflow.providers.google.cloud.operators.dataproc",
    "google bigquery": f"{BARE}\nimport airflow.providers.google.cloud.operators.bigquery",
}
_PROBE = """
import os, sys, time, warnings
warnings.simplefilter("ignore")
{bare}
start, before, pages = time.process_time(), len(sys.modules), int(open("/proc/self/statm").read().split()[1])
{body}
after = int(open("/proc/self/statm").read().split()[1])
print(time.process_time() - start, (after - pages) * os.sysconf("SC_PAGE_SIZE"), len(sys.modules) - before)
"""


def probe(body: str) -> tuple[float, float, int]:
    """Return CPU seconds, MiB and modules that an import adds to bare Airflow."""
    code = _PROBE.format(bare=BARE, body=body)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), float(out[1]) / 2**20, int(out[2])


def main() -> None:
    measured: dict[str, list[tuple[float, float, int]]] = {name: [] for name in CANDIDATES}
    for _ in range(ROUNDS):
        for name, body in CANDIDATES.items():
            measured[name].append(probe(body))
    ours = statistics.median(run[0] for run in measured["this package, deidentify"])
    print("| import | CPU ms over bare | MiB over bare | modules over bare | times ours |")
    print("|---|---|---|---|---|")
    for name, runs in measured.items():
        seconds, mib, modules = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {seconds * 1000:.0f} | {mib:.1f} | {modules:.0f} | {seconds / ours:.1f} |")


if __name__ == "__main__":
    main()
