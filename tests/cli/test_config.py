from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def test_a_sound_config_is_printed_as_the_service_takes_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("fhir: {}\ndicom:\n  filter_profile: KEEP_ALL_PROFILE\n")
    result = run("config", "check", str(file))
    assert result.code == 0
    assert json.loads(result.out) == {"fhir": {}, "dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}


def test_every_problem_is_named_with_its_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("fhir: {}\ndicom:\n  filterProfile: KEEP_AL_PROFILE\ntext:\n  excludeInfoTypes: [location]\n")
    result = run("config", "check", str(file))
    assert result.code == 2
    assert f"{file}:3: dicom.filterProfile" in result.err
    assert f"{file}:5: text.excludeInfoTypes[0]" in result.err
    rows = json.loads(run("config", "check", "--json", str(file)).out)
    assert [row["line"] for row in rows] == [3, 5]


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_an_unreadable_file_is_named(run: Run, name: str) -> None:
    result = run("config", "check", name)
    assert result.code == 2
    assert "cannot be read" in result.err


def test_standard_input_that_is_no_text_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"dicom: \xff"), "utf-8"))
    result = run("config", "check", "-")
    assert result.code == 2
    assert "Standard input is not UTF-8 text" in result.err


def test_a_byte_order_mark_is_no_part_of_a_config(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\ufefffhir: {}"))
    result = run("config", "check", "-")
    assert (result.code, json.loads(result.out)) == (0, {"fhir": {}})


def test_defaults_are_shown_with_what_is_inferred(run: Run) -> None:
    result = run("config", "show-defaults", "keys")
    assert result.code == 0
    assert "inferred" in result.out
    assert run("config", "show-defaults", "nothing").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(run: Run, shell: str) -> None:
    assert "_HEALTHCARE_DEID_COMPLETE" in run("completion", shell).out


def test_an_unknown_command_is_refused(run: Run) -> None:
    assert run("deidentifi").code == 2
