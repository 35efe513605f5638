"""Storing instances over DICOMweb."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from dicomweb_client import DICOMwebClient
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.emulator.dicom_files import instance, parsed

if TYPE_CHECKING:
    import httpx

    from tests.emulator.client import Client


def _multipart(*parts: bytes, boundary: str = "b", headers: bytes = b"Content-Type: application/dicom") -> bytes:
    body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), headers, part) for part in parts)
    return body + f"--{boundary}--".encode()


def _send(client: Client, store: str, body: bytes, content_type: str, accept: str = "*/*") -> httpx.Response:
    headers = {"content-type": content_type, "accept": accept}
    return client.http.post(f"/v1/{store}/dicomWeb/studies", content=body, headers=headers)


MULTIPART = 'multipart/related; type="application/dicom"; boundary=b'


def test_dicomweb_client_stores_and_gets_back_the_same(client: Client, dicom_store: str) -> None:
    web = DICOMwebClient(f"{client.url}/v1/{dicom_store}/dicomWeb")
    made = [parsed(instance(StudyInstanceUID="1.2", PatientName="Müller^Ä", SpecificCharacterSet="ISO_IR 192"))]
    made.append(parsed(instance(StudyInstanceUID="1.3")))
    account = web.store_instances(made)
    assert len(account.ReferencedSOPSequence) == 2
    back = web.retrieve_study("1.2")
    assert back == made[:1]


def test_the_account_is_xml_unless_json_is_asked_for(client: Client, dicom_store: str) -> None:
    answer = _send(client, dicom_store, _multipart(instance(SOPInstanceUID="1.9")), MULTIPART)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/dicom+xml")
    root = ET.fromstring(answer.content)
    assert root.tag == "NativeDicomModel"
    assert root.findtext("DicomAttribute[@tag='00081199']/Item/DicomAttribute[@tag='00081155']/Value") == "1.9"
    answer = _send(client, dicom_store, _multipart(instance()), MULTIPART, "application/dicom+json")
    assert set(answer.json()) == {"00081199"}


def test_a_duplicate_is_a_conflict_and_the_rest_is_stored(client: Client, dicom_store: str) -> None:
    first, second = instance(), instance()
    assert client.store(dicom_store, first).status_code == 200
    answer = _send(client, dicom_store, _multipart(first, second), MULTIPART, "application/dicom+json")
    assert answer.status_code == 409
    account = answer.json()
    assert len(account["00081199"]["Value"]) == 1
    (failed,) = account["00081198"]["Value"]
    assert failed["00091097"]["Value"] == ["already exists"]
    assert failed["00081197"]["Value"] == [0x0110]


def test_an_instance_of_another_study_is_not_stored_into_this_one(client: Client, dicom_store: str) -> None:
    assert client.store(dicom_store, instance(StudyInstanceUID="1.2"), "/1.3").status_code == 409
    stored = client.store(dicom_store, instance(StudyInstanceUID="1.2"), "/1.2")
    assert stored.json()["00081190"]["Value"][0].endswith("/studies/1.2")


def _with_meta(transfer_syntax: bytes, body: bytes) -> bytes:
    def element(number: int, vr: bytes, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HH2sH", 2, number, vr, len(value)) + value

    return b"\0" * 128 + b"DICM" + element(0x10, b"UI", transfer_syntax) + body


BOMB = zlib.compressobj(9, wbits=-15)
BROKEN = {
    "nothing": b"",
    "text": b"hello",
    "no preamble": instance()[132:],
    "meta only": _with_meta(b"1.2.840.10008.1.2.1", b""),
    "no meta": b"\0" * 128 + b"DICM" + b"\x08\x00\x05\x00CS\x02\x00AB",
    "no study": instance(StudyInstanceUID=None),
    "long length": _with_meta(b"1.2.840.10008.1.2.1", struct.pack("<HH2sHL", 8, 0x18, b"UT", 0, 2**31 - 2) + b"1.2"),
    "noise": _with_meta(b"1.2.840.10008.1.2.1", bytes(range(256)) * 20),
    "bomb": _with_meta(DeflatedExplicitVRLittleEndian.encode(), BOMB.compress(bytes(600 * 1024**2)) + BOMB.flush()),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_instance_fails_without_harm(client: Client, dicom_store: str, data: bytes) -> None:
    answer = _send(client, dicom_store, _multipart(data, instance()), MULTIPART, "application/dicom+json")
    assert answer.status_code == 409
    assert len(answer.json()["00081198"]["Value"]) == len(answer.json()["00081199"]["Value"]) == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (_multipart(instance())[:-1], MULTIPART),
        (_multipart(instance())[:300], MULTIPART),
        (b"no boundary anywhere", MULTIPART),
        (b"", MULTIPART),
        (_multipart(instance(), headers=b"no colon"), MULTIPART),
        (_multipart(instance(), headers=b"Content-Type: text/plain"), MULTIPART),
        (_multipart(instance(), headers=b"X: " + b"y" * 100_000), MULTIPART),
        (_multipart(instance()), "multipart/related"),
        (_multipart(instance()), f"multipart/related; boundary={'x' * 500}"),
        (_multipart(b"{}"), 'multipart/related; type="application/dicom+json"; boundary=b'),
        (instance(), "application/octet-stream"),
        (instance(), ""),
    ],
)
def test_a_malformed_request_stores_nothing(client: Client, dicom_store: str, body: bytes, content_type: str) -> None:
    answer = _send(client, dicom_store, body, content_type)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert client.call("GET", f"{dicom_store}:getDICOMStoreMetrics")["instanceCount"] == "0"


def test_nothing_of_a_request_lies_around(own: Client) -> None:
    store = own.new_store()
    own.store(store, b"broken")
    own.store(store, instance())
    _send(own, store, b"--b\r\n\r\nhalf", MULTIPART)
    assert own.call("GET", f"{store}:getDICOMStoreMetrics")["instanceCount"] == "1"


def test_a_missing_store_takes_nothing(client: Client, dataset: str) -> None:
    assert client.store(f"{dataset}/dicomStores/none", instance()).status_code == 404
    assert client.store(f"{dataset}x/dicomStores/none", instance()).status_code == 403
    assert client.store(f"{dataset}/dicomStores/none", instance(), "/..").status_code in (400, 404)
