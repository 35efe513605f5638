"""Options that several commands share."""

from __future__ import annotations

import json
import os
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from airflow_healthcare_deid.config import find_problems, load_config, locate
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.config import DeidentifyConfig

P = ParamSpec("P")
R = TypeVar("R")


def client_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add what says where requests go and as whom, gathered into the argument ``connect``: call it for a client."""

    @click.option("--api-endpoint", metavar="URL", help="Address of the service. Default: Google's, or the emulator's.")
    @click.option("--impersonate-service-account", metavar="EMAIL", help="Act as this service account.")
    @click.option("--quota-project", metavar="PROJECT", help="Project whose quota is used.")
    @click.option(
        "--scope", "scopes", multiple=True, metavar="URL", help="OAuth scope; may repeat.  [default: cloud-platform]"
    )
    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> R:
        from airflow_healthcare_deid.cli.client import Client

        endpoint, scopes = kwargs.pop("api_endpoint"), kwargs.pop("scopes")
        impersonate, quota = kwargs.pop("impersonate_service_account"), kwargs.pop("quota_project")
        kwargs["connect"] = lambda: Client(endpoint, scopes=scopes, impersonate=impersonate, quota_project=quota)
        return command(*args, **kwargs)

    return wrapped


# Shells complete the paths of these; that they can be read is checked where they are.
FILE = click.Path(allow_dash=True)


def check_writable(output: str) -> None:
    """Refuse a file that cannot be written before anything is sent or done: the outcome would be lost."""
    path = Path(output)
    if path.is_dir():
        raise click.BadParameter(f"{output} cannot be written: it is a folder", param_hint="-o")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.BadParameter(f"{output} cannot be written", param_hint="-o")


def _check_output(_context: click.Context, _option: click.Parameter, output: str) -> str:
    if output != "-":
        check_writable(output)
    return output


output_option = click.option(
    "-o",
    "--output",
    default="-",
    show_default=True,
    metavar="FILE",
    type=FILE,
    callback=_check_output,
    help="Where the answer's JSON goes; - is stdout.",
)
max_failed_option = click.option(
    "--max-failed-resources", type=click.IntRange(0), default=0, show_default=True, help="Most resources that may fail."
)


def write_json(body: object, output: str) -> None:
    """Write JSON to a file or, for ``-``, to standard output."""
    text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    if output == "-":
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, "utf-8")
    except OSError as error:
        raise click.FileError(output, f"it cannot be written: {error.strerror}") from None


def read_text(path: str) -> str:
    """Read a file or, for ``-``, standard input.

    :raises ConfigError: if it cannot be read.
    """
    name = "Standard input" if path == "-" else f"The file {path}"
    try:
        return sys.stdin.read().removeprefix("\ufeff") if path == "-" else Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise ConfigError("", f"{name} cannot be read: {error.strerror}", "Check its path") from None
    except ValueError:
        raise ConfigError("", f"{name} is not UTF-8 text", "Save it as UTF-8") from None


def located_problems(text: str) -> list[tuple[int | None, ConfigError]]:
    """Return all that is wrong with the text of a config, with its line if it has one."""
    return [(locate(text, problem.path), problem) for problem in find_problems(text)]


def tell_problems(file: str, problems: list[tuple[int | None, ConfigError]]) -> None:
    """Print what is wrong with a config to standard error, a line each."""
    for line, problem in problems:
        click.echo(f"{file}:{line or 1}: {problem}", err=True)


def checked_config(file: str) -> DeidentifyConfig:
    """Read a config from a file or, for ``-``, standard input; exit with all its problems if it has any."""
    text = read_text(file)
    problems = located_problems(text)
    if problems:
        tell_problems(file, problems)
        sys.exit(2)
    return load_config(text)
