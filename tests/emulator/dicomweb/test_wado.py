"""Retrieving and deleting over DICOMweb."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from tests.emulator.client import Client
from tests.emulator.dicom_files import PIXELS, encoded, instance, parsed

if TYPE_CHECKING:
    import httpx

    from airflow_healthcare_deid.emulator import Emulator

FILES = {
    "explicit": instance(StudyInstanceUID="1.1", SeriesInstanceUID="1.1.1", SOPInstanceUID="1.1.1.1"),
    "implicit": instance(
        StudyInstanceUID="1.1", SeriesInstanceUID="1.1.1", SOPInstanceUID="1.1.1.2", syntax=ImplicitVRLittleEndian
    ),
    "rle": instance(
        StudyInstanceUID="1.1", SeriesInstanceUID="1.1.2", SOPInstanceUID="1.1.2.1", syntax=RLELossless, frames=3
    ),
}
PATHS = {
    "explicit": "studies/1.1/series/1.1.1/instances/1.1.1.1",
    "implicit": "studies/1.1/series/1.1.1/instances/1.1.1.2",
    "rle": "studies/1.1/series/1.1.2/instances/1.1.2.1",
}


@pytest.fixture(scope="module")
def store(session_emulator: Emulator) -> str:
    with Client(session_emulator.url) as client:
        return client.new_store(instances=FILES.values())


@pytest.fixture(scope="module")
def web(session_emulator: Emulator, store: str) -> Any:
    return DICOMwebClient(f"{session_emulator.url}/v1/{store}/dicomWeb")


def _get(client: Client, store: str, path: str, accept: str = "*/*") -> httpx.Response:
    return client.http.get(f"/v1/{store}/dicomWeb/{path}", headers={"accept": accept})


def test_a_study_and_a_series_come_whole(web: Any) -> None:
    assert {item.SOPInstanceUID for item in web.retrieve_study("1.1")} == {"1.1.1.1", "1.1.1.2", "1.1.2.1"}
    assert {item.SOPInstanceUID for item in web.retrieve_series("1.1", "1.1.1")} == {"1.1.1.1", "1.1.1.2"}


@pytest.mark.parametrize("name", FILES)
def test_instances_leave_in_explicit_little_endian(client: Client, store: str, name: str) -> None:
    answer = _get(client, store, PATHS[name], "application/dicom")
    assert answer.headers["content-type"] == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    back = parsed(answer.content)
    assert back.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert back.PixelData == PIXELS.tobytes() * int(back.get("NumberOfFrames", 1))
    assert back.PatientName == "Doe^Jane"


@pytest.mark.parametrize("name", FILES)
def test_instances_leave_as_stored_when_asked(client: Client, store: str, name: str) -> None:
    assert _get(client, store, PATHS[name], "application/dicom; transfer-syntax=*").content == FILES[name]


def test_a_syntax_that_is_not_stored_is_not_acceptable(client: Client, store: str) -> None:
    jpeg = "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50"
    assert _get(client, store, PATHS["explicit"], jpeg).status_code == 406
    rle = f"application/dicom; transfer-syntax={RLELossless}"
    assert _get(client, store, PATHS["rle"], rle).content == FILES["rle"]
    assert _get(client, store, PATHS["rle"], "text/html").status_code == 406
    assert _get(client, store, "studies/1.1", "application/dicom").status_code == 406


def test_a_codec_that_is_missing_makes_406(client: Client, store: str) -> None:
    broken = parsed(instance(SOPInstanceUID="1.5.1", StudyInstanceUID="1.5", SeriesInstanceUID="1.5.0"))
    del broken.PixelData
    data = encoded(broken, "1.2.840.10008.1.2.4.102")  # MPEG-4, without any pixels: stays as it is
    assert client.store(store, data).status_code == 200
    path = "studies/1.5/series/1.5.0/instances/1.5.1"
    assert _get(client, store, path, "application/dicom; transfer-syntax=*").content == data
    client.http.delete(f"/v1/{store}/dicomWeb/{path}")


def test_metadata_has_everything_but_bulk_data(client: Client, store: str, web: Any) -> None:
    found = web.retrieve_instance_metadata("1.1", "1.1.1", "1.1.1.1")
    assert found["00100030"] == {"vr": "DA", "Value": ["19700102"]}
    assert not any(tag.startswith("0002") for tag in found)
    uri = found["7FE00010"]["BulkDataURI"]
    assert uri == f"{client.url}/v1/{store}/dicomWeb/{PATHS['explicit']}/bulkdata/7FE00010"
    assert client.http.get(uri).content == PIXELS.tobytes()
    assert web.retrieve_bulkdata(uri) == [PIXELS.tobytes()]
    assert len(web.retrieve_study_metadata("1.1")) == 3
    assert len(web.retrieve_series_metadata("1.1", "1.1.1")) == 2


def test_metadata_of_odd_values_is_still_json(client: Client, dicom_store: str) -> None:
    item = Dataset()
    item.add_new(0x00091001, "OB", b"\1\2")
    item.RealWorldValueSlope = float("nan")
    data = parsed(instance(StudyInstanceUID="1.6", SeriesInstanceUID="1.6.0", SOPInstanceUID="1.6.1"))
    data.ReferencedImageSequence = Sequence([item])
    data.add_new(0x00181041, "DS", "")
    data.add_new(0x00283006, "US", list(range(600)))
    assert client.store(dicom_store, encoded(data, ExplicitVRLittleEndian)).status_code == 200
    path = "studies/1.6/series/1.6.0/instances/1.6.1"
    (found,) = client.call("GET", f"{dicom_store}/dicomWeb/{path}/metadata")
    (nested,) = found["00081140"]["Value"]
    assert nested["00409225"]["Value"] == [None]
    assert client.http.get(nested["00091001"]["BulkDataURI"]).content == b"\1\2"
    numbers = client.http.get(found["00283006"]["BulkDataURI"]).content
    assert numbers == b"".join(number.to_bytes(2, "little") for number in range(600))


def test_frames_come_one_by_one(client: Client, store: str, web: Any) -> None:
    answer = _get(client, store, f"{PATHS['rle']}/frames/2", "application/octet-stream")
    assert answer.content == PIXELS.tobytes()
    several = _get(client, store, f"{PATHS['rle']}/frames/1,3")
    assert several.content.count(PIXELS.tobytes()) == 2
    stored = 'multipart/related; type="image/dicom-rle"; transfer-syntax=1.2.840.10008.1.2.5'
    assert b"image/dicom-rle" in _get(client, store, f"{PATHS['rle']}/frames/1", stored).content
    assert web.retrieve_instance_frames("1.1", "1.1.1", "1.1.1.1", [1]) == [PIXELS.tobytes()]


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_pictures_are_rendered(client: Client, store: str, kind: str) -> None:
    for path in (f"{PATHS['rle']}/rendered", f"{PATHS['rle']}/frames/3/rendered"):
        answer = _get(client, store, path, kind)
        assert answer.headers["content-type"] == kind
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.size, picture.mode) == ((8, 8), "L")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("studies/1.9", 404),
        ("studies/1.1/series/1.9", 404),
        ("studies/1.1/series/1.1.1/instances/1.9", 404),
        ("studies/1.9/metadata", 404),
        ("studies/x", 400),
        (f"{PATHS['rle']}/frames/4", 404),
        (f"{PATHS['rle']}/frames/1,4", 404),
        (f"{PATHS['rle']}/frames/0", 400),
        (f"{PATHS['rle']}/frames/1,x", 400),
        (f"{PATHS['rle']}/frames/4/rendered", 404),
        (f"{PATHS['rle']}/frames/1,2/rendered", 400),
        (f"{PATHS['rle']}/rendered?viewport=1,1", 400),
        (f"{PATHS['rle']}/bulkdata/00100020", 404),
        (f"{PATHS['rle']}/bulkdata/7FE00010/1", 400),
        (f"{PATHS['rle']}/bulkdata/00081140/1/00091001", 404),
        (f"{PATHS['rle']}/bulkdata/passwd", 400),
        (f"{PATHS['rle']}?x=1", 400),
    ],
)
def test_what_is_not_there_or_makes_no_sense(client: Client, store: str, path: str, status: int) -> None:
    assert _get(client, store, path).status_code == status


def test_an_instance_is_deleted_at_once_and_a_study_by_an_operation(client: Client, dicom_store: str) -> None:
    for number in range(3):
        data = instance(
            StudyInstanceUID="1.7", SeriesInstanceUID=f"1.7.{number // 2}", SOPInstanceUID=f"1.7.0.{number}"
        )
        assert client.store(dicom_store, data).status_code == 200
    base = f"{dicom_store}/dicomWeb/studies/1.7"
    assert client.call("DELETE", f"{base}/series/1.7.0/instances/1.7.0.0") == {}
    client.error("DELETE", f"{base}/series/1.7.0/instances/1.7.0.0", status=404)
    started = client.call("DELETE", f"{base}/series/1.7.1")
    assert client.finished(started["name"])["metadata"]["counter"] == {"success": "1"}
    started = client.call("DELETE", base)
    assert started["name"].startswith(f"{dicom_store.rpartition('/dicomStores')[0]}/operations/")
    found = client.finished(started["name"])
    assert found["response"]["@type"].endswith("google.protobuf.Empty")
    assert client.call("GET", f"{dicom_store}:getDICOMStoreMetrics")["instanceCount"] == "0"
