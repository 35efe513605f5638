"""What the operators that export and import have in common."""

from __future__ import annotations

from typing import Any

from airflow_healthcare_deid.errors import ConfigError
from airflow_healthcare_deid.operators._literals import is_literal
from airflow_healthcare_deid.operators.base import HealthcareOperationOperator


class TransferOperator(HealthcareOperationOperator):
    """What the four have in common: a store.

    :param store: full name of the store.
    """

    template_fields = (*HealthcareOperationOperator.template_fields, "store")

    def __init__(self, *, store: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.store = store

    def _check_literals(self) -> None:
        """Check in the DAG file what is no template; called at the end of a subclass's ``__init__``."""
        own = [getattr(self, field) for field in set(self.template_fields) - set(TransferOperator.template_fields)]
        if is_literal([self.store, *own]):
            self.build_request()


class ExportOperator(TransferOperator):
    """What both exports have in common.

    :param uri_prefix: ``gs://bucket/path/to/dir``, either this or a place in BigQuery. Objects there are overwritten,
        so an export that is run again does no harm.
    :param write_disposition: for BigQuery: ``WRITE_EMPTY`` (the service's default) refuses to write where data is,
        ``WRITE_TRUNCATE`` erases it first, ``WRITE_APPEND`` adds to it, twice if it is run twice.
    """

    template_fields = (*TransferOperator.template_fields, "uri_prefix", "write_disposition")

    def __init__(self, *, uri_prefix: str | None = None, write_disposition: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.uri_prefix = uri_prefix
        self.write_disposition = write_disposition

    def _destination(self, field: str, uri: str | None, *only_bigquery: str) -> str:
        """Return the one destination that is given.

        :param field: the argument that names a place in BigQuery.
        :param uri: its value.
        :param only_bigquery: further arguments that make sense for BigQuery only.
        """
        if (self.uri_prefix is None) == (uri is None):
            problem = "is missing" if uri is None else f"cannot be given together with {field}"
            raise ConfigError("uri_prefix", problem, f"Give uri_prefix (gs://…) or {field} (bq://…)")
        if uri is not None:
            return uri
        for name in ("write_disposition", *only_bigquery):
            if getattr(self, name) is not None:
                raise ConfigError(name, "is for BigQuery only", f"Drop it, or give {field} instead of uri_prefix")
        return str(self.uri_prefix)

    @property
    def _repeatable(self) -> bool:
        return self.uri_prefix is not None or self.write_disposition == "WRITE_TRUNCATE"


class ImportOperator(TransferOperator):
    """What both imports have in common.

    :param uri: ``gs://bucket/path`` of the files; ``*`` and ``?`` stand for characters of a name, ``**`` at the end, or
        before an extension, for whole directories.
    """

    template_fields = (*TransferOperator.template_fields, "uri")

    def __init__(self, *, uri: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.uri = uri

    def _shown_source(self, source: str) -> str:
        return self.uri
