"""``airflow healthcare-deid …`` is ``healthcare-deid …``."""

from __future__ import annotations

from importlib import import_module

import pytest

from airflow_healthcare_deid import version_compat
from airflow_healthcare_deid.airflow_commands import get_commands
from airflow_healthcare_deid.provider_info import get_provider_info


def run(*arguments: str) -> int:
    """Run Airflow's command line as it would be, with what the provider adds, and return the exit code."""
    from airflow.cli.cli_config import DefaultHelpParser
    from airflow.cli.cli_parser import _add_command

    parser = DefaultHelpParser(prog="airflow")
    subparsers = parser.add_subparsers(dest="subcommand")
    for command in get_commands():
        _add_command(subparsers, command)
    args = parser.parse_args(["healthcare-deid", *arguments])
    try:
        args.func(args)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def test_airflow_finds_the_command() -> None:
    [name] = get_provider_info()["cli"]
    module, _, function = name.rpartition(".")
    assert getattr(import_module(module), function) is get_commands
    if version_compat.AIRFLOW_VERSION >= (3, 2):
        from airflow.providers_manager import ProvidersManager

        assert get_commands in ProvidersManager().cli_command_functions


def test_all_that_follows_is_handed_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "show-defaults", "keys") == 0
    assert "date_shift" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("preview", "--help"), ("--", "--help")])
def test_options_are_handed_on_too(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    assert "Usage: airflow healthcare-deid" in capsys.readouterr().out


def test_exit_codes_are_those_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "check", "nowhere.yaml") == 2
    assert "cannot be read" in capsys.readouterr().err
