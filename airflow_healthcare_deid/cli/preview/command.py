"""``healthcare-deid preview``: see what a config does to files, on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from airflow_healthcare_deid.cli.options import FILE, check_writable, checked_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.cli.preview.sources import Source


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--config", required=True, metavar="FILE", type=FILE, help="DeidentifyConfig, JSON or YAML; - is stdin.")
@click.option(
    "-o", "--output", default="preview.html", show_default=True, metavar="FILE", type=FILE, help="The page to write."
)
@click.option("--hide-values", is_flag=True, help="Leave out every value, image and file name: the page may be shared.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most files to look at.")
@click.option(
    "--fhir-version",
    type=click.Choice(["DSTU2", "STU3", "R4"]),
    default="R4",
    show_default=True,
    help="FHIR version of the resources.",
)
def preview(
    paths: tuple[Path, ...], config: str, output: str, hide_values: bool, limit: int, fhir_version: str
) -> None:
    """De-identify PATHS with the local engine and write a page that shows every field before and after.

    PATHS are DICOM files, FHIR resources or Bundles in JSON, and folders of both. Nothing is sent anywhere and no file
    is changed. The page holds patient data and is readable to you alone, unless --hide-values keeps all of it out.

    The exit code is 1 when a file could not be de-identified; the page then says which and why.
    """
    from airflow_healthcare_deid.cli.pages.render import render, write_page
    from airflow_healthcare_deid.cli.preview.caveats import caveats, shown_config
    from airflow_healthcare_deid.cli.preview.engines import Engines
    from airflow_healthcare_deid.cli.preview.rows import Failure, FilePreview, Values
    from airflow_healthcare_deid.cli.preview.rules import NO_RULE, inferred
    from airflow_healthcare_deid.cli.preview.sources import find_sources
    from airflow_healthcare_deid.cli.preview.summary import summarize

    asked = checked_config(config)
    _check_output(output, (*paths, Path(config)))
    sources = find_sources(paths, limit)
    if not sources.files:
        raise click.BadParameter("there is neither a DICOM file nor FHIR JSON", param_hint="PATHS")
    engines = Engines(asked, fhir_version, Values(hide=hide_values))  # type: ignore[arg-type]
    outcomes = [
        engines.preview(source, f"File {number}" if hide_values else str(source.path))
        for number, source in _shown(sources.files)
    ]
    files = [one for one in outcomes if isinstance(one, FilePreview)]
    failures = [one for one in outcomes if isinstance(one, Failure)]
    page = render(
        "preview.html",
        hidden=hide_values,
        files=files,
        failures=failures,
        sources=sources,
        limit=limit,
        summary=summarize(files, asked),
        caveats=caveats(asked, engines, files),
        no_rule=NO_RULE,
        inferred=inferred(asked, {file.kind for file in files}),
        config=json.dumps(shown_config(asked, hide=hide_values), indent=2, ensure_ascii=False),
    )
    write_page(page, output)
    _tell(output, len(files), len(failures), hidden=hide_values, more=sources.more)
    if failures:
        sys.exit(1)


def _shown(files: list[Source]) -> Iterator[tuple[int, Source]]:
    """Yield files with their numbers, and show on a terminal how many are done: reading pixels takes seconds each."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(
        enumerate(files, 1),
        "De-identifying",
        total=len(files),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _check_output(output: str, inputs: tuple[Path, ...]) -> None:
    if output == "-":
        raise click.BadParameter("the page goes to a file, which only you can read", param_hint="-o")
    check_writable(output)
    if any(Path(output).resolve() == path.resolve() for path in inputs):
        raise click.BadParameter("this is one of the files to look at", param_hint="-o")


def _tell(output: str, files: int, failures: int, *, hidden: bool, more: bool) -> None:
    click.echo(f"{output}: {files} file{'' if files == 1 else 's'} previewed, {failures} not", err=True)
    if more:
        click.echo("There are more files: see --limit.", err=True)
    if not hidden:
        click.echo("The page holds patient data. Only you can read it: delete it when you are done.", err=True)
