"""Every field of the requests: config key, operator argument, command-line option, and the emulator's support."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_healthcare_deid.cli.deidentify import _FIELDS as OPTIONS
from airflow_healthcare_deid.operators.deidentify import (
    DeidentifyDatasetOperator,
    DeidentifyDicomStoreOperator,
    DeidentifyFhirStoreOperator,
)
from airflow_healthcare_deid.operators.transfer import (
    ExportDicomStoreOperator,
    ExportFhirStoreOperator,
    ImportDicomStoreOperator,
    ImportFhirStoreOperator,
)
from scripts.doc_tables.endpoints import DONE, NOTES, PARTLY
from scripts.doc_tables.google_api import Field, fields
from scripts.doc_tables.markdown import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OPERATORS: dict[str, type[Any]] = {
    "DeidentifyDatasetRequest": DeidentifyDatasetOperator,
    "DeidentifyDicomStoreRequest": DeidentifyDicomStoreOperator,
    "DeidentifyFhirStoreRequest": DeidentifyFhirStoreOperator,
    "ExportDicomDataRequest": ExportDicomStoreOperator,
    "ImportDicomDataRequest": ImportDicomStoreOperator,
    "ExportResourcesRequest": ExportFhirStoreOperator,
    "ImportResourcesRequest": ImportFhirStoreOperator,
}
CONFIG = "DeidentifyConfig"
MESSAGES = {
    "gcsDestination": "`uri_prefix`",
    "bigqueryDestination": "`table_uri` or `dataset_uri`",
    "gcsSource": "`uri`",
    "blobStorageSettings": "`blob_storage_class`",
    "bigqueryDestination.schemaFlattened": '`schema="FLATTENED"`',
    "bigqueryDestination.schemaJson": '`schema="JSON"`',
    "_type": "`types`",
}
NOT_TAKEN = {"bigqueryDestination.force": "none: Google superseded it by `writeDisposition`"}


class Row(NamedTuple):
    """A field of a request."""

    field: Field
    key: str
    argument: str
    option: str
    emulator: str


def config_rows() -> list[Row]:
    """Return a row for every field of ``DeidentifyConfig``."""
    found = list(fields(CONFIG))
    notes = _notes(CONFIG, found)
    return [Row(field, _snake(field.path), "`config`", _option(field, "config."), notes(field)) for field in found]


def request_rows(request: str) -> list[Row]:
    """Return a row for every field of a request; a config is one field here.

    :raises ValueError: if a field is not known to the operator.
    """
    found = list(fields(request, without=("config",)))
    notes = _notes(request, found)
    deidentifies = request.startswith("Deidentify")
    return [
        Row(
            field,
            _snake(field.path),
            _argument(request, field),
            _option(field) if deidentifies else "",
            notes(field),
        )
        for field in found
    ]


def _notes(request: str, found: Iterable[Field]) -> Callable[[Field], str]:
    notes: dict[str, str] = NOTES["fields"].get(request, {})
    if unknown := notes.keys() - {field.path for field in found}:
        raise ValueError(f"notes.yaml speaks of fields that {request} does not have: {sorted(unknown)}")
    return lambda field: f"{PARTLY}: {notes[field.path]}" if field.path in notes else DONE


def _snake(path: str) -> str:
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda capital: "_" + capital[0].lower(), path)


def _argument(request: str, field: Field) -> str:
    """Return the argument that sets a field: of its own name, or of what it is a part of."""
    if field.path in NOT_TAKEN:
        return NOT_TAKEN[field.path]
    if field.path in MESSAGES:
        return MESSAGES[field.path]
    taken = _arguments(OPERATORS[request])
    names = [_snake(name.removesuffix("[]")).lstrip("_") for name in field.path.split(".")]
    argument = next((name for name in (names[-1], *names[:-1]) if name in taken), None)
    if argument is None:
        raise ValueError(f"No argument of {OPERATORS[request].__name__} sets {field.path} of {request}")
    return f"`{argument}`"


def _arguments(operator: type[Any]) -> set[str]:
    own = (kind for kind in operator.__mro__ if _is_ours(kind) and "__init__" in vars(kind))
    return {name for kind in own for name in inspect.signature(vars(kind)["__init__"]).parameters}


def _is_ours(kind: type[Any]) -> bool:
    return kind.__module__.startswith("airflow_healthcare_deid.")


def _option(field: Field, prefix: str = "") -> str:
    """Return the option that sets a field, or how the cursor grammar spells it, which has no lists of messages."""
    path = prefix + field.path
    kebab = _snake(path.replace("[]", "")).replace("_", "-")
    own = next((name for name, spelled in OPTIONS.items() if spelled == kebab), None)
    if own is not None:
        return f"`--{own.replace('_', '-')}`"
    if path == "config.fhir":
        return "`--fhir`, `--config`"
    listed = "[]." in path or (path.endswith("[]") and field.kind[0].isupper())
    return "`--config`" if listed or path == "config" else f"`-r .{kebab}`"


def page() -> str:
    """Return the tables."""
    parts = []
    for request, operator in OPERATORS.items():
        rows = request_rows(request)
        deidentifies = request.startswith("Deidentify")
        head = ("field", "type", "argument", *(["option"] if deidentifies else []), "emulator")
        cells = [
            (f"`{row.field.path}`", row.field.kind, row.argument, *([row.option] if deidentifies else []), row.emulator)
            for row in rows
        ]
        parts.append(f"## {request}\n\nBuilt by `{operator.__name__}`.\n\n{table(head, cells)}")
    cells = [(f"`{row.field.path}`", row.field.kind, f"`{row.key}`", row.option, row.emulator) for row in config_rows()]
    head = ("field", "type", "key in snake_case", "option", "emulator")
    parts.insert(3, f"## {CONFIG}\n\nThe argument `config` of the three operators above.\n\n{table(head, cells)}")
    return "\n\n".join(parts) + "\n"
