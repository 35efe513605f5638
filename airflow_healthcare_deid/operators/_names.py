"""Names as users write them: in full, or as a short id with project and location beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow_healthcare_deid.errors import InvalidRequestError, InvalidResourceNameError
from airflow_healthcare_deid.operators._literals import is_literal
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName, OperationName

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.operators._request import ResourceName

UNKNOWN = "unknown"
"""Stands for a project or location that a DAG file does not tell."""
N = TypeVar("N", bound=DatasetName | DicomStoreName | FhirStoreName | OperationName)


def parse_name(kind: type[N], field: str, value: str) -> N:
    """Read a full resource name.

    :param kind: what it must name.
    :param field: the argument it came in, for messages.
    :raises InvalidResourceNameError: if it has another form.
    """
    try:
        return cast("N", kind.parse(value))
    except InvalidResourceNameError as error:
        raise InvalidResourceNameError(field, error.problem, f"Write {error.field}. {error.way_out}") from None


def check_literal_name(kind: type[N], field: str, value: Any) -> N | None:
    """Read a full name that stands in a DAG file; one that only comes to be when the task runs is None.

    :raises InvalidResourceNameError: if it has another form.
    """
    return parse_name(kind, field, value) if is_literal(value) else None


def check_literal_dataset(field: str, value: Any, project_id: str | None, location: str | None) -> DatasetName | None:
    """Read a dataset's name or short id that stands in a DAG file; one that only comes to be later is None.

    :param project_id: project of a short id; :data:`UNKNOWN` stands for one that a template or the connection gives.
    :param location: location of a short id.
    :raises InvalidRequestError: if it cannot become a name.
    """
    if not is_literal(value):
        return None
    project = project_id if project_id and is_literal(project_id) else UNKNOWN
    name = dataset_name(field, value, lambda: project, location if is_literal(location) else UNKNOWN)
    return None if name.location == UNKNOWN else name


def dataset_name(
    field: str,
    value: str,
    project_id: Callable[[], str | None],
    location: str | None,
) -> DatasetName:
    """Read the name or short id of a dataset.

    :param field: the argument it came in, for messages.
    :param value: ``projects/P/locations/L/datasets/D`` or ``D``.
    :param project_id: gives the project of a short id; not asked for a full name.
    :param location: location of a short id.
    """
    if value in (None, "", "None"):
        # "None" is what a template makes of nothing.
        raise InvalidResourceNameError(
            field, "is missing", "Write projects/P/locations/L/datasets/D, or the dataset id"
        )
    if not isinstance(value, str) or "/" in value:
        return parse_name(DatasetName, field, value)
    if not location:
        raise InvalidRequestError("location", f"is missing, but {field} is a short id", "Set it, or use a full name")
    project = project_id()
    if not project:
        raise InvalidRequestError("project_id", f"is missing, but {field} is a short id", "Set it, or use a full name")
    try:
        return DatasetName(project, location, value)
    except InvalidResourceNameError as error:
        raise InvalidResourceNameError(field, error.problem, error.way_out) from None


def parse_resource(name: str) -> ResourceName:
    """Read the full name of a dataset or of a store."""
    kinds: tuple[type[ResourceName], ...] = (DatasetName, DicomStoreName, FhirStoreName)
    for kind in kinds:
        try:
            return kind.parse(name)
        except InvalidResourceNameError:
            continue
    raise InvalidResourceNameError("", f"{name!r} names neither a dataset nor a store")
