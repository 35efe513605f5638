"""``healthcare-deid report``: a validation report as a page."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.validation.report import CheckResult, Finding, Severity, ValidationReport
from tests.cli.pages import Page
from tests.cli.test_preview_page import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

PASSED = CheckResult.of("counts", [], checked=12)
FAILED = CheckResult.of(
    "uids", [Finding(f"dicomStores/s/{n}", "StudyInstanceUID", "is unchanged") for n in range(30)], checked=90
)
WARNED = CheckResult.of(
    "dates", [Finding("fhirStores/f/Patient/1", "birthDate", "differs")], checked=1, severity=Severity.WARNING
)
SKIPPED = CheckResult.not_checked("pixels", "The config redacts none")


def write(folder: Path, *results: CheckResult, **more: Any) -> str:
    report = ValidationReport(
        source="projects/p/locations/l/datasets/a",
        destination="projects/p/locations/l/datasets/b",
        seed=7,
        sampled={"studies": 3, "studies_of": 1200},
        results=results,
        blind_spots=("Text burnt into pixels",),
    )
    file = folder / "report.json"
    file.write_text(json.dumps(report.to_dict() | more))
    return str(file)


def page(run: Run, folder: Path, *results: CheckResult) -> Page:
    target = folder / "report.html"
    assert run("report", write(folder, *results), "-o", str(target)).code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    return Page(target.read_text("utf-8"))


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ((PASSED, SKIPPED), "Passed."),
        ((PASSED, WARNED), "Passed."),
        ((PASSED, FAILED), "Failed."),
        ((SKIPPED,), "Nothing was checked."),
        ((), "Nothing was checked."),
    ],
)
def test_the_verdict_is_said_first(run: Run, tmp_path: Path, results: tuple[CheckResult, ...], verdict: str) -> None:
    text = page(run, tmp_path, *results).text
    assert text.index(verdict) < text.index("Summary")


def test_the_page_goes_to_standard_output(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("report", write(tmp_path, PASSED), "-o", "-")
    assert (result.code, result.err) == (0, "")
    assert "Passed." in Page(result.out).text
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_the_verdict_is_that_of_the_results(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path, FAILED, passed=True, errors=0)
    result = run("report", file, "-o", str(tmp_path / "r.html"))
    assert result.code == 0
    assert "failed" in result.err


def test_failures_come_first_and_all_is_said(run: Run, tmp_path: Path) -> None:
    found = page(run, tmp_path, PASSED, SKIPPED, WARNED, FAILED)
    headings = [found.text.index(word) for word in ("Uids", "Dates", "Pixels", "Counts")]
    assert headings == sorted(headings)
    for said in (
        "checks with errors1",
        "checks with warnings1",
        "20 findings, the first of 30",
        "30 of 90 looked at are not as they should be",
        "The config redacts none",
        "Text burnt into pixels",
        "1,200",
        "projects/p/locations/l/datasets/b",
    ):
        assert said in found.text
    assert found.rows["birthDate"] == ["birthDate", "differs", "fhirStores/f/Patient/1"]


def test_hostile_text_stays_text(run: Run, tmp_path: Path) -> None:
    finding = Finding(HOSTILE, HOSTILE, HOSTILE)
    found = page(run, tmp_path, CheckResult.of(HOSTILE, [finding], checked=1, note=HOSTILE))
    assert found.text.count(HOSTILE) >= 4
    assert len(found.scripts) == 1
    assert not [tag for tag, _ in found.tags if tag == "img"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is no JSON"),
        ("[]", "this is no validation report"),
        ('{"results": 1}', "this is no validation report"),
        ('{"source": "a", "destination": "b", "seed": 1, "sampled": {}, "results": [{"check": "x"}]}', "results[0]"),
    ],
)
def test_what_is_no_report_is_refused(run: Run, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    result = run("report", str(file), "-o", str(tmp_path / "r.html"))
    assert result.code == 2
    assert said in result.err
    assert not (tmp_path / "r.html").exists()


def test_an_unreadable_report_is_named(run: Run, tmp_path: Path) -> None:
    result = run("report", str(tmp_path / "nowhere.json"))
    assert result.code == 2
    assert "cannot be read" in result.err
