"""``healthcare-deid completion``: the script that a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    For bash: healthcare-deid completion bash >> ~/.bashrc
    """
    from airflow_healthcare_deid.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "healthcare-deid", "_HEALTHCARE_DEID_COMPLETE").source())
