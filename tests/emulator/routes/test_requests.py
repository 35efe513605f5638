"""What Google's JSON front end does with any request, whatever the method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.client import LOCATION

if TYPE_CHECKING:
    from tests.emulator.client import Client

STANDARD: dict[str, Any] = {
    "alt": "json",
    "$alt": "json;enum-encoding=int",
    "prettyPrint": "false",
    "fields": "name",
    "key": "k",
}


def test_the_standard_parameters_of_googles_apis_are_taken(client: Client) -> None:
    client.call("GET", f"{LOCATION}/datasets", **STANDARD)


def test_an_unknown_parameter_is_refused_in_googles_words(client: Client) -> None:
    message = client.error("GET", f"{LOCATION}/datasets", status=400, pagesize=3)
    assert message.startswith('Invalid JSON payload received. Unknown name "pagesize": Cannot bind query parameter.')


def test_an_unknown_field_is_refused_in_googles_words(client: Client) -> None:
    message = client.error("POST", f"{LOCATION}/datasets", {"timezone": "UTC"}, status=400, datasetId="x")
    assert message == 'Invalid JSON payload received. Unknown name "timezone": Cannot find field.'


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"nonsense",
        b"{",
        b'{"timeZone": NaN}',
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"timeZone": "\\ud800"}',
        b"1" * 5000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(client: Client, content: bytes) -> None:
    answer = client.http.post(f"/v1/{LOCATION}/datasets", params={"datasetId": "x"}, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_huge_body_is_refused(client: Client) -> None:
    content = (b" " * 1024 * 1024 for _ in range(11))
    answer = client.http.post(f"/v1/{LOCATION}/datasets", params={"datasetId": "x"}, content=content)
    assert answer.status_code == 400
    assert "exceeds the limit" in answer.text


@pytest.mark.parametrize("query", [{"pageSize": "x"}, {"pageSize": "-1"}, {"pageToken": "%%"}, {"alt": "proto"}])
def test_a_bad_value_of_a_parameter_is_refused(client: Client, query: dict[str, str]) -> None:
    client.error("GET", f"{LOCATION}/datasets", status=400, **query)


@pytest.mark.parametrize(
    "path",
    ["", "projects", f"{LOCATION}/datasets/d/nothing", f"{LOCATION}/datasets/%2e%2e%2fx", "x:y", "a%2f%2e%2e%2fb"],
)
def test_an_unknown_path_is_a_404_in_the_envelope(client: Client, path: str) -> None:
    assert client.error("GET", path, status=404) == "Method not found."


def test_a_wrong_method_is_said_so(client: Client, dataset: str) -> None:
    client.error("PUT", dataset, {}, status=405)


@pytest.mark.parametrize(
    "rest",
    [
        "hl7V2Stores",
        "hl7V2Stores/s/messages",
        "consentStores",
        "consentStores/s:checkDataAccess",
        "dicomStores/s/dicomWeb/studies/1:setBlobStorageSettings",
    ],
)
def test_what_is_not_covered_says_so(client: Client, dataset: str, rest: str) -> None:
    assert "does not cover" in client.error("GET", f"{dataset}/{rest}", status=501)
