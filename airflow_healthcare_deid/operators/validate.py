"""ValidateDeidentificationOperator: proof, through the API alone, that data is de-identified."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypedDict

from msgspec.structs import replace

from airflow_healthcare_deid.config import DicomConfig, FhirConfig, load_config, parse_gcs_uri
from airflow_healthcare_deid.errors import InvalidRequestError, ValidationFailedError
from airflow_healthcare_deid.links import DestinationDatasetLink, SourceDatasetLink, dataset_url
from airflow_healthcare_deid.operators._config import MaskedConfig, check_config_arguments, check_literal_uri
from airflow_healthcare_deid.operators._hooked import task_step
from airflow_healthcare_deid.operators._literals import is_literal
from airflow_healthcare_deid.operators._names import parse_name, parse_resource
from airflow_healthcare_deid.operators._numbers import whole_number
from airflow_healthcare_deid.operators._request import dataset_of
from airflow_healthcare_deid.operators._service import HealthcareOperator
from airflow_healthcare_deid.operators._validation_files import read_config, read_studies
from airflow_healthcare_deid.resource_names import DatasetName, OperationName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.config import ConfigSource, DeidentifyConfig
    from airflow_healthcare_deid.operators._request import ResourceName
    from airflow_healthcare_deid.validation.report import ValidationReport

REPORT_KEY = "validation_report"
URIS = ("gcs_config_uri", "resource_paths_gcs_uri", "report_gcs_uri")


class Verdict(TypedDict):
    """What the operator returns; the whole report is the XCom ``validation_report``."""

    passed: bool
    errors: dict[str, int]
    warnings: dict[str, int]
    not_checked: list[str]
    report_gcs_uri: str | None


class ValidateDeidentificationOperator(HealthcareOperator):
    """Compares source and destination of a de-identification, and fails if the data is not de-identified.

    It asks whether everything arrived, whether UIDs were replaced and still hold the data together, whether a patient's
    names, ids, dates and addresses are anywhere in tags, fields or narratives, whether the tag filter held, whether
    dates moved as one, and whether pixels are untouched where they should be. What it cannot see is in the report under
    ``blind_spots``. Neither report nor log holds a value of a record. The checks run in the worker, on a sample.

    Needs, on both sides, ``healthcare.dicomStores.get``, ``.list`` and ``.dicomWebRead``
    (``roles/healthcare.dicomViewer``), ``healthcare.fhirStores.get``, ``.list`` and ``.searchResources`` and
    ``healthcare.fhirResources.get`` (``roles/healthcare.fhirResourceReader``).

    :param source: full name of the dataset or store that was de-identified.
    :param destination: full name of the dataset or store that came out; of the same kind as the source.
    :param config: the config that was used, in any form that the de-identifying operators take.
    :param gcs_config_uri: ``gs://bucket/path/to/object`` of the config, instead of ``config``; read with the
        connection's credentials.
    :param operation_name: the operation, for the number of resources that it counted as failed. Without, every missing
        resource counts as lost.
    :param resource_paths_gcs_uri: the filter file that was used: only its studies are looked at.
    :param subset: only a part of the source was asked for, or the destination held other data before, so that counts
        differ; default: whether ``resource_paths_gcs_uri`` is given.
    :param sample_size: studies of each DICOM store and patients of each FHIR store to look into; None for all.
    :param pixel_sample_size: instances of each DICOM store whose pixels are compared, of those looked into; None for
        all.
    :param seed: seed of the sample; the same seed draws the same sample.
    :param severities: other severities of checks: ``{"references": "ERROR"}``.
    :param fail_on_warnings: fail on failed checks of severity ``WARNING``, too.
    :param report_gcs_uri: ``gs://bucket/path/to/object`` to write the report to, as JSON.
    """

    template_fields = (
        *HealthcareOperator.template_fields,
        "source",
        "destination",
        "config",
        "gcs_config_uri",
        "operation_name",
        "resource_paths_gcs_uri",
        "sample_size",
        "pixel_sample_size",
        "seed",
        "report_gcs_uri",
    )
    template_fields_renderers = {"config": "json"}  # noqa: RUF012 - Airflow's declaration
    operator_extra_links = (SourceDatasetLink(), DestinationDatasetLink())

    config = MaskedConfig()

    def __init__(
        self,
        *,
        source: str,
        destination: str,
        config: ConfigSource | None = None,
        gcs_config_uri: str | None = None,
        operation_name: str | None = None,
        resource_paths_gcs_uri: str | None = None,
        subset: bool | None = None,
        sample_size: int | str | None = 25,
        pixel_sample_size: int | str | None = 50,
        seed: int | str = 0,
        severities: Mapping[str, str] | None = None,
        fail_on_warnings: bool = False,
        report_gcs_uri: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_config_arguments(config, gcs_config_uri)
        self.source = source
        self.destination = destination
        self.config = config
        self.gcs_config_uri = gcs_config_uri
        self.operation_name = operation_name
        self.resource_paths_gcs_uri = resource_paths_gcs_uri
        self.subset = subset
        self.sample_size = sample_size
        self.pixel_sample_size = pixel_sample_size
        self.seed = seed
        self.severities = severities
        self.fail_on_warnings = fail_on_warnings
        self.report_gcs_uri = report_gcs_uri
        self._check_literals()

    @task_step
    def execute(self, context: Context) -> Verdict:
        """Validate, tell, and fail if need be."""
        for field in URIS:
            if (uri := getattr(self, field)) is not None:
                parse_gcs_uri(uri, field)
        source, destination = self._sides()
        SourceDatasetLink.persist(context, dataset_url(dataset_of(source)))
        DestinationDatasetLink.persist(context, dataset_url(dataset_of(destination)))
        report = self._validate(source, destination)
        context["ti"].xcom_push(key=REPORT_KEY, value=report.to_dict())
        if self.report_gcs_uri:
            from airflow_healthcare_deid.hooks.storage import GcsFiles

            content = json.dumps(report.to_dict(), indent=2).encode()
            GcsFiles(self.hook).write(self.report_gcs_uri, content, "application/json")
        return self._judge(report)

    def _validate(self, source: ResourceName, destination: ResourceName) -> ValidationReport:
        from airflow_healthcare_deid.hooks.side import ApiSide
        from airflow_healthcare_deid.validation.report import Severity
        from airflow_healthcare_deid.validation.runner import validate
        from airflow_healthcare_deid.validation.sampling import Sampling, Scope

        sampling = Sampling(
            whole_number("sample_size", self.sample_size),
            whole_number("seed", self.seed) or 0,
            whole_number("pixel_sample_size", self.pixel_sample_size),
        )
        severities = {check: Severity(severity) for check, severity in (self.severities or {}).items()}
        config = self._load_config()
        if not isinstance(source, DatasetName):
            # Only of a dataset are the stores skipped whose part of the config is absent.
            config = replace(config, dicom=config.dicom or DicomConfig(), fhir=config.fhir or FhirConfig())
        studies, whole = (
            read_studies(self.hook, self.resource_paths_gcs_uri) if self.resource_paths_gcs_uri else (None, True)
        )
        scope = Scope(
            sampling,
            self._failed_resources(),
            subset=studies is not None if self.subset is None else self.subset,
            selected=studies is not None,
            whole_studies=whole,
        )
        label = str(destination).rpartition("/")[2]
        before = ApiSide(self.hook, source, label=label, studies=studies)
        skipped = [f"FHIR store {store}: the service skips version R5" for store in before.leave_out_r5()]
        after = ApiSide(self.hook, destination)
        names = str(source), str(destination)
        report = validate(before, after, config, names=names, scope=scope, blind_spots=skipped)
        return report.with_severities(severities)

    def _judge(self, report: ValidationReport) -> Verdict:
        errors = {result.check: result.failed for result in report.errors}
        warnings = {result.check: result.failed for result in report.warnings}
        for result in (*report.errors, *report.warnings):
            self.log.warning("%s %s: %d of %d", result.severity, result.check, result.failed, result.checked)
        if errors or (warnings and self.fail_on_warnings):
            failed = ", ".join(f"{check} ({count})" for check, count in {**errors, **warnings}.items())
            where = self.report_gcs_uri or f"the XCom {REPORT_KEY}"
            raise ValidationFailedError(
                f"{report.destination} is not de-identified as asked for. Failed checks: {failed}. {where} names the "
                "resources. Keep the data away from its readers until this is mended"
            )
        self.log.info("%s passed all checks that could be made", report.destination)
        return {
            "passed": True,
            "errors": errors,
            "warnings": warnings,
            "not_checked": [result.check for result in report.results if result.status == "NOT_CHECKED"],
            "report_gcs_uri": self.report_gcs_uri,
        }

    # Arguments -------------------------------------------------------------------------------------------------------

    def _sides(self) -> tuple[ResourceName, ResourceName]:
        source, destination = (
            parse_resource(value) if "/" in value else self._dataset(field, value)
            for field, value in (("source", self.source), ("destination", self.destination))
        )
        if type(source) is not type(destination):
            raise InvalidRequestError(
                "destination",
                "is of another kind than source",
                "Give two datasets, two DICOM stores or two FHIR stores",
            )
        if source == destination:
            raise InvalidRequestError("destination", f"is the source itself, {source}", "Name what came out")
        return source, destination

    def _load_config(self) -> DeidentifyConfig:
        config = type(self).config.reveal(self)
        return load_config(config) if config is not None else read_config(self.hook, str(self.gcs_config_uri))

    def _failed_resources(self) -> int | None:
        # A template renders what a task that reused its destination says: that there was no operation.
        if self.operation_name in (None, "", "None"):
            return None
        name = parse_name(OperationName, "operation_name", self.operation_name)
        progress = self.hook.get_operation(str(name), attempts=5).progress
        return progress.failure + progress.secondary_failure

    def _check_literals(self) -> None:
        from airflow_healthcare_deid.validation.report import CHECKS, Severity

        for check, severity in (self.severities or {}).items():
            if check not in CHECKS:
                raise InvalidRequestError(f"severities.{check}", "is no check", f"Use {', '.join(sorted(CHECKS))}")
            if severity not in list(Severity):
                raise InvalidRequestError(f"severities.{check}", f"is {severity!r}", "Use ERROR or WARNING")
        for field in ("sample_size", "pixel_sample_size"):
            size = getattr(self, field)
            if is_literal(size) and (number := whole_number(field, size)) is not None and number < 1:
                raise InvalidRequestError(field, "is below 1", "Use a positive number, or None for everything")
        if is_literal([self.source, self.destination]) and "/" in self.source and "/" in self.destination:
            self._sides()
        for field in URIS:
            check_literal_uri(field, getattr(self, field))
