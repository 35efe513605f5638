"""``healthcare-deid operations``: look at, wait for and cancel long-running operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from airflow_healthcare_deid.cli.options import client_options, max_failed_option, output_option, write_json
from airflow_healthcare_deid.cli.waiting import follow
from airflow_healthcare_deid.operation import FailurePolicy, Operation
from airflow_healthcare_deid.resource_names import DatasetName, OperationName

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.cli.client import Client


@click.group()
def operations() -> None:
    """Look at, wait for and cancel long-running operations."""


@operations.command("list")
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="Print the service's JSON.")
@client_options
def list_operations(dataset: str, as_json: bool, connect: Callable[[], Client]) -> None:
    """List the operations of DATASET (projects/P/locations/L/datasets/D), those that have ended among them."""
    name = str(DatasetName.parse(dataset))
    with connect() as client:
        found = list(client.operations(name))
    if as_json:
        write_json(found, "-")
        return
    for body in found:
        operation = Operation.from_dict(body)
        method = (operation.api_method_name or "").rpartition(".")[2]
        began = f"{operation.create_time:%Y-%m-%d %H:%M}" if operation.create_time else ""
        click.echo(f"{operation.status:<10} {began:<17} {method:<24} {operation.progress}  {operation.name}")


@operations.command()
@click.argument("name")
@output_option
@client_options
def get(name: str, output: str, connect: Callable[[], Client]) -> None:
    """Print operation NAME as JSON."""
    with connect() as client:
        write_json(client.call("GET", str(OperationName.parse(name))), output)


@operations.command()
@click.argument("name")
@client_options
def cancel(name: str, connect: Callable[[], Client]) -> None:
    """Ask the service to cancel operation NAME; what it has written by then stays."""
    with connect() as client:
        client.call("POST", f"{OperationName.parse(name)}:cancel", {})
    click.echo(f"Cancel requested: {name}", err=True)


@operations.command()
@click.argument("name")
@max_failed_option
@output_option
@client_options
def wait(name: str, max_failed_resources: int, output: str, connect: Callable[[], Client]) -> None:
    """Wait for operation NAME, print it as JSON, and fail if it did."""
    with connect() as client:
        follow(client, str(OperationName.parse(name)), FailurePolicy(max_failed_resources), output)
