"""What a finished task tells: extras of asset events, and OpenLineage."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AssetAlias

from airflow_healthcare_deid.assets import asset_uri, healthcare_asset
from airflow_healthcare_deid.lineage import LineageMixin, note_outlets, place_name
from airflow_healthcare_deid.version_compat import AIRFLOW_V_3_0_PLUS

if TYPE_CHECKING:
    from collections.abc import Mapping

DATASET = "projects/p/locations/l/datasets/"
SUMMARY: Mapping[str, Any] = {
    "operation": f"{DATASET}s/operations/1",
    "status": "SUCCEEDED",
    "source": f"{DATASET}s",
    "destination": f"{DATASET}d",
    "success": 7,
    "failure": 0,
    "create_time": "2026-01-01T00:00:00+00:00",
    "end_time": None,
    "duration": None,
    "logs_url": "https://console.cloud.google.com/logs/query",
}


def outlet_events() -> Any:
    """Return what Airflow hands out for the outlets of a task."""
    path = "airflow.sdk.execution_time.context" if AIRFLOW_V_3_0_PLUS else "airflow.utils.context"
    return import_module(path).OutletEventAccessors()


def added_to(event: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the assets that were added to an alias: their URIs and extras."""
    if AIRFLOW_V_3_0_PLUS:
        return [(one.dest_asset_key.uri, one.extra) for one in event.asset_alias_events]
    return [(one["dest_dataset_uri"], one["extra"]) for one in event.dataset_alias_events]


class Task(LineageMixin):
    """A task that has ended."""

    def __init__(self, summary: Mapping[str, Any] | None) -> None:
        self._summary = summary


def test_the_counters_go_with_an_asset() -> None:
    asset, alias = healthcare_asset(f"{DATASET}d"), AssetAlias("deidentified")
    events = outlet_events()
    context: Any = {"outlet_events": events}
    note_outlets(context, [asset, alias], SUMMARY)
    expected = {key: SUMMARY[key] for key in ("operation", "status", "source", "destination", "success", "failure")}
    assert events[asset].extra == expected
    assert added_to(events[alias]) == [(asset_uri(f"{DATASET}d"), expected)]


def test_what_is_no_resource_of_the_service_adds_no_asset_to_an_alias() -> None:
    alias = AssetAlias("files")
    events = outlet_events()
    context: Any = {"outlet_events": events}
    note_outlets(context, [alias], {**SUMMARY, "destination": "gs://bucket/files"})
    assert added_to(events[alias]) == []
    empty: Any = {}
    note_outlets(empty, [alias], SUMMARY)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (f"{DATASET}d", ("healthcare://p", "l/d")),
        (f"{DATASET}d/dicomStores/s", ("healthcare://p", "l/d/dicomStores/s")),
        ("gs://bucket/a/b", ("gs://bucket", "a/b")),
        ("gs://bucket", ("gs://bucket", "/")),
        ("bq://p.d.t", ("bigquery", "p.d.t")),
    ],
)
def test_places_have_names_in_openlineage(place: str, name: tuple[str, str]) -> None:
    assert place_name(place) == name


def test_openlineage_gets_inputs_outputs_and_counters() -> None:
    pytest.importorskip("airflow.providers.openlineage")
    from openlineage.client.serde import Serde

    lineage = Task(SUMMARY).get_openlineage_facets_on_complete(None)
    assert lineage is not None
    assert [(item.namespace, item.name) for item in lineage.inputs] == [("healthcare://p", "l/s")]
    assert [(item.namespace, item.name) for item in lineage.outputs] == [("healthcare://p", "l/d")]
    facet = json.loads(Serde.to_json(lineage.run_facets["healthcareOperation"]))
    assert {key: value for key, value in facet.items() if not key.startswith("_")} == {
        "operation": SUMMARY["operation"],
        "status": "SUCCEEDED",
        "success": 7,
        "failure": 0,
    }


def test_without_openlineage_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", None)
    assert Task(SUMMARY).get_openlineage_facets_on_complete(None) is None
    assert Task(None).get_openlineage_facets_on_complete(None) is None
