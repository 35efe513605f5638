"""SearchDicomStudiesOperator: a query becomes a filter file.

https://cloud.google.com/healthcare-api/docs/how-tos/dicom-deidentify#filtering and the conformance statement's QIDO-RS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_healthcare_deid.config import parse_gcs_uri
from airflow_healthcare_deid.errors import InvalidRequestError
from airflow_healthcare_deid.links import SourceDatasetLink, dataset_url
from airflow_healthcare_deid.operators._config import check_literal_uri
from airflow_healthcare_deid.operators._hooked import task_step
from airflow_healthcare_deid.operators._literals import is_literal
from airflow_healthcare_deid.operators._names import check_literal_name, parse_name
from airflow_healthcare_deid.operators._service import HealthcareOperator
from airflow_healthcare_deid.resource_names import DicomStoreName
from airflow_healthcare_deid.version_compat import mask_secret

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

SEARCH_KEYS = ("StudyInstanceUID", "PatientName", "PatientID", "AccessionNumber", "ReferringPhysicianName", "StudyDate")
"""Attributes that the service searches studies by."""
_DATE = re.compile(r"\d{8}|\d{8}-\d{8}|\d{8}-|-\d{8}")


class FilterFile(TypedDict):
    """What the operator returns: where the file is, and how many studies it names."""

    resource_paths_gcs_uri: str
    studies: int


class MaskedQuery:
    """A ``query`` attribute whose values, but for dates, are masked in logs and rendered fields once they are known.

    Airflow's masker passes over values of fewer than five characters.
    """

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else instance.__dict__["query"]

    def __set__(self, instance: Any, value: Any) -> None:
        for key, part in value.items() if isinstance(value, Mapping) else ():
            if key != "StudyDate" and isinstance(part, str) and part and is_literal(part):
                mask_secret(part)
        instance.__dict__["query"] = value


class SearchDicomStudiesOperator(HealthcareOperator):
    """Searches a DICOM store for studies and writes a filter file that a de-identification or an export takes.

    Needs ``healthcare.dicomStores.dicomWebRead`` on the store (``roles/healthcare.dicomViewer``) and
    ``storage.objects.create`` and ``.delete`` on the bucket (``roles/storage.objectAdmin``). A file that is there is
    overwritten, so running again does no harm. Study UIDs and query values are patient data: they go into the file and
    into the request, not into logs and XComs. A query that stands in the DAG file is stored with the DAG, so have names
    and ids come out of a template or another task; then they are masked.

    :param store: ``projects/P/locations/L/datasets/D/dicomStores/S``.
    :param query: attributes to match, such as ``{"StudyDate": "20260101-20260131"}``; also ``PatientID``,
        ``PatientName``, ``AccessionNumber``, ``ReferringPhysicianName``, ``StudyInstanceUID``. Default: every study.
    :param fuzzy_matching: match the beginnings of the parts of ``PatientName``.
    :param resource_paths_gcs_uri: ``gs://bucket/path/to/object`` of the file to write.
    :param skip_if_empty: skip this task, and so those downstream, if no study matches; default: yes. Otherwise an
        empty file is written, which the service takes for nothing at all or for everything: Google does not say.
    """

    template_fields = (*HealthcareOperator.template_fields, "store", "query", "resource_paths_gcs_uri")
    operator_extra_links = (SourceDatasetLink(),)

    query = MaskedQuery()

    def __init__(
        self,
        *,
        store: str,
        resource_paths_gcs_uri: str,
        query: Mapping[str, str] | None = None,
        fuzzy_matching: bool = False,
        skip_if_empty: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_literal_name(DicomStoreName, "store", store)
        self.store = store
        self.resource_paths_gcs_uri = resource_paths_gcs_uri
        self.query = query
        self.fuzzy_matching = fuzzy_matching
        self.skip_if_empty = skip_if_empty
        check_literal_uri("resource_paths_gcs_uri", resource_paths_gcs_uri)
        if query is not None and is_literal(query):
            _check_query(query)

    @task_step
    def execute(self, context: Context) -> FilterFile:
        """Search, and write the file."""
        from airflow_healthcare_deid.hooks.dicomweb import DicomWeb
        from airflow_healthcare_deid.hooks.storage import GcsFiles

        name = parse_name(DicomStoreName, "store", self.store)
        parse_gcs_uri(self.resource_paths_gcs_uri, "resource_paths_gcs_uri")
        query = dict(self.query or {})
        _check_query(query)
        SourceDatasetLink.persist(context, dataset_url(name.dataset_name))
        if self.fuzzy_matching:
            query["fuzzymatching"] = "true"
        studies = sorted(set(DicomWeb(self.hook, name).search_studies(query)))
        self.log.info("%d studies of %s match", len(studies), name)
        if not studies and self.skip_if_empty:
            raise AirflowSkipException(f"No study of {name} matches the query")
        content = "".join(f"/studies/{study}\n" for study in studies).encode()
        GcsFiles(self.hook).write(self.resource_paths_gcs_uri, content, "text/plain")
        return {"resource_paths_gcs_uri": self.resource_paths_gcs_uri, "studies": len(studies)}


def _check_query(query: Mapping[str, str]) -> None:
    """Refuse what the service cannot search by; values are not repeated."""
    for key, value in query.items():
        if key not in SEARCH_KEYS:
            raise InvalidRequestError(f"query.{key}", "is no attribute to search by", f"Use {', '.join(SEARCH_KEYS)}")
        if not isinstance(value, str) or not value:
            raise InvalidRequestError(f"query.{key}", "is no text", "Write the value to match as text")
        if key == "StudyDate" and not _DATE.fullmatch(value):
            raise InvalidRequestError("query.StudyDate", "is no date or range", "Use YYYYMMDD or YYYYMMDD-YYYYMMDD")
