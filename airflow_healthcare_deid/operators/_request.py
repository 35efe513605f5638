"""The request that starts an operation, checked and complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.config import fingerprint, to_body
from airflow_healthcare_deid.config.documents import parse_text
from airflow_healthcare_deid.config.message import Message
from airflow_healthcare_deid.errors import ConfigError
from airflow_healthcare_deid.resource_names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Mapping

ResourceName = DatasetName | DicomStoreName | FhirStoreName


class OperationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to start.

    :param method: key of the hook's table of methods, such as ``datasets.deidentify``.
    :param source: the resource that the method is called on; the operation lives under its dataset.
    :param destination: where the result goes: a resource, or a ``gs://`` URI. A dataset is made by the operation, so
        its presence proves that a request was accepted.
    :param body: the request's body.
    :param repeatable: whether running it twice does no harm, such as an export that overwrites.
    """

    method: str
    source: ResourceName
    destination: ResourceName | str
    body: dict[str, Any]
    repeatable: bool = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all that makes two requests the same."""
        return fingerprint({"method": self.method, "source": str(self.source), "body": self.body})


def mapping(field: str, value: Message | Mapping[str, Any] | str | None) -> Any:
    """Return a part of a request as plain data.

    :param field: the argument it came in, for messages.
    :param value: the part; text is JSON or YAML, such as that of a rendered file.
    :raises ConfigError: if text is neither.
    """
    if not isinstance(value, str):
        return to_body(value) if isinstance(value, Message) else value
    try:
        return parse_text(value)
    except ConfigError as error:
        raise ConfigError(field, error.problem, error.way_out) from None


def dataset_of(name: ResourceName) -> DatasetName:
    """Return the dataset that a resource is or lives in."""
    return name if isinstance(name, DatasetName) else name.dataset_name
