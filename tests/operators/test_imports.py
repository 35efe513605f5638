"""A DAG file that imports our operators pays almost nothing over Airflow itself."""

from __future__ import annotations

import json
import subprocess
import sys

from airflow_healthcare_deid import version_compat

BARE = "airflow.sdk" if version_compat.AIRFLOW_V_3_0_PLUS else "airflow.models"
PROGRAM = f"""
import json, sys
from {BARE} import DAG, BaseOperator
before = set(sys.modules)
import airflow_healthcare_deid.links
import airflow_healthcare_deid.operators.deidentify
import airflow_healthcare_deid.operators.operations
import airflow_healthcare_deid.operators.studies
import airflow_healthcare_deid.operators.transfer
import airflow_healthcare_deid.operators.validate
import airflow_healthcare_deid.task_groups
import airflow_healthcare_deid.sensors.operation
import airflow_healthcare_deid.triggers.operation
print(json.dumps(sorted(set(sys.modules) - before)))
"""
HEAVY = {"aiohttp", "google", "googleapiclient", "httplib2", "numpy", "pydicom", "requests", "urllib3", "yaml"}


def test_no_heavy_module_is_loaded() -> None:
    output = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    loaded = json.loads(output.splitlines()[-1])
    assert {module.partition(".")[0] for module in loaded} & HEAVY == set()
    assert not [module for module in loaded if module.startswith("airflow.providers.google")]
    other_wings = ("airflow_healthcare_deid.emulator", "airflow_healthcare_deid.engine")
    assert not [module for module in loaded if module.startswith(other_wings)]


LIBRARIES = (
    "aiohttp",
    "airflow.providers.google.common",
    "google.api_core",
    "google.auth",
    "googleapiclient",
    "httplib2",
)
RESUME = """
import json, sys
from types import SimpleNamespace
from airflow_healthcare_deid.operation import Operation
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.triggers._event import flatten
dataset = "projects/p/locations/l/datasets/"
task = DeidentifyDatasetOperator(
    task_id="t", source_dataset=dataset + "a", destination_dataset=dataset + "b", config={"dicom": {}}
)
name = dataset + "a/operations/1"
event = {
    "version": 1,
    "status": "finished",
    "operation": flatten(Operation(name=name, done=True)),
    "error": None,
    "stores": {"dicom_stores": [dataset + "b/dicomStores/s"], "fhir_stores": []},
}
record = {
    "method": "datasets.deidentify", "source": dataset + "a", "destination": dataset + "b", "fingerprint": "f",
    "time": 0.0, "deadline": None, "certain": True, "operation": name,
}
pushed = {}
ti = SimpleNamespace(task_id="t", map_index=-1, try_number=1, max_tries=0,
                     xcom_push=lambda key, value: pushed.update({key: value}))
before = set(sys.modules)
task.execute_complete({"ti": ti, "task": task, "outlet_events": {}}, event, record)
print(json.dumps([pushed["dicom_stores"], sorted(set(sys.modules) - before)]))
"""


def test_the_worker_that_goes_on_after_the_trigger_needs_no_library_of_googles() -> None:
    output = subprocess.run([sys.executable, "-c", RESUME], check=True, capture_output=True, text=True).stdout
    stores, loaded = json.loads(output.splitlines()[-1])
    assert stores == ["projects/p/locations/l/datasets/b/dicomStores/s"]
    assert not [module for module in loaded if module.startswith(LIBRARIES)]
