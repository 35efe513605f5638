"""What somebody sends who means harm: nothing else is harmed, and the emulator's memory stays bounded."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import re
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.emulator.client import LOCATION, Client
from tests.emulator.dicom_files import instance
from tests.engine.dicom.files import element, part10

if TYPE_CHECKING:
    from collections.abc import Iterator

MEBIBYTE = 1024**2
BASIC = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}
PATIENT = {"resourceType": "Patient", "id": "a", "active": True}


class Bystander:
    """An emulator in a process of its own, with data that nobody below has any business with."""

    def __init__(self, process: subprocess.Popen[str], client: Client) -> None:
        self.process = process
        self.client = client
        self.data = instance(StudyInstanceUID="1.2", SeriesInstanceUID="1.3", SOPInstanceUID="1.4")
        self.dataset = client.new_dataset()
        client.new_store(self.dataset, [self.data])
        self.fhir = f"{self.dataset}/fhirStores/fhir"
        body = {"version": "R4", "enableUpdateCreate": True}
        client.call("POST", f"{self.dataset}/fhirStores", body, fhirStoreId="fhir")
        client.call("PUT", f"{self.fhir}/fhir/Patient/a", PATIENT, status=201)

    def check(self) -> None:
        """Assert that it serves, that its data is intact, and that nothing of it has swollen."""
        path = f"{self.dataset}/dicomStores/store/dicomWeb/studies/1.2/series/1.3/instances/1.4"
        headers = {"accept": "application/dicom; transfer-syntax=*"}
        assert self.client.http.get(f"/v1/{path}", headers=headers).content == self.data
        assert self.client.call("GET", f"{self.fhir}/fhir/Patient/a")["active"] is True
        assert self.peak() < 400 * MEBIBYTE

    def peak(self) -> int:
        """Return the most memory that its server has had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def raw(self, request: bytes, *, ends: bool = False) -> bytes:
        """Send bytes, and return all that comes back.

        :param ends: whether to say that there are no more.
        """
        address = urlsplit(self.client.url)
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
            received = bytearray()
            # A server that has read enough of a request hangs up amid the rest of it.
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
                if ends:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    received += piece
        return bytes(received)


@pytest.fixture(scope="module")
def running() -> Iterator[Bystander]:
    command = [sys.executable, "-m", "airflow_healthcare_deid.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        with Client(process.stdout.readline().strip().partition("=")[2]) as client:
            yield Bystander(process, client)
        process.terminate()


@pytest.fixture
def bystander(running: Bystander) -> Iterator[Bystander]:
    yield running
    running.check()


def _request(start: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{start} HTTP/1.1", "Host: x", *headers, "", ""]).encode() + body


STORE = f"POST /v1/{LOCATION}/datasets/made-0/dicomStores/store/dicomWeb/studies"
MULTIPART = 'Content-Type: multipart/related; type="application/dicom"; boundary=b'
TORN = {
    "two gigabytes announced": _request(STORE, MULTIPART, f"Content-Length: {2**31}", body=b"--b\r\n\r\nDICM"),
    "more announced than sent": _request(STORE, "Content-Type: application/dicom", "Content-Length: 900", body=b"x"),
    "half a chunk": _request(STORE, MULTIPART, "Transfer-Encoding: chunked", body=b"FFFFFFF\r\n--b\r\n"),
    "a chunk of no number": _request(STORE, MULTIPART, "Transfer-Encoding: chunked", body=b"zz\r\n--b\r\n"),
    "a negative length": _request(STORE, MULTIPART, "Content-Length: -1"),
    "a length of no number": _request(STORE, MULTIPART, "Content-Length: 1e9"),
    "two lengths": _request(STORE, MULTIPART, "Content-Length: 1", "Content-Length: 9", body=b"x"),
    "a length and chunks": _request(STORE, MULTIPART, "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n"),
    "half a JSON": _request(f"POST /v1/{LOCATION}/datasets?datasetId=torn", "Content-Length: 50", body=b'{"timeZone"'),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "a huge header": _request(STORE, "X: " + "y" * 200_000),
    "a huge path": _request(f"GET /v1/{LOCATION}/datasets/{'x' * 200_000}"),
    "a NUL in the path": _request(f"GET /v1/{LOCATION}/datasets/a\0b"),
}


@pytest.mark.parametrize("request_bytes", TORN.values(), ids=TORN)
def test_torn_requests_end_in_a_refusal_or_in_silence(bystander: Bystander, request_bytes: bytes) -> None:
    answer = bystander.raw(request_bytes, ends=True)
    assert not answer or re.match(rb"HTTP/1\.1 4\d\d ", answer), answer[:200]
    assert bystander.client.http.get(f"/v1/{LOCATION}/datasets/torn").status_code == 403


TRICKS = ["..", "../..", "a/../../b", "/etc/passwd", "a\0", "a\n", "x" * 300, "%2e%2e", "a:b", " ", "a#b"]


@pytest.mark.parametrize("trick", TRICKS)
def test_no_id_leads_anywhere_else(bystander: Bystander, trick: str) -> None:
    client, dataset = bystander.client, bystander.dataset
    client.error("POST", f"{LOCATION}/datasets", {}, status=400, datasetId=trick)
    client.error("POST", f"{dataset}/dicomStores", {}, status=400, dicomStoreId=trick)
    client.error("POST", f"{dataset}/fhirStores", {"version": "R4"}, status=400, fhirStoreId=trick)
    refused = client.http.put(f"/v1/{bystander.fhir}/fhir/Patient/b", json={**PATIENT, "id": trick})
    assert refused.status_code == 400
    body = {"destinationDataset": f"{LOCATION}/datasets/{trick}", "config": {}}
    client.error("POST", f"{dataset}:deidentify", body, status=400)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        uid: Any = {keyword: "1.2.345678"}
        usual = instance(**uid)
        swapped = usual.replace(b"1.2.345678", trick.encode()[:10].ljust(10, b"x"))
        assert client.store(f"{dataset}/dicomStores/store", swapped).status_code == 409


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../../etc/passwd",
        "/v1/..%2f..%2fetc%2fpasswd",
        f"/v1/{LOCATION}/datasets/%00",
        f"/v1/{LOCATION}/datasets/..%2fmade-0",
        f"//v1/{LOCATION}/datasets/made-0",
        f"/v1/{LOCATION}/datasets/made-0/dicomStores/store/dicomWeb/studies/..%2f..",
        f"/v1/{LOCATION}/datasets/made-0/fhirStores/fhir/fhir/Patient/..%2fa",
        f"/v1/{LOCATION}/datasets/made-0/fhirStores/fhir/fhir/Patient/{'a' * 5000}",
        f"/v1/{LOCATION}/datasets/made-0/operations/%2e%2e",
    ],
)
def test_no_path_leads_anywhere_else(bystander: Bystander, path: str) -> None:
    read, deleted = (bystander.raw(_request(f"{method} {path}", "Connection: close")) for method in ("GET", "DELETE"))
    assert re.match(rb"HTTP/1\.1 4\d\d ", read), read[:200]
    # Deleting a FHIR resource that is not there is no error.
    assert re.match(rb"HTTP/1\.1 (4\d\d|200) ", deleted), deleted[:200]


NUMBERS = ["1E+999999999", "1E-999999999", "-0.0E0", "9" * 5000, "1." + "0" * 5000, "1e400"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:14])
def test_huge_numbers_are_numbers_or_refused(bystander: Bystander, number: str) -> None:
    client, name = bystander.client, f"{bystander.fhir}/fhir/Observation"
    body = '{"resourceType": "Observation", "status": "final", "code": {}, "valueQuantity": {"value": NUMBER}}'
    body = body.replace("NUMBER", number)
    headers = {"content-type": "application/fhir+json"}
    stored = client.http.post(f"/v1/{name}", content=body, headers=headers)
    assert stored.status_code in (201, 400)
    whole = body.replace('"valueQuantity": {"value": ', '"valueInteger": ').replace("}}", "}")
    assert client.http.post(f"/v1/{name}", content=whole, headers=headers).status_code in (201, 400)
    found = client.http.get(f"/v1/{name}", params={"value-quantity": f"gt{number[:100]}", "_count": number[:100]})
    assert found.status_code in (200, 400)
    limit = {"limit": number, "offset": number}
    path = f"/v1/{bystander.dataset}/dicomStores/store/dicomWeb/instances"
    assert client.http.get(path, params=limit).status_code in (200, 204, 400)


@pytest.mark.parametrize("opening", ['{"a":', "[", '{"contained":[', '{"extension":[{"extension":'])
def test_deep_json_is_refused(bystander: Bystander, opening: str) -> None:
    headers = {"content-type": "application/fhir+json"}
    for path in (f"{bystander.fhir}/fhir/Patient", f"{bystander.fhir}/fhir", f"{LOCATION}/datasets?datasetId=deep"):
        for content in (opening * 200_000, '{"resourceType": "Patient", "extension": ' + opening * 5000):
            assert bystander.client.http.post(f"/v1/{path}", content=content, headers=headers).status_code == 400


def test_compressed_requests_are_not_unpacked(bystander: Bystander) -> None:
    content = gzip.compress(b" " * 50 * MEBIBYTE)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    answer = bystander.client.http.post(
        f"/v1/{LOCATION}/datasets", params={"datasetId": "x"}, content=content, headers=headers
    )
    assert answer.status_code in (400, 415)


def _deidentified(bystander: Bystander, files: list[bytes], config: dict[str, Any]) -> tuple[int, dict[str, int]]:
    """Store files in a dataset of their own and de-identify it: how many were stored, and the counters."""
    client = bystander.client
    store = client.new_store()
    stored = sum(client.store(store, data).status_code == 200 for data in files)
    source = store.partition("/dicomStores")[0]
    body = {"destinationDataset": f"{source}-deid", "config": config}
    operation = client.finished(client.call("POST", f"{source}:deidentify", body)["name"])
    assert "error" not in operation
    assert "Traceback" not in json.dumps(operation)
    counter = {name: int(count) for name, count in operation["metadata"]["counter"].items()}
    left = client.call("GET", f"{source}-deid/dicomStores/store:getDICOMStoreMetrics")
    assert int(left["instanceCount"]) == counter.get("success", 0)
    return stored, counter


def test_bombs_and_false_lengths_are_counted_failures(bystander: Bystander) -> None:
    head = instance(StudyInstanceUID="1.7", SOPInstanceUID="1.7.1")[:132]
    assert head.endswith(b"DICM")
    ids = b"".join(element(tag, "UI", b"1.7.8\0") for tag in (0x00080018, 0x0020000D, 0x0020000E))
    zeros = zlib.compressobj(9, wbits=-15)
    bomb = zeros.compress(ids + element(0x7FE00010, "OW", bytes(100 * MEBIBYTE))) + zeros.flush()
    false = ids.replace(b"1.7.8", b"1.7.9") + element(0x7FE00010, "OW", b"1234", length=2**31 - 2)
    files = [part10(bomb, DeflatedExplicitVRLittleEndian), part10(false), instance()]
    stored, counter = _deidentified(bystander, files, BASIC)
    assert (stored, counter) == (3, {"success": 1, "failure": 2})


@pytest.mark.parametrize(
    "config",
    [BASIC, {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}, {"dicom": {"keepList": {"tags": ["Rows"]}}}],
    ids=["basic", "contents", "keepList"],
)
def test_damaged_files_are_refused_or_counted(bystander: Bystander, config: dict[str, Any]) -> None:
    damage = random.Random(7)
    names = ("CT_small.dcm", "rtplan.dcm", "reportsi.dcm", "MR_small_RLE.dcm", "image_dfl.dcm", "nested_priv_SQ.dcm")
    files = []
    for name in names:
        path = get_testdata_file(name)
        assert isinstance(path, str)
        whole = Path(path).read_bytes()
        for _ in range(6):
            data = bytearray(whole[: damage.randrange(200, len(whole))] if damage.random() < 0.3 else whole)
            for _ in range(damage.randrange(1, 20)):
                data[damage.randrange(140, len(data))] = damage.randrange(256)
            files.append(bytes(data))
    stored, counter = _deidentified(bystander, [*files, instance()], config)
    assert counter.get("success", 0) + counter.get("failure", 0) == stored
    assert counter["success"] >= 1
