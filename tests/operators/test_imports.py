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
