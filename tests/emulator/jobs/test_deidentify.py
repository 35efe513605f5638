"""De-identification of datasets and DICOM stores, from the request to what lies in the destination."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.emulator.dicomweb.filters import parse_filter
from airflow_healthcare_deid.emulator.errors import ServiceError
from airflow_healthcare_deid.emulator.jobs.spec import unwrap_without_kms
from airflow_healthcare_deid.uids import derive_uid
from tests.emulator.client import LOCATION
from tests.emulator.dicom_files import instance, parsed

if TYPE_CHECKING:
    from tests.emulator.client import Client

BASIC = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}


def _destination(source: str) -> str:
    return f"{source}-copy"


def _run(client: Client, source: str, config: Any, **fields: Any) -> dict[str, Any]:
    body = {"destinationDataset": _destination(source), "config": config, **fields}
    return client.finished(client.call("POST", f"{source}:deidentify", body)["name"])


def _second_store(client: Client, dataset: str) -> str:
    client.call("POST", f"{dataset}/dicomStores", {}, dicomStoreId="second")
    return f"{dataset}/dicomStores/second"


def test_a_dataset_is_copied_without_what_identifies(client: Client, dicom_store: str, dataset: str) -> None:
    data = instance(StudyInstanceUID="1.2.3", InstitutionName="Mercy")
    assert client.store(dicom_store, data).status_code == 200
    before = client.http.get(f"/v1/{dicom_store}/dicomWeb/studies/1.2.3").content
    operation = _run(client, dataset, BASIC)
    assert operation["metadata"]["apiMethodName"].endswith(".dataset.DatasetService.DeidentifyDataset")
    assert operation["metadata"]["counter"] == {"success": "1"}
    assert operation["response"]["@type"].endswith(".deidentify.DeidentifySummary")
    copy = f"{_destination(dataset)}/dicomStores/store/dicomWeb"
    (study,) = client.call("GET", f"{copy}/studies")
    assert study["0020000D"]["Value"] == [derive_uid("1.2.3")]
    answer = client.http.get(f"/v1/{copy}/studies/{derive_uid('1.2.3')}")
    assert not any(value in answer.content for value in (b"Doe", b"MRN-1", b"19700102", b"Mercy"))
    assert client.http.get(f"/v1/{dicom_store}/dicomWeb/studies/1.2.3").content[60:-60] == before[60:-60]


def test_stores_keep_their_ids_and_nothing_else(client: Client, dataset: str) -> None:
    client.call("POST", f"{dataset}/dicomStores", {"labels": {"a": "b"}}, dicomStoreId="x")
    assert _run(client, dataset, BASIC)["metadata"]["counter"] == {}
    name = f"{_destination(dataset)}/dicomStores/x"
    assert client.call("GET", f"{_destination(dataset)}/dicomStores") == {"dicomStores": [{"name": name}]}


def test_without_a_dicom_config_dicom_stores_are_skipped(client: Client, dicom_store: str, dataset: str) -> None:
    assert client.store(dicom_store, instance()).status_code == 200
    assert _run(client, dataset, {})["metadata"]["counter"] == {}
    assert client.call("GET", f"{_destination(dataset)}/dicomStores") == {}


def test_the_destination_is_there_at_once(own: Client) -> None:
    source = own.new_dataset()
    own.admin("PUT", "progression", {"mode": "manual"})
    own.call("POST", f"{source}:deidentify", {"destinationDataset": _destination(source), "config": {}})
    own.call("GET", _destination(source))


def test_an_instance_that_fails_is_counted_and_stops_nothing(client: Client, dicom_store: str, dataset: str) -> None:
    good = instance()
    broken = good[:-100]  # its pixel data ends before its length is reached
    assert client.store(dicom_store, broken).status_code == 200
    assert client.store(dicom_store, instance()).status_code == 200
    operation = _run(client, dataset, BASIC)
    assert operation["metadata"]["counter"] == {"success": "1", "failure": "1"}
    assert "error" not in operation
    metrics = client.call("GET", f"{_destination(dataset)}/dicomStores/store:getDICOMStoreMetrics")
    assert metrics["instanceCount"] == "1"


def test_a_share_fails_by_decree(own: Client) -> None:
    source = own.new_store(instances=[instance() for _ in range(20)]).rpartition("/dicomStores")[0]
    own.admin("PUT", "progression", {"failShare": 0.5})
    counter = _run(own, source, BASIC)["metadata"]["counter"]
    assert int(counter["success"]) + int(counter["failure"]) == 20
    assert 0 < int(counter["failure"]) < 20


def test_a_store_is_copied_into_another(client: Client, dicom_store: str, dataset: str) -> None:
    assert client.store(dicom_store, instance(StudyInstanceUID="1.2.3")).status_code == 200
    target = _second_store(client, dataset)
    body = {"destinationStore": target, "config": {}}
    operation = client.finished(client.call("POST", f"{dicom_store}:deidentify", body)["name"])
    assert operation["metadata"]["apiMethodName"].endswith("DeidentifyService.DeidentifyDicomStore")
    assert operation["response"]["@type"].endswith("DeidentifyDicomStoreSummary")
    study = derive_uid("1.2.3")
    answer = client.http.get(f"/v1/{target}/dicomWeb/studies/{study}")
    assert b"Doe^Jane" in answer.content  # all tags are kept by default
    again = client.finished(client.call("POST", f"{dicom_store}:deidentify", body)["name"])
    assert again["metadata"]["counter"] == {"failure": "1"}


def test_the_node_samples_query_string_is_taken(client: Client, dataset: str) -> None:
    answer = client.call("POST", f"{dataset}:deidentify", {"config": BASIC}, destinationDataset=_destination(dataset))
    client.finished(answer["name"])


def test_the_labs_single_quotes_are_taken(client: Client, dataset: str) -> None:
    content = f"{{'destinationDataset': '{_destination(dataset)}', 'config': {json.dumps(BASIC)}}}"
    answer = client.http.post(f"/v1/{dataset}:deidentify", content=content)
    assert answer.status_code == 200
    client.finished(answer.json()["name"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "config: is missing"),
        ({"config": {}, "gcsConfigUri": "gs://b/o"}, "gcsConfigUri"),
        ({"gcsConfigUri": "http://b/o"}, "gcsConfigUri"),
        ({"config": {"dicm": {}}}, "config.dicm"),
        ({"config": {"dicom": {"filterProfile": "KEEP_ALL"}}}, "config.dicom.filterProfile"),
        ({"config": {"dicom": {"keepList": {"tags": []}, "filterProfile": "KEEP_ALL_PROFILE"}}}, "config.dicom"),
        ({"config": {"dicom": {"removeList": {"tags": ["NoSuchTag"]}}}}, "config.dicom.removeList.tags[0]"),
        ({"config": {}, "destinationDataset": "datasets/d"}, "destinationDataset"),
        ({"config": {}, "destinationDataset": "projects/p/locations/eu/datasets/d"}, "same location"),
        ({"config": {}, "destinationStore": "x"}, "destinationStore"),
    ],
)
def test_a_wrong_request_starts_nothing(client: Client, dataset: str, fields: dict[str, Any], expected: str) -> None:
    body = {"destinationDataset": _destination(dataset), **fields}
    answer = client.call("POST", f"{dataset}:deidentify", body, status=400)
    assert expected in answer["error"]["message"]
    assert answer["error"]["details"][0]["fieldViolations"][0]["field"]
    client.error("GET", _destination(dataset), status=403)


def test_source_and_destination_are_looked_for(client: Client, dicom_store: str, dataset: str) -> None:
    body = {"destinationDataset": f"{LOCATION}/datasets/other", "config": {}}
    message = client.error("POST", f"{LOCATION}/datasets/none:deidentify", body, status=403)
    assert message.startswith("Permission healthcare.datasets.deidentify denied on resource")
    client.error("POST", f"{dataset}:deidentify", {"destinationDataset": dataset, "config": {}}, status=400)
    other = client.new_dataset()
    assert "exists" in client.error(
        "POST", f"{dataset}:deidentify", {"destinationDataset": other, "config": {}}, status=409
    )
    for target, status in {"none": 404, "store": 400}.items():
        body = {"destinationStore": f"{dataset}/dicomStores/{target}", "config": {}}
        client.error("POST", f"{dicom_store}:deidentify", body, status=status)


def test_one_operation_has_one_key_and_the_next_another(client: Client, dataset: str, dicom_store: str) -> None:
    for number in range(2):
        data = instance(StudyInstanceUID=f"1.{number}", PatientID="MRN-77")
        assert client.store(dicom_store, data).status_code == 200
    hashing: dict[str, Any] = {"additionalTransformations": [{"cryptoHashConfig": {}}]}
    config = {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, "text": hashing}
    seen = set()
    for _ in range(2):
        assert _run(client, dataset, config)["metadata"]["counter"] == {"success": "2"}
        studies = client.call("GET", f"{_destination(dataset)}/dicomStores/store/dicomWeb/studies")
        (identifier,) = {study["00100020"]["Value"][0] for study in studies}
        seen.add(identifier)
        client.call("DELETE", _destination(dataset))
    assert len(seen) == 2
    assert "MRN-77" not in seen


def test_keys_are_forgotten_when_the_work_ends(emulator: Any, own: Client) -> None:
    key = "QUJDREVGR0hJSktMTU5PUA=="
    text = {"additionalTransformations": [{"cryptoHashConfig": {"cryptoKey": key}}]}
    source = own.new_dataset()
    _run(own, source, {**BASIC, "text": text})
    rows = emulator._state.storage.read().execute("SELECT * FROM operations").fetchall()
    assert key not in str([tuple(row) for row in rows])


def test_a_wrapped_key_has_a_stand_in_of_its_own() -> None:
    from airflow_healthcare_deid.config import KmsWrappedCryptoKey

    first = KmsWrappedCryptoKey(crypto_key="projects/p/locations/l/keyRings/r/cryptoKeys/k", wrapped_key="QQ==")
    second = KmsWrappedCryptoKey(crypto_key=first.crypto_key, wrapped_key="Qg==")
    assert unwrap_without_kms(first) == unwrap_without_kms(first) != unwrap_without_kms(second)
    assert len(unwrap_without_kms(first)) == 32


def test_a_filter_takes_studies_series_and_instances() -> None:
    wanted = parse_filter("/studies/1\r\n\n/studies/2/series/3\n/studies/4/series/5/instances/6\n")
    taken = [("1", "9", "9"), ("2", "3", "9"), ("4", "5", "6")]
    assert all(map(wanted, taken))
    assert not any(map(wanted, [("9", "9", "1"), ("2", "9", "3"), ("4", "5", "9")]))


@pytest.mark.parametrize("line", ["1.2", "/studies/", "/studies/a", "/studies/1/series/2/instances/3/frames/1"])
def test_a_bad_line_of_a_filter_is_named_by_its_number(line: str) -> None:
    with pytest.raises(ServiceError, match="Line 2 "):
        parse_filter(f"/studies/1\n{line}\n")


def test_the_copy_is_a_valid_file(client: Client, dicom_store: str, dataset: str) -> None:
    assert client.store(dicom_store, instance(StudyInstanceUID="1.2.3")).status_code == 200
    _run(client, dataset, {"dicom": {"keepList": {"tags": ["PatientID"]}}})
    copy = f"{_destination(dataset)}/dicomStores/store/dicomWeb"
    (found,) = client.call("GET", f"{copy}/instances")
    path = "/".join(f"{kind}/{found[tag]['Value'][0]}" for kind, tag in
                    {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}.items())  # fmt: skip
    answer = client.http.get(f"/v1/{copy}/{path}", headers={"accept": "application/dicom; transfer-syntax=*"})
    back = parsed(answer.content)
    assert back.PatientID == "MRN-1"
    assert "PatientName" not in back
