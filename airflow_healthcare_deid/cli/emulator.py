"""``healthcare-deid emulator``: start the emulator."""

from __future__ import annotations

import sys

import click


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def emulator(arguments: tuple[str, ...]) -> None:
    """Start the local emulator; takes what python -m airflow_healthcare_deid.emulator takes."""
    from airflow_healthcare_deid.emulator.__main__ import main

    sys.exit(main(arguments))
