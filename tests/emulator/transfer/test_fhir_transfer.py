"""``fhirStores.export`` and ``fhirStores.import``, with Google's clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from airflow_healthcare_deid.emulator.jobs import import_fhir
from tests.support.bigquery_load import loaded

PATIENTS: list[dict[str, Any]] = [{"resourceType": "Patient", "id": f"p{number}", "active": True} for number in (1, 2)]
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "subject": {"reference": "Patient/p1"},
    "component": [{"valueQuantity": {"value": 1.5}}],
    "extension": [{"url": "u", "extension": [{"url": "v", "valueString": "deep"}]}],
}


def fill(store: Any) -> None:
    for resource in (*PATIENTS, OBSERVATION):
        store.put(resource)


def lines(bucket: Any, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bucket.blob(name).download_as_text().splitlines()]


def export(fhir_stores: Any, store: Any, **body: Any) -> Any:
    return fhir_stores.export(name=store.name, body=body).execute()


def load(fhir_stores: Any, store: Any, uri: str, structure: str | None) -> Any:
    body: dict[str, Any] = {"gcsSource": {"uri": uri}}
    if structure:
        body["contentStructure"] = structure
    return fhir_stores.import_(name=store.name, body=body).execute()


def test_an_export_is_one_object_a_type_and_can_be_imported(
    fhir_stores: Any, store: Any, make_store: Any, bucket: Any, wait: Any
) -> None:
    fill(store)
    operation = wait(export(fhir_stores, store, gcsDestination={"uriPrefix": f"gs://{bucket.name}/out"}))
    assert operation["metadata"]["counter"] == {"success": "3"}
    assert operation["response"]["@type"].endswith("ExportResourcesResponse")
    assert {blob.name for blob in bucket.list_blobs()} == {"out/Patient.ndjson", "out/Observation.ndjson"}
    assert [each["id"] for each in lines(bucket, "out/Patient.ndjson")] == ["p1", "p2"]

    copy = make_store("copy", enableUpdateCreate=False)
    operation = wait(load(fhir_stores, copy, f"gs://{bucket.name}/out/*.ndjson", "RESOURCE"))
    assert operation["metadata"]["counter"] == {"success": "3"}
    assert copy.ids("") == {"p1", "p2", "o"}
    again = wait(load(fhir_stores, copy, f"gs://{bucket.name}/**", "RESOURCE"))
    assert again["metadata"]["counter"] == {"success": "3"}
    assert copy.send("GET", "/Patient/p1/_history").body["total"] == 1


def test_types_and_times_limit_an_export(fhir_stores: Any, store: Any, bucket: Any, wait: Any) -> None:
    fill(store)
    destination = {"uriPrefix": f"gs://{bucket.name}/"}
    wait(export(fhir_stores, store, gcsDestination=destination, _type="Patient"))
    assert [blob.name for blob in bucket.list_blobs()] == ["Patient.ndjson"]
    since = store.send("GET", "/Patient/p1").body["meta"]["lastUpdated"]
    operation = wait(export(fhir_stores, store, gcsDestination=destination, _type="Patient", _since=since))
    assert operation["metadata"]["counter"] == {"success": "1"}
    assert [each["id"] for each in lines(bucket, "Patient.ndjson")] == ["p2"]


@pytest.mark.parametrize("structure", [None, "BUNDLE", "BUNDLE_PRETTY", "RESOURCE_PRETTY"])
def test_every_content_structure_is_read(
    fhir_stores: Any, store: Any, bucket: Any, wait: Any, structure: str | None
) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": resource} for resource in (OBSERVATION, *PATIENTS)],
    }
    pretty = structure is not None and structure.endswith("PRETTY")
    value = PATIENTS[0] if structure == "RESOURCE_PRETTY" else bundle
    bucket.blob("in.json").upload_from_string(json.dumps(value, indent=2 if pretty else None))
    operation = wait(load(fhir_stores, store, f"gs://{bucket.name}/in.json", structure))
    assert operation["metadata"]["counter"]["success"] == ("1" if structure == "RESOURCE_PRETTY" else "3")


def test_bad_lines_are_counted_and_stop_nothing(fhir_stores: Any, store: Any, bucket: Any, wait: Any) -> None:
    text = "\n".join(
        [
            json.dumps(PATIENTS[0]),
            "no json",
            json.dumps({"resourceType": "Patient"}),
            json.dumps({"resourceType": "Patient", "id": "x", "unknown": 1}),
            json.dumps({"resourceType": "Bundle", "id": "history", "type": "history"}),
            "",
        ]
    )
    bucket.blob("in.ndjson").upload_from_string(text)
    operation = wait(load(fhir_stores, store, f"gs://{bucket.name}/in.ndjson", "RESOURCE"))
    assert operation["metadata"]["counter"] == {"success": "2", "failure": "3"}
    history = json.dumps({"resourceType": "Bundle", "type": "history", "entry": [{"resource": PATIENTS[1]}]})
    bucket.blob("history.ndjson").upload_from_string(history)
    operation = wait(load(fhir_stores, store, f"gs://{bucket.name}/history.ndjson", "BUNDLE"))
    assert operation["metadata"]["counter"] == {"failure": "1"}


@pytest.mark.parametrize("structure", ["RESOURCE", "RESOURCE_PRETTY"])
def test_a_text_that_is_too_long_is_counted_and_stops_nothing(
    fhir_stores: Any, store: Any, bucket: Any, wait: Any, monkeypatch: pytest.MonkeyPatch, structure: str
) -> None:
    monkeypatch.setattr(import_fhir, "MAX_TEXT_BYTES", 100)
    long = json.dumps({"resourceType": "Patient", "id": "long", "name": [{"text": "x" * 1000}]})
    texts = [json.dumps(PATIENTS[0]), long, json.dumps(PATIENTS[1])]
    if structure == "RESOURCE":
        bucket.blob("in.json").upload_from_string("\n".join(texts))
    else:
        for number, text in enumerate(texts):
            bucket.blob(f"in{number}.json").upload_from_string(text)
    operation = wait(load(fhir_stores, store, f"gs://{bucket.name}/*.json", structure))
    assert operation["metadata"]["counter"] == {"success": "2", "failure": "1"}
    assert store.ids("/Patient") == {"p1", "p2"}


def test_nothing_to_import_and_no_bucket_fail_the_operation(
    fhir_stores: Any, store: Any, bucket: Any, wait: Any
) -> None:
    assert wait(load(fhir_stores, store, f"gs://{bucket.name}/*.none", None))["error"]["code"] == 5
    assert wait(load(fhir_stores, store, "gs://no-such-bucket-here/*", None))["error"]["code"] == 3
    started = export(fhir_stores, store, gcsDestination={"uriPrefix": "gs://no-such-bucket-here/x"})
    assert "does not exist" in wait(started)["error"]["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "gcsDestination"),
        ({"gcsDestination": {"uriPrefix": "here"}}, "uriPrefix"),
        ({"gcsDestination": {"uriPrefix": "gs://bucket/x"}, "_type": "Potion"}, "_type"),
        ({"gcsDestination": {"uriPrefix": "gs://bucket/x"}, "_since": "2020"}, "_since"),
        ({"gcsDestination": {"uriPrefix": "gs://bucket/x"}, "flavour": 1}, "flavour"),
        ({"bigqueryDestination": {"datasetUri": "bq://p.d"}}, "schema"),
        ({"bigqueryDestination": {"datasetUri": "bq://p.d", "schemaConfig": {"schemaType": "FLAT"}}}, "schemaType"),
        ({"bigqueryDestination": {"datasetUri": "bq://../d", "schemaConfig": {"schemaType": "ANALYTICS"}}}, "dataset"),
    ],
)
def test_bad_exports_are_refused(fhir_stores: Any, store: Any, body: dict[str, Any], message: str) -> None:
    with pytest.raises(HttpError, match=message) as refused:
        export(fhir_stores, store, **body)
    assert refused.value.status_code == 400


def test_tables_of_bigquery_hold_what_the_store_holds(
    fhir_stores: Any, store: Any, wait: Any, session_emulator: Any, dataset: str
) -> None:
    fill(store)
    name = f"d{dataset[-8:]}"
    destination = {
        "datasetUri": f"bq://p.{name}",
        "schemaConfig": {"schemaType": "ANALYTICS_V2", "recursiveStructureDepth": "2"},
    }
    operation = wait(export(fhir_stores, store, bigqueryDestination=destination))
    assert operation["metadata"]["counter"] == {"success": "3"}
    folder = session_emulator.directory / "bigquery" / "p" / name
    rows = loaded(folder, "Observation")
    assert rows[0]["subject"] == {"reference": "Patient/p1", "patientId": "p1"}
    assert rows[0]["component"] == [{"value": {"quantity": {"value": 1.5}}}]
    assert rows[0]["u"] == [{"v": [{"value": {"string": "deep"}}]}]
    columns = {column["name"]: column for column in json.loads((folder / "Observation.schema.json").read_text())}
    assert columns["component"]["mode"] == "REPEATED"
    assert {field["name"]: field["type"] for field in columns["meta"]["fields"]}["lastUpdated"] == "TIMESTAMP"

    with pytest.raises(HttpError, match="holds rows already"):
        export(fhir_stores, store, bigqueryDestination=destination)
    appended = {**destination, "writeDisposition": "WRITE_APPEND"}
    wait(export(fhir_stores, store, bigqueryDestination=appended))
    assert [row["id"] for row in loaded(folder, "Patient")] == ["p1", "p2"] * 2
    wait(export(fhir_stores, store, bigqueryDestination={**destination, "force": True}, _type="Observation"))
    assert sorted(path.name for path in folder.glob("*.ndjson")) == ["Observation.ndjson"]


def test_a_resource_that_fits_into_no_table_is_a_counted_failure(
    fhir_stores: Any, store: Any, wait: Any, session_emulator: Any, dataset: str
) -> None:
    extension = {"url": "http://example.org/gender", "valueCode": "x"}
    store.put(PATIENTS[0])
    store.put({**PATIENTS[1], "extension": [extension]})
    name = f"u{dataset[-8:]}"
    destination = {"datasetUri": f"bq://p.{name}", "schemaConfig": {"schemaType": "ANALYTICS"}}
    operation = wait(export(fhir_stores, store, bigqueryDestination=destination))
    assert operation["metadata"]["counter"] == {"success": "1", "failure": "1"}
    assert [row["id"] for row in loaded(session_emulator.directory / "bigquery" / "p" / name, "Patient")] == ["p1"]


def test_a_configuration_can_come_from_storage(
    fhir_stores: Any, store: Any, make_store: Any, bucket: Any, wait: Any
) -> None:
    fill(store)
    bucket.blob("config.json").upload_from_string(json.dumps({"fhir": {}}))
    destination = make_store("destination")
    body = {"destinationStore": destination.name, "gcsConfigUri": f"gs://{bucket.name}/config.json"}
    operation = wait(fhir_stores.deidentify(sourceStore=store.name, body=body).execute())
    assert operation["metadata"]["counter"] == {"success": "3"}
    with pytest.raises(HttpError, match="does not exist") as refused:
        fhir_stores.deidentify(sourceStore=store.name, body={**body, "gcsConfigUri": "gs://no-bucket/c.json"}).execute()
    assert refused.value.status_code == 400
