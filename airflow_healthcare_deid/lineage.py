"""What a finished task tells the rest of the platform: counters with its assets, inputs and outputs for OpenLineage.

Both are extras: where Airflow or OpenLineage lack them, nothing is told, and no task fails for it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.openlineage.extractors import OperatorLineage

PRODUCER = "urn:python:airflow-healthcare-deid"
RUN_FACET = "healthcareOperation"

_TOLD = ("operation", "status", "source", "destination", "success", "failure", "duration")


def told(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what assets and lineage carry of a task's summary: names and counters."""
    return {key: summary[key] for key in _TOLD if summary.get(key) is not None}


def note_outlets(context: Context, outlets: Iterable[Any], summary: Mapping[str, Any]) -> None:
    """Add the counters to the events of a task's outlets.

    An ``Asset`` gets them as its event's extra; an ``AssetAlias`` gets the asset of the destination, whose name may
    have come out of a template.
    """
    from airflow.providers.common.compat.sdk import AssetAlias

    events: Any = context.get("outlet_events")
    if events is None:
        return
    for outlet in outlets:
        if isinstance(outlet, AssetAlias):
            _note_alias(events[outlet], summary)
        elif hasattr(outlet, "uri"):
            events[outlet].extra.update(told(summary))


def _note_alias(event: Any, summary: Mapping[str, Any]) -> None:
    from airflow_healthcare_deid.assets import healthcare_asset

    try:
        asset = healthcare_asset(summary["destination"])
    except InvalidRequestError:
        # What is outside of the service, such as a bucket, is an asset of another scheme.
        return
    event.add(asset, extra=told(summary))


def place_name(place: str) -> tuple[str, str]:
    """Return namespace and name of a dataset, store, bucket path or BigQuery table in OpenLineage.

    https://openlineage.io/docs/spec/naming
    """
    if place.startswith("gs://"):
        bucket, _, path = place.removeprefix("gs://").partition("/")
        return f"gs://{bucket}", path or "/"
    if place.startswith("bq://"):
        return "bigquery", place.removeprefix("bq://")
    from airflow_healthcare_deid.assets import lineage_name, parse_asset_name

    return lineage_name(parse_asset_name(place))


class LineageMixin:
    """Tells OpenLineage what a task read and wrote, once it has ended."""

    _summary: Mapping[str, Any] | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Return inputs, outputs and a run facet with the counters, or None without OpenLineage."""
        if self._summary is None:
            return None
        try:
            return _lineage(self._summary)
        except ImportError:
            return None


def _lineage(summary: Mapping[str, Any]) -> OperatorLineage[Any, Any]:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    def datasets(key: str) -> list[Any]:
        place = summary.get(key)
        return [Dataset(namespace=namespace, name=name) for namespace, name in ([place_name(place)] if place else [])]

    counters = {key: value for key, value in told(summary).items() if key not in ("source", "destination")}
    return OperatorLineage(
        inputs=datasets("source"), outputs=datasets("destination"), run_facets={RUN_FACET: _run_facet()(**counters)}
    )


@cache
def _run_facet() -> Any:
    """Build the class of the run facet; its base is there only if OpenLineage is."""
    import attrs
    from airflow.providers.common.compat.openlineage.facet import RunFacet

    members = {
        "operation": attrs.field(default=None),
        "status": attrs.field(default=None),
        "success": attrs.field(default=0),
        "failure": attrs.field(default=0),
        "duration": attrs.field(default=None),
    }
    return attrs.make_class(
        "HealthcareOperationRunFacet",
        members,
        bases=(RunFacet,),
        class_body={"__doc__": "What an operation did, in resources.", "_additional_skip_redact": list(members)},
    )
