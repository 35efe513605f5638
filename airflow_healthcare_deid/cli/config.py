"""``healthcare-deid config``: check a config, show the emulator's defaults."""

from __future__ import annotations

import sys

import click

from airflow_healthcare_deid.cli.options import FILE, located_problems, read_text, tell_problems, write_json
from airflow_healthcare_deid.config import load_config, to_body


@click.group()
def config() -> None:
    """Check a DeidentifyConfig, show the emulator's defaults."""


@config.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def check(file: str, as_json: bool) -> None:
    """Check FILE (JSON or YAML; - is standard input) and print all that is wrong with it, with line numbers.

    A sound config is printed as the service takes it.
    """
    text = read_text(file)
    problems = located_problems(text)
    if not problems:
        write_json(to_body(load_config(text)), "-")
        return
    if as_json:
        keys = ("line", "path", "problem", "wayOut")
        rows = [dict(zip(keys, (line, p.path, p.problem, p.way_out), strict=True)) for line, p in problems]
        write_json(rows, "-")
    else:
        tell_problems(file, problems)
    sys.exit(2)


@config.command("show-defaults")
@click.argument("table", required=False)
def show_defaults(table: str | None) -> None:
    """Print the rule tables that the emulator uses where Google documents no default, or TABLE alone.

    A row marked "inferred" is this project's reading; the service may do otherwise.
    """
    from importlib.resources import files

    folder = files("airflow_healthcare_deid.engine.rules")
    tables = {
        entry.name.removesuffix(".yaml"): entry
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    }
    if table is not None and table not in tables:
        raise click.BadParameter(f"no such table; there are {', '.join(tables)}", param_hint="TABLE")
    for name, entry in tables.items():
        if table in (None, name):
            click.echo(f"# --- {name}\n{entry.read_text('utf-8')}")
