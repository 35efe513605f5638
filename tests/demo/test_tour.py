from __future__ import annotations

from typing import Any

import pytest

from demo import tour
from demo.console import Console
from demo.pipeline import DemoFailedError

CHECK = {"check": "counts", "severity": "ERROR", "status": "PASSED", "checked": 3, "failed": 0}
SAMPLED = {"studies": 5, "studies_looked_into": 2, "patients": 1, "patients_looked_into": 1}


def report(**changes: str) -> dict[str, Any]:
    passed = changes.get("status") != "FAILED" or changes.get("severity") == "WARNING"
    return {"passed": passed, "sampled": SAMPLED, "results": [{**CHECK, **changes}]}


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "1 checks passed, 0 failed"),
        ({"status": "FAILED", "severity": "WARNING"}, "0 checks passed, 0 failed, 1 gave a warning"),
        ({"status": "NOT_CHECKED"}, "1 had nothing to check"),
    ],
)
def test_the_report_is_counted(changes: dict[str, str], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    tour.show_report(report(**changes), Console())
    assert shown in capsys.readouterr().out


def test_a_failed_validation_fails_the_demo() -> None:
    with pytest.raises(DemoFailedError, match="validation"):
        tour.show_report(report(status="FAILED"), Console())


def test_what_was_lost_fails_the_demo() -> None:
    metadata = {"createTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:00:09Z", "counter": {"success": "3"}}
    with pytest.raises(DemoFailedError, match="of 3 instances and resources, 3 were de-identified"):
        tour.show_operation({"name": "o", "metadata": metadata}, (2, 1), tour.Published([], [], [], {}), Console())
