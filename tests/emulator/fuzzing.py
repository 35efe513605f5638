"""Requests made up from the discovery document, of every method, and what an answer must be whatever was sent.

The tests send a few hundred; `python -m tests.emulator.fuzzing --examples 5000` sends as many as wanted to an emulator
of its own and tells how much memory that one took.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree as ET

import googleapiclient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.emulator.client import LOCATION, Client
from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(googleapiclient.__file__).parent / "discovery_cache/documents/healthcare.v1.json"
DATASET = f"{LOCATION}/datasets/fuzz"
JUNK = st.sampled_from(
    [
        *(
            "",
            "x",
            "..",
            "../..",
            "%2e%2e",
            "a/b",
            "a\0b",
            "a b",
            "ä",
            "'",
            '"',
            "1.2.3",
            "0",
            "-1",
            "*",
            "$",
            ":",
            "\\",
        ),
        *("$everything", "_history", "_search", "metadata", "studies", "1e999", "\u202e"),
        *("~" * 300, "x" * 5000, "9" * 400),
    ]
)
KNOWN = {
    "projectsId": ["p"],
    "locationsId": ["us-central1"],
    "datasetsId": ["fuzz"],
    "dicomStoresId": ["store"],
    "fhirStoresId": ["store"],
    "fhirId": ["Patient", "Observation", "Bundle"],
    "fhirId1": ["a", "b"],
    "studiesId": ["1.2"],
    "seriesId": ["1.2.3"],
    "instancesId": ["1.2.3.4"],
    "framesId": ["1", "1,2"],
}
"""What usually stands for a variable of a path."""
_HUGE = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
INSTANCE = instance(StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4")
BODIES = st.sampled_from(
    [
        b"",
        b"null",
        b"[]",
        b'{"resourceType":"Patient","id":"a","name":[{"family":"Doe"}],"birthDate":"1980-01-01"}',
        b'{"resourceType":"Patient","birthDate":"1980-13-99","multipleBirthInteger":1e400}',
        b'{"resourceType":"Patient","id":"../a"}',
        json.dumps(_HUGE).encode().replace(b"}}", b'},"valueQuantity":{"value":1E+999999999}}'),
        json.dumps(_HUGE).encode().replace(b"}}", b'},"valueInteger":' + b"9" * 5000 + b"}"),
        b'{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"../.."}}]}',
        b'{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient?_id=a&_count=-1"}}]}',
        b'[{"op":"replace","path":"/name/99999999999999999999/family","value":"x"}]',
        b'[{"op":"copy","from":"","path":"/name/0"}]',
        b'{"a":' * 50_000,
        b"[" * 50_000,
        b'{"a":"\\ud800"}',
        b"\xff\xfe\x00",
        b"--b\r\nContent-Type: application/dicom\r\n\r\n" + instance() + b"\r\n--b--",
        b"--b\r\nContent-Type: application/dicom\r\n\r\n" + instance()[:200],
        INSTANCE,
        instance(StudyInstanceUID="1.2.3.4").replace(b"1.2.3.4", b"../../x"),
        instance()[:150],
        bytes(128) + b"DICM" + bytes(range(256)),
        b"\x1f\x8b\x08\x00" + bytes(64),
    ]
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/fhir+json",
        "application/json-patch+json",
        "application/dicom",
        'multipart/related; type="application/dicom"; boundary=b',
        "multipart/related; boundary=",
        "multipart/form-data",
        "text/xml",
        "application/x-www-form-urlencoded",
        "",
        ";;;=",
        "x" * 2000,
    ]
)
ACCEPTED = st.sampled_from(
    ["*/*", "application/dicom; transfer-syntax=*", "image/jpeg", "multipart/related; type=x", "x/y;q=z", "", ",;,"]
)
ETAGS = st.sampled_from(['W/"1"', '"', "*", "identifier=a|b", "return=minimal", "handling=strict", "=&=&", "x" * 5000])


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str] = field(default_factory=dict)


@cache
def document() -> dict[str, Any]:
    """Return the discovery document."""
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return loaded


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


METHODS = list(_methods(document()))
_OTHERS = ("hl7V2Stores", "consentStores", "dataMapperWorkspaces", "nlp")
_COVERED = [method for method in METHODS if not any(other in method["flatPath"] for other in _OTHERS)]
_SCALARS = {
    "string": JUNK | st.text(max_size=5),
    "integer": st.integers(-(2**70), 2**70),
    "boolean": st.booleans(),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "any": st.none(),
}
_WRONG = st.one_of(*_SCALARS.values(), st.just([]), st.just({}), st.just([{}]), st.just({"a": {"b": []}}))


def _value(schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "NO_SUCH"])
    if schema["type"] == "array":
        return st.lists(_value(schema["items"], depth + 1), max_size=2)
    if schema["type"] != "object":
        return _SCALARS[schema["type"]]
    if depth > 4:
        return st.just({})
    fields = {name: _value(one, depth + 1) | _WRONG for name, one in schema.get("properties", {}).items()}
    return st.fixed_dictionaries({}, optional=fields)


@cache
def _body(reference: str) -> st.SearchStrategy[bytes]:
    if reference == "HttpBody":
        return BODIES
    made = (_value({"$ref": reference}, 0) | _WRONG).map(lambda value: json.dumps(value).encode())
    return made | made | made | BODIES


def _rarely() -> st.SearchStrategy[bool]:
    return st.integers(0, 9).map(lambda number: number == 7)


def _usual_type(body: bytes) -> str:
    if body[128:132] == b"DICM":
        return "application/dicom"
    if body.startswith(b"--"):
        return 'multipart/related; type="application/dicom"; boundary=b'
    return "application/json-patch+json" if body.startswith(b'[{"op"') else "application/fhir+json"


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """A method of the document, with a path, a query, headers and a body that are mostly of the right form."""
    method = draw(st.sampled_from(METHODS + 3 * _COVERED))

    def variable(match: re.Match[str]) -> str:
        usual = st.sampled_from(KNOWN.get(match[1], ["1.2"]))
        return quote(draw(JUNK), safe=draw(st.sampled_from(["", "/%"]))) if draw(_rarely()) else draw(usual)

    path = re.sub(r"\{(\w+)\}", variable, method["flatPath"])
    names = [name for name, spec in method["parameters"].items() if spec["location"] == "query"]
    if draw(_rarely()):
        names += ["limit", "PatientName", "_count", "_id", "birthdate", "fields"]
    query = {name: draw(JUNK) for name in draw(st.sets(st.sampled_from(names), max_size=2))} if names else {}
    body = draw(_body(method["request"]["$ref"])) if "request" in method else draw(st.none() | st.none() | BODIES)
    headers = {"Accept": ACCEPTED, "Content-Type": TYPES, "If-Match": ETAGS, "If-None-Exist": ETAGS, "Prefer": ETAGS}
    sent = {name: draw(values) for name, values in headers.items() if draw(_rarely())}
    if body is not None and "Content-Type" not in sent:
        sent["Content-Type"] = _usual_type(body)
    return Sent(
        method["httpMethod"],
        f"/{path}?{urlencode(query)}" if query else f"/{path}",
        body,
        sent,
    )


def prepare(client: Client) -> None:
    """Make the dataset, stores and data that the requests are about, as far as they are gone."""
    client.http.post(f"/v1/{LOCATION}/datasets", params={"datasetId": "fuzz"}, json={})
    made = client.http.post(f"/v1/{DATASET}/dicomStores", params={"dicomStoreId": "store"}, json={})
    if made.is_success:
        client.store(f"{DATASET}/dicomStores/store", INSTANCE)
    fhir_store = {"version": "R4", "enableUpdateCreate": True}
    made = client.http.post(f"/v1/{DATASET}/fhirStores", params={"fhirStoreId": "store"}, json=fhir_store)
    if made.is_success:
        client.http.put(f"/v1/{DATASET}/fhirStores/store/fhir/Patient/a", json={"resourceType": "Patient", "id": "a"})


def answer(url: str, request: Sent) -> tuple[int, bytes]:
    """Send a request exactly as it is, and return status and body of the answer."""
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        connection.request(request.method, request.path, request.body, request.headers)
        got = connection.getresponse()
        return got.status, got.read()


def check(request: Sent, status: int, content: bytes) -> None:
    """Assert that an answer is no 5xx but 501, and that an error has a form that clients read."""
    assert status < 500 or status == 501, (status, content[:500])
    if status < 400 or request.method == "HEAD":
        return
    if "/dicomWeb/studies" in request.path and content.startswith(b"<"):
        ET.fromstring(content)  # the account of what could not be stored
        return
    told = json.loads(content)
    if told.get("resourceType") == "OperationOutcome":
        assert told["issue"][0]["severity"] == "error"
    else:
        assert told["error"]["code"] == status or "dicomWeb" in request.path
        assert told["error"]["message"]


def main() -> None:
    """Send many requests, and print how they were answered."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.fuzzing", description=__doc__)
    parser.add_argument("--examples", type=int, default=5000)
    options = parser.parse_args()
    statuses: Counter[int] = Counter()
    command = [sys.executable, "-m", "airflow_healthcare_deid.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().partition("=")[2].strip()

        @settings(
            max_examples=options.examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        @given(request=requests())
        def send(request: Sent) -> None:
            prepare(client)
            status, content = answer(url, request)
            statuses[status] += 1
            check(request, status, content)

        with Client(url) as client:
            try:
                send()
            finally:
                memory = Path(f"/proc/{process.pid}/status").read_text()
                process.terminate()
    print("  ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    print(re.sub(r"\s+", " ", "".join(re.findall(r"Vm(?:HWM|RSS):.*", memory))))


if __name__ == "__main__":
    main()
