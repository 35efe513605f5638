"""What the README shows works."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_dag_is_one_that_airflow_takes() -> None:
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code.replace("schedule=None):", "schedule=None) as dag:"), names)
    task = names["dag"].get_task("deidentify")  # type: ignore[attr-defined]
    assert isinstance(task, DeidentifyDatasetOperator)


def test_every_link_leads_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
