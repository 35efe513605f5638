"""The whole chain in one call: de-identify a dataset, prove it, publish what is proven, clean up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, TaskGroup

from airflow_healthcare_deid.operators._memory import KEY
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.operators.resources import (
    DeleteDatasetOperator,
    ListDicomStoresOperator,
    ListFhirStoresOperator,
)
from airflow_healthcare_deid.operators.transfer import ExportDicomStoreOperator, ExportFhirStoreOperator
from airflow_healthcare_deid.operators.validate import ValidateDeidentificationOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.config import ConfigSource


class _DeleteWorkingDatasetOperator(DeleteDatasetOperator):
    """Deletes the dataset that a task has made; one that was there before is somebody else's.

    A teardown with the de-identification as its setup would not run where that failed half-way.

    :param made_by: id of the task.
    """

    def __init__(self, *, made_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.made_by = made_by

    def execute(self, context: Context) -> bool:
        if context["ti"].xcom_pull(task_ids=self.made_by, key=KEY) is None:
            raise AirflowSkipException(f"{self.made_by} has not begun to make {self.dataset}: it is left alone")
        return super().execute(context)


def deidentify_and_publish(
    group_id: str,
    *,
    source_dataset: str,
    working_dataset: str,
    config: ConfigSource,
    publish_to: str,
    quarantine_to: str | None = None,
    validation: Mapping[str, Any] | None = None,
    outlets: Sequence[Any] = (),
    deferrable: bool = True,
    **shared: Any,
) -> TaskGroup:
    """Return a task group that de-identifies a dataset and publishes the result only if it passes validation.

    Tasks: ``deidentify``, ``dicom_stores`` and ``fhir_stores`` (which list what came out), ``validate``, then
    ``publish_dicom`` and ``publish_fhir``, mapped over the stores, or ``quarantine_dicom`` and ``quarantine_fhir``
    where validation failed, and ``remove``, a teardown that deletes the working dataset however the rest ended, unless
    it was there before. The run fails unless everything was published.

    :param group_id: prefix of the tasks' ids.
    :param source_dataset: full name of the dataset to read.
    :param working_dataset: full name of the dataset to create and to remove again; a template such as
        ``…-{{ dag_run.run_after | ts_nodash }}`` keeps runs apart.
    :param config: how to de-identify, as for
        :class:`~airflow_healthcare_deid.operators.deidentify.DeidentifyDatasetOperator`.
    :param publish_to: ``gs://bucket/path``; a directory per store is made below, and the report of the validation.
    :param quarantine_to: ``gs://bucket/path`` for what failed validation, which only few may read; default: nowhere.
    :param validation: further arguments of
        :class:`~airflow_healthcare_deid.operators.validate.ValidateDeidentificationOperator`.
    :param outlets: assets that are updated when everything is published.
    :param deferrable: wait in the triggerer.
    :param shared: arguments of all tasks, such as ``gcp_conn_id``, ``pool`` or ``retries``.
    """
    with TaskGroup(group_id=group_id) as group:
        deidentify = DeidentifyDatasetOperator(
            task_id="deidentify",
            source_dataset=source_dataset,
            destination_dataset=working_dataset,
            config=config,
            deferrable=deferrable,
            **shared,
        )
        validate = ValidateDeidentificationOperator(
            task_id="validate",
            source=source_dataset,
            destination=working_dataset,
            config=config,
            operation_name=f"{{{{ ti.xcom_pull(task_ids='{deidentify.task_id}')['operation'] }}}}",
            **{"report_gcs_uri": f"{publish_to.rstrip('/')}/validation.json", **shared, **(validation or {})},
        )
        dicom = ListDicomStoresOperator(task_id="dicom_stores", dataset=working_dataset, **shared)
        fhir = ListFhirStoresOperator(task_id="fhir_stores", dataset=working_dataset, **shared)
        of_exports = {"deferrable": deferrable, **shared}
        exports = list(_exports("publish", dicom, fhir, publish_to, outlets=list(outlets), **of_exports))
        if quarantine_to:
            exports += _exports("quarantine", dicom, fhir, quarantine_to, trigger_rule="one_failed", **of_exports)
        remove = _DeleteWorkingDatasetOperator(
            task_id="remove", made_by=deidentify.task_id, dataset=working_dataset, if_missing="ignore", **shared
        )
        deidentify >> [dicom, fhir] >> validate >> exports >> remove.as_teardown()
    return group


def _exports(
    name: str, dicom: ListDicomStoresOperator, fhir: ListFhirStoresOperator, directory: str, **arguments: Any
) -> tuple[Any, Any]:
    """Return the exports of all DICOM stores and of all FHIR stores."""
    # A mapped value is no template, but a template may speak of it.
    arguments["uri_prefix"] = f"{directory.rstrip('/')}/{{{{ task.store.rpartition('/')[2] }}}}"
    return (
        ExportDicomStoreOperator.partial(task_id=f"{name}_dicom", **arguments).expand(store=dicom.output),
        ExportFhirStoreOperator.partial(task_id=f"{name}_fhir", **arguments).expand(store=fhir.output),
    )
