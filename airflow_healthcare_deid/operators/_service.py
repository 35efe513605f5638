"""HealthcareOperator: who asks, where, and on behalf of which project; what all operators of this package share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_healthcare_deid.operators._hooked import Hooked, check_literal_endpoint
from airflow_healthcare_deid.operators._literals import FILE_SUFFIXES, is_file
from airflow_healthcare_deid.operators._names import check_literal_dataset, dataset_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.resource_names import DatasetName


class HealthcareOperator(Hooked, BaseOperator):
    """Base of the operators that call the Cloud Healthcare API.

    :param project_id: project of names that are given as short ids; default: the connection's.
    :param location: location of names that are given as short ids, such as ``us-central1``.
    :param gcp_conn_id: Airflow connection of type ``google_cloud_platform``.
    :param impersonation_chain: service account to impersonate, or chain of accounts of which the last is; each needs
        the role Service Account Token Creator for the next.
    :param quota_project_id: project that requests are billed and counted to.
    :param api_endpoint: address of the service; default: the connection's field ``healthcare_api_endpoint``, else
        ``HEALTHCARE_EMULATOR_HOST``, else Google's. Plain http only to this machine.
    """

    template_fields: Collection[str] = (
        "project_id",
        "location",
        "gcp_conn_id",
        "impersonation_chain",
        "quota_project_id",
        "api_endpoint",
    )
    template_ext: Sequence[str] = FILE_SUFFIXES
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        project_id: str | None = None,
        location: str | None = None,
        gcp_conn_id: str = "google_cloud_default",
        impersonation_chain: str | Sequence[str] | None = None,
        quota_project_id: str | None = None,
        api_endpoint: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_literal_endpoint(api_endpoint)
        self.project_id = project_id
        self.location = location
        self.gcp_conn_id = gcp_conn_id
        self.impersonation_chain = impersonation_chain
        self.quota_project_id = quota_project_id
        self.api_endpoint = api_endpoint

    def resolve_template_files(self) -> None:
        """Leave files alone until the task is rendered: Airflow would store their content with the DAG."""
        self.prepare_template()

    def render_template(
        self, content: Any, context: Context, jinja_env: Any = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Render a value; what is no path, such as ``gs://bucket/config.json``, is text for all its ending."""
        if isinstance(content, str) and content.endswith(FILE_SUFFIXES) and not is_file(content):
            jinja_env = jinja_env or self.get_template_env()
            return self._render(jinja_env.from_string(content), context)
        return super().render_template(content, context, jinja_env, seen_oids)

    def _check_dataset(self, field: str, value: object) -> DatasetName | None:
        """Check the name or short id of a dataset as it stands in the DAG file."""
        return check_literal_dataset(field, value, self.project_id, self.location)

    def _dataset(self, field: str, value: str) -> DatasetName:
        """Read the name or short id of a dataset."""
        return dataset_name(field, value, lambda: self.project_id or self.hook.default_project_id, self.location)
