"""``healthcare-deid emulator``: start the emulator."""

from __future__ import annotations

import sys

import click


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def emulator(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Start the local emulator, until Ctrl-C: emulator [--port PORT] [--data-dir DIR] [--with-storage]."""
    from airflow_healthcare_deid.emulator.__main__ import main

    sys.exit(main(arguments, context.command_path))
