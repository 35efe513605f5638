"""What a trigger tells the task: small, versioned, plain JSON, since Airflow logs and stores every event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

import msgspec

from airflow_healthcare_deid import errors
from airflow_healthcare_deid.operation import Operation, Progress

if TYPE_CHECKING:
    from airflow_healthcare_deid.errors import ApiError
    from airflow_healthcare_deid.hooks.asynchronous import StoreNames

EVENT_VERSION = 1
Status = Literal["finished", "timeout", "error"]


class ErrorPart(TypedDict):
    """An :class:`~airflow_healthcare_deid.errors.ApiError`, flat."""

    type: str
    message: str
    status: int | None
    reason: str | None


class OperationEvent(TypedDict):
    """What became of an operation that was watched.

    ``finished``: it ended, well or badly. ``timeout``: its deadline passed, and it was asked to stop if the trigger may
    do so. ``error``: it could no longer be watched.

    ``stores`` are those of the destination of an operation that ended well, where the trigger was asked for them and
    could list them; so the worker that goes on need not load Google's libraries.
    """

    version: int
    status: Status
    operation: dict[str, Any] | None
    error: ErrorPart | None
    stores: NotRequired[StoreNames | None]


def flatten(operation: Operation) -> dict[str, Any]:
    """Return a snapshot as flat, plain JSON."""
    flat: dict[str, Any] = msgspec.to_builtins(operation)
    progress = flat.pop("progress")
    return {**flat, **progress}


def unflatten(flat: dict[str, Any]) -> Operation:
    """Return the snapshot that :func:`flatten` was given."""
    counters = {name: flat[name] for name in Progress.__struct_fields__}
    rest = {name: value for name, value in flat.items() if name not in counters}
    return msgspec.convert(rest | {"progress": counters}, Operation)


def error_part(error: ApiError) -> ErrorPart:
    """Return an error as plain JSON."""
    return {"type": type(error).__name__, "message": str(error), "status": error.status, "reason": error.reason}


def restore_error(part: ErrorPart, note: str = "") -> ApiError:
    """Return the error that :func:`error_part` was given.

    :param note: a sentence to add to its message.
    """
    kind = getattr(errors, part["type"], errors.ApiError)
    if not (isinstance(kind, type) and issubclass(kind, errors.ApiError)):
        kind = errors.ApiError
    message = f"{part['message']}. {note}" if note else part["message"]
    return kind(message, status=part["status"], reason=part["reason"])
