"""``healthcare-deid report``: a validation report as a page."""

from __future__ import annotations

import click

from airflow_healthcare_deid.cli.options import FILE, read_text
from airflow_healthcare_deid.errors import InvalidRequestError


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "-o",
    "--output",
    default="report.html",
    show_default=True,
    metavar="FILE",
    type=FILE,
    help="The page to write; - is stdout.",
)
def report(file: str, output: str) -> None:
    """Write a page from FILE, the JSON of a validation report; - is standard input.

    It is what ValidateDeidentificationOperator writes and returns. A report names resources and fields, never a value.
    """
    import msgspec

    from airflow_healthcare_deid.cli.pages.render import render, write_page
    from airflow_healthcare_deid.validation.report import Severity, Status, ValidationReport

    try:
        found = msgspec.json.decode(read_text(file).encode("utf-8", "surrogatepass"), type=ValidationReport)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(
            file,
            f"this is no validation report ({error})",
            "Give the JSON that ValidateDeidentificationOperator writes",
        ) from None
    except msgspec.DecodeError:
        raise InvalidRequestError(file, "this is no JSON", "Give the report as it was written") from None
    order = {Status.FAILED: 0, Status.NOT_CHECKED: 1, Status.PASSED: 2}
    checked = any(one.status is not Status.NOT_CHECKED for one in found.results)
    verdict = "Failed" if found.errors else "Passed" if checked else "Nothing was checked"
    page = render(
        "report.html",
        report=found,
        verdict=verdict,
        results=sorted(found.results, key=lambda one: (order[one.status], one.severity is Severity.WARNING, one.check)),
        counts={status: sum(one.status is status for one in found.results) for status in Status},
        checked=checked,
    )
    if output == "-":
        click.echo(page, nl=False)
        return
    write_page(page, output)
    click.echo(f"{output}: {verdict.lower()}", err=True)
