"""What ``healthcare-deid --help`` says, of every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from airflow_healthcare_deid.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 100


def page() -> str:
    """Return a section for each command."""
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in _helps(cli, "healthcare-deid")) + "\n"


def _helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command, info_name=name, terminal_width=_WIDTH, max_content_width=_WIDTH, help_option_names=["-h", "--help"]
    )
    if command.add_help_option:
        yield name, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from _helps(found, f"{name} {inner}")
