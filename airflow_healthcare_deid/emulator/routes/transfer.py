"""What the export and import calls of DICOM and FHIR stores share: reading their bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_healthcare_deid.config import Message, load_request
from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=Message)


def read_transfer(kind: type[M], body: Mapping[str, Any]) -> M:
    """Read the body of an export or import call with the models that the operators use.

    :raises ServiceError: 400 naming the field at fault.
    """
    try:
        read: M = load_request(kind, _explicit(body))
    except ConfigError as error:
        raise invalid(str(error), field=error.path) from None
    return read


def take_force(body: dict[str, Any]) -> bool:
    """Take ``bigqueryDestination.force`` out of a body: it is older than ``writeDisposition`` and gives way to it.

    :raises ServiceError: 400 if it is no boolean.
    """
    destination = body.get("bigqueryDestination")
    force = destination.pop("force", False) if isinstance(destination, dict) else False
    if not isinstance(force, bool):
        raise invalid("Invalid value at 'bigqueryDestination.force' (TYPE_BOOL).", field="bigqueryDestination.force")
    return force


def _explicit(value: Any) -> Any:
    """Leave out what Google's JSON may say and does not mean anything: nulls, and enums that are UNSPECIFIED."""
    if not isinstance(value, dict):
        # An int64 may be text in Google's JSON; the one such field is a small number.
        return value
    return {
        key: int(each) if key == "recursiveStructureDepth" and _is_number(each) else _explicit(each)
        for key, each in value.items()
        if each is not None and not (isinstance(each, str) and each.endswith("_UNSPECIFIED"))
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
