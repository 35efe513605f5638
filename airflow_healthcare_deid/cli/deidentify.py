"""``healthcare-deid deidentify``: submit one of the three deidentify requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from airflow_healthcare_deid.cli.cursor import build_request
from airflow_healthcare_deid.cli.options import (
    FILE,
    checked_config,
    client_options,
    max_failed_option,
    output_option,
    write_json,
)
from airflow_healthcare_deid.cli.waiting import follow
from airflow_healthcare_deid.config import (
    DeidentifyDatasetRequest,
    DeidentifyDicomStoreRequest,
    DeidentifyFhirStoreRequest,
    Message,
    TagFilterProfile,
    TextRedactionMode,
    load_request,
    to_body,
)
from airflow_healthcare_deid.errors import InvalidRequestError, TransientApiError
from airflow_healthcare_deid.operation import FailurePolicy
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_healthcare_deid.cli.client import Client

# Options that are fields of the request: the option's name to the arguments of the cursor grammar that set it.
_FIELDS = {
    "destination_dataset": "destination-dataset",
    "destination_store": "destination-store",
    "gcs_config_uri": "gcs-config-uri",
    "filter_profile": "config.dicom.filter-profile",
    "keep_list_tags": "config.dicom.keep-list.tags",
    "remove_list_tags": "config.dicom.remove-list.tags",
    "skip_id_redaction": "config.dicom.skip-id-redaction",
    "default_keep_extensions": "config.fhir.default-keep-extensions",
    "text_redaction_mode": "config.image.text-redaction-mode",
    "exclude_info_types": "config.text.exclude-info-types",
    "use_regional_data_processing": "config.use-regional-data-processing",
    "resource_paths_gcs_uri": "filter-config.resource-paths-gcs-uri",
    "resources": "resource-filter.resources.resources",
    "skip_modified_resources": "skip-modified-resources",
}


class _CursorCommand(click.Command):
    """Takes any number of arguments after ``-r``, up to the next option; so the dataset comes before it."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        options, dataset = super().collect_usage_pieces(ctx)
        return [dataset, options]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        open_ = False
        for argument, following in zip(args, [*args[1:], "-"], strict=True):
            if argument == "-r":
                open_ = True
                if following.startswith("-"):
                    raise click.BadOptionUsage("-r", "Option '-r' requires an argument, such as .config.dicom.", ctx)
            elif open_ and not argument.startswith("-"):
                spread += ["-r", argument]
            else:
                open_ = False
                spread.append(argument)
        return super().parse_args(ctx, spread)


def _fields(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each field that holds a value; gathered into the argument ``fields``."""

    def listed(name: str, text: str) -> Any:
        return click.option(name, multiple=True, metavar="TEXT", help=f"{text}; may repeat.")

    options = [
        click.option("--destination-dataset", metavar="NAME", help="Dataset to make, as a full name or an id."),
        click.option(
            "--destination-store", metavar="NAME", help="Existing store to write to, as a full name or an id."
        ),
        click.option("--gcs-config-uri", metavar="URI", help="gs:// address of the JSON of a DeidentifyConfig."),
        click.option("--filter-profile", type=click.Choice([str(p) for p in TagFilterProfile]), help="DICOM tags."),
        listed("--keep-list-tags", "DICOM tag to keep, all others go"),
        listed("--remove-list-tags", "DICOM tag to remove, all others stay"),
        click.option("--skip-id-redaction/--no-skip-id-redaction", default=None, help="Keep the DICOM UIDs."),
        click.option("--default-keep-extensions/--no-default-keep-extensions", default=None, help="FHIR extensions."),
        click.option("--text-redaction-mode", type=click.Choice([str(m) for m in TextRedactionMode]), help="Pixels."),
        listed("--exclude-info-types", "infoType to leave alone"),
        click.option(
            "--use-regional-data-processing/--no-use-regional-data-processing", default=None, help="Stay in region."
        ),
        click.option("--resource-paths-gcs-uri", metavar="URI", help="gs:// address of a DICOM filter file."),
        listed("--resources", "FHIR resource to include, Type/id"),
        click.option("--skip-modified-resources/--no-skip-modified-resources", default=None, help="FHIR only."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(cls=_CursorCommand)
@click.argument("source_dataset")
@click.option("--dicom-store", metavar="ID", help="De-identify this DICOM store only.")
@click.option("--fhir-store", metavar="ID", help="De-identify this FHIR store only.")
@click.option("--config", "config_file", metavar="FILE", type=FILE, help="DeidentifyConfig, JSON or YAML; - is stdin.")
@click.option("--fhir", "with_fhir", is_flag=True, help="De-identify FHIR stores with the service's defaults.")
@click.option(
    "-r", "cursor", multiple=True, metavar="ARG...", help="Fields by cursor: -r .config.dicom filter-profile=X"
)
@_fields
@click.option("--dry-run", is_flag=True, help="Check the request and print it; send nothing.")
@click.option("--wait", is_flag=True, help="Follow the operation to its end; fails if it does.")
@max_failed_option
@output_option
@client_options
def deidentify(
    source_dataset: str,
    dicom_store: str | None,
    fhir_store: str | None,
    config_file: str | None,
    with_fhir: bool,
    cursor: tuple[str, ...],
    dry_run: bool,
    wait: bool,
    max_failed_resources: int,
    output: str,
    connect: Callable[[], Client],
    **fields: Any,
) -> None:
    """De-identify SOURCE_DATASET (projects/P/locations/L/datasets/D), or one of its stores.

    The request comes from options named after its fields, from --config, and from -r; what is given twice is refused.
    -r takes all that follows up to the next option.

    \b
    healthcare-deid deidentify projects/p/locations/us-central1/datasets/raw \\
        --destination-dataset clean --filter-profile ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE --fhir --wait
    """
    source, kind = _source(source_dataset, dicom_store, fhir_store)
    arguments = [*_spelled(fields), *(["config.fhir"] if with_fhir else []), ".", *cursor]
    body = build_request(kind, arguments)
    if config_file is not None:
        if "config" in body:
            raise InvalidRequestError("--config", "is given together with fields of the config", "Use one of them")
        body["config"] = to_body(checked_config(config_file))
    _complete_destination(body, source)
    try:
        request = to_body(load_request(kind, body))
    except InvalidRequestError:
        if dry_run:
            write_json(body, output)  # what the arguments built, to find the mistake in
        raise
    if dry_run:
        write_json(request, output)
        return
    with connect() as client:
        try:
            started = client.call("POST", f"{source}:deidentify", request)
        except TransientApiError as error:
            if not error.sent:
                raise
            hint = f"It may have started all the same. Look first: healthcare-deid operations list {_dataset(source)}"
            raise TransientApiError(f"{error}. {hint}", status=error.status) from None
        if not wait:
            write_json(started, output)
            return
        click.echo(f"Started {started['name']}", err=True)
        follow(client, started["name"], FailurePolicy(max_failed_resources), output)


def _source(
    dataset: str, dicom_store: str | None, fhir_store: str | None
) -> tuple[DatasetName | DicomStoreName | FhirStoreName, type[Message]]:
    name = DatasetName.parse(dataset)
    if dicom_store and fhir_store:
        raise InvalidRequestError("--fhir-store", "cannot be given together with --dicom-store", "Keep one of them")
    if dicom_store:
        return name.dicom_store(dicom_store), DeidentifyDicomStoreRequest
    if fhir_store:
        return name.fhir_store(fhir_store), DeidentifyFhirStoreRequest
    return name, DeidentifyDatasetRequest


def _dataset(source: DatasetName | DicomStoreName | FhirStoreName) -> DatasetName:
    return source if isinstance(source, DatasetName) else source.dataset_name


def _spelled(fields: Mapping[str, Any]) -> list[str]:
    """Spell the options that were given in the cursor grammar, so that one piece of code builds the request."""
    arguments: list[str] = []
    for name, path in _FIELDS.items():
        value = fields[name]
        if value is None:
            continue
        for each in value if isinstance(value, tuple) else (value,):
            arguments.append(f"{path}={str(each).lower() if isinstance(each, bool) else each}")
    return arguments


def _complete_destination(body: dict[str, Any], source: DatasetName | DicomStoreName | FhirStoreName) -> None:
    """Make full names of short ids: a dataset beside the source, a store in the source's dataset."""
    short = body.get("destinationDataset") or ""
    if short and "/" not in short:
        body["destinationDataset"] = f"{_dataset(source).location_name}/datasets/{short}"
    short = body.get("destinationStore") or ""
    if short and "/" not in short and not isinstance(source, DatasetName):
        collection = "dicomStores" if isinstance(source, DicomStoreName) else "fhirStores"
        body["destinationStore"] = f"{source.dataset_name}/{collection}/{short}"
