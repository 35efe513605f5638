"""Extra links of a task: where to look in Google's console, from the moment the operation starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, Context, TaskInstanceKey

    from airflow_healthcare_deid.resource_names import DatasetName, OperationName

CONSOLE = "https://console.cloud.google.com"


class HealthcareLink(BaseOperatorLink):
    """A link whose whole address is kept as an XCom."""

    name: ClassVar[str]
    key: ClassVar[str]

    @property
    def xcom_key(self) -> str:
        """Key of the XCom that holds the address."""
        return self.key

    @classmethod
    def persist(cls, context: Context, url: str) -> None:
        """Keep the address for this task instance."""
        context["ti"].xcom_push(key=cls.key, value=url)

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address, or an empty string before the operation was started."""
        return XCom.get_value(key=self.key, ti_key=ti_key) or ""


class SourceDatasetLink(HealthcareLink):
    """The dataset that is read."""

    name = "Source dataset"
    key = "healthcare_source_dataset"


class DestinationDatasetLink(HealthcareLink):
    """The dataset that is written."""

    name = "Destination dataset"
    key = "healthcare_destination_dataset"


class OperationLogsLink(HealthcareLink):
    """What the operation logged, in Cloud Logging."""

    name = "Operation logs"
    key = "healthcare_operation_logs"


def dataset_url(name: DatasetName) -> str:
    """Return the console's page of a dataset."""
    return (
        f"{CONSOLE}/healthcare/browser/locations/{name.location}/datasets/{quote(name.dataset)}"
        f"/datastores?project={quote(name.project)}"
    )


def logs_url(name: OperationName) -> str:
    """Return a query of Cloud Logging for an operation, for as long as the service has not given its own."""
    query = quote(f'operation.id:"{name.operation}"', safe="")
    return f"{CONSOLE}/logs/query;query={query}?project={quote(name.project)}"
