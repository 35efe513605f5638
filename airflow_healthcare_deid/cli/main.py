"""``healthcare-deid``: the commands, and what their exit codes mean.

0: done. 1: the service refused, or the operation did not bring the result asked for. 2: what was asked for is wrong;
nothing was sent. 130: interrupted.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import click

from airflow_healthcare_deid import __version__
from airflow_healthcare_deid.errors import HealthcareDeidError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, INVALID, INTERRUPTED = 1, 2, 130

# A command is imported when it is asked for, so that none pays for another.
_COMMANDS = {
    "deidentify": "airflow_healthcare_deid.cli.deidentify:deidentify",
    "operations": "airflow_healthcare_deid.cli.operations:operations",
    "preview": "airflow_healthcare_deid.cli.preview.command:preview",
    "report": "airflow_healthcare_deid.cli.report:report",
    "config": "airflow_healthcare_deid.cli.config:config",
    "emulator": "airflow_healthcare_deid.cli.emulator:emulator",
    "completion": "airflow_healthcare_deid.cli.completion:completion",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="healthcare-deid")
def cli() -> None:
    """De-identify DICOM and FHIR data with the Cloud Healthcare API, or try it on a local emulator.

    Credentials are the Application Default Credentials. Set HEALTHCARE_EMULATOR_HOST to talk to an emulator instead.

    Exit codes: 0 done; 1 the service or the operation failed; 2 the request is wrong and was not sent; 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None, program: str = "healthcare-deid") -> None:
    """Run the command line.

    :param arguments: what follows the program's name; default: that of this process.
    :param program: the name to show in help.
    """
    try:
        cli(arguments, prog_name=program, standalone_mode=False)
    except InvalidRequestError as error:
        _fail(str(error), INVALID)
    except HealthcareDeidError as error:
        _fail(str(error), FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("Interrupted", INTERRUPTED)


def _fail(message: str, code: int) -> None:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)
