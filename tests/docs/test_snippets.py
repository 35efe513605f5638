"""Every piece of code in the docs does what its page says."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag

from airflow_healthcare_deid.cli import main as command_line
from airflow_healthcare_deid.config import load_config
from tests.docs.snippets import ROOT, Snippet, snippets

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.conftest import World

PYTHON = snippets("python")
DAGS = [snippet for snippet in PYTHON if snippet.is_dag]
RUN = [snippet for snippet in DAGS if snippet.mark == "run"]
COMMANDS = [
    (snippet, line)
    for snippet in snippets("console")
    for line in snippet.text.replace("\\\n", " ").splitlines()
    if line.strip()
]


def _named(part: Any) -> str | None:
    return part.name if isinstance(part, Snippet) else None


@pytest.mark.parametrize("snippet", DAGS, ids=_named)
def test_a_dag_is_parsed(snippet: Snippet, tmp_path: Path) -> None:
    file = tmp_path / f"{snippet.name}.py"
    file.write_text(snippet.text)
    bag = DagBag(file)
    assert bag.import_errors == {}
    assert bag.dags


@pytest.fixture(scope="module")
def dag_runs(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Run all DAGs that can be run, in one Airflow of their own."""
    home = tmp_path_factory.mktemp("airflow")
    for snippet in RUN:
        (home / "dags").mkdir(exist_ok=True)
        (home / "dags" / f"{snippet.name}.py").write_text(snippet.text)
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **world.variables,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
    }
    for command in (["airflow", "db", "migrate"], ["tests.docs.dag_runs", *(snippet.name for snippet in RUN)]):
        ended = subprocess.run(
            [sys.executable, "-m", *command], env=variables, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('{"name"')]
    return {line["name"]: {**line, "log": ended.stderr[-3000:]} for line in lines}


@pytest.mark.e2e
@pytest.mark.parametrize("snippet", RUN, ids=_named)
def test_a_dag_runs(snippet: Snippet, dag_runs: dict[str, dict[str, Any]]) -> None:
    run = dag_runs[snippet.name]
    assert run["errors"] == []
    for states in run["states"].values():
        assert set(states.values()) <= {"success", "skipped"}, run


@pytest.mark.parametrize("snippet", [one for one in PYTHON if one.mark == "exec"], ids=_named)
def test_a_script_runs(snippet: Snippet, emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", emulator.url)
    exec(compile(snippet.text, snippet.page, "exec"), {})


def test_the_tests_in_the_docs_pass(tmp_path: Path) -> None:
    for snippet in PYTHON:
        if snippet.mark == "pytest":
            (tmp_path / f"test_{snippet.name}.py").write_text(snippet.text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:]


def test_no_python_is_left_out() -> None:
    assert not [one.name for one in PYTHON if not one.is_dag and one.mark not in ("exec", "pytest")]


@pytest.mark.parametrize("snippet", snippets("yaml", "json"), ids=_named)
def test_a_config_is_sound(snippet: Snippet) -> None:
    load_config(yaml.safe_load(snippet.text))


@pytest.mark.parametrize(("snippet", "line"), COMMANDS, ids=_named)
def test_a_command_works(
    snippet: Snippet, line: str, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *arguments = shlex.split(line)
    assert program == "healthcare-deid"
    if arguments[0] == "deidentify":
        arguments.append("--dry-run")
    monkeypatch.chdir(world.folder)
    for name, value in world.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", [program, *arguments])
    # Nobody has operation 123.
    expected = 1 if "operations/123" in line else 0
    assert _exit_code() == expected, capsys.readouterr().err
    assert capsys.readouterr().out or expected or arguments[0] == "preview"


def _exit_code() -> int:
    try:
        command_line.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0
