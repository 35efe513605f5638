"""``airflow healthcare-deid …``: the command line under Airflow's own, from Airflow 3.2 on.

Airflow imports this module whenever its command line starts, so nothing else is imported until a command runs.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.cli.cli_config import CLICommand

_NAME = "healthcare-deid"


def get_commands() -> list[CLICommand]:
    """Return the command that hands all that follows it to ``healthcare-deid``."""
    from airflow.cli.cli_config import ActionCommand, Arg

    rest = Arg(("arguments",), nargs=argparse.REMAINDER, help="What healthcare-deid takes, such as: preview --help")
    return [
        ActionCommand(
            name=_NAME,
            help="De-identify healthcare data with the Cloud Healthcare API",
            description="The same as the console script healthcare-deid. `airflow healthcare-deid -- --help` lists its "
            "commands; each has a --help of its own.",
            func=run,
            args=(rest,),
        )
    ]


def run(args: argparse.Namespace) -> None:
    """Run the command line and exit as it does."""
    from airflow_healthcare_deid.cli.main import main

    arguments = list(args.arguments)
    main(arguments[1:] if arguments[:1] == ["--"] else arguments, f"airflow {_NAME}")
