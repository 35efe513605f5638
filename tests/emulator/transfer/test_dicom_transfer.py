"""``dicomStores.export`` and ``dicomStores.import``, with Google's clients."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from googleapiclient.errors import HttpError
from PIL import Image
from pydicom import dcmread
from pydicom.config import IGNORE
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement

from airflow_healthcare_deid.emulator.jobs.transcoding import transcode
from tests.emulator.dicom_files import instance, parsed
from tests.support.bigquery_load import loaded

SIDE = 64
PIXELS = np.arange(SIDE * SIDE, dtype="<u2")


def export(dicom_stores: Any, dicom_store: str, **body: Any) -> Any:
    return dicom_stores.export(name=dicom_store, body=body).execute()


def load(dicom_stores: Any, dicom_store: str, uri: str) -> Any:
    return dicom_stores.import_(name=dicom_store, body={"gcsSource": {"uri": uri}}).execute()


def upload(bucket: Any, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        bucket.blob(name).upload_from_string(data)


def names(bucket: Any, prefix: str) -> list[str]:
    return sorted(blob.name.removeprefix(prefix) for blob in bucket.list_blobs(prefix=prefix))


@pytest.fixture
def filled(dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any) -> list[Any]:
    """Two instances, one of them with three frames, imported into the store."""
    files = {"in/a.dcm": image(), "in/deep/b.dcm": image(frames=3)}
    upload(bucket, files)
    wait(load(dicom_stores, dicom_store, f"gs://{bucket.name}/in/**.dcm"))
    return [parsed(data) for data in files.values()]


def image(frames: int = 0) -> bytes:
    """Return an image large enough for every codec."""
    dataset = parsed(instance(frames=frames, Rows=SIDE, Columns=SIDE))
    dataset.PixelData = PIXELS.tobytes() * (frames or 1)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def path_of(dataset: Any) -> str:
    return f"{dataset.StudyInstanceUID}/{dataset.SeriesInstanceUID}/{dataset.SOPInstanceUID}"


def test_an_import_counts_what_it_takes_and_what_it_cannot(
    dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any
) -> None:
    first = instance()
    upload(bucket, {"a.dcm": first, "b.dcm": instance(), "c.dcm": b"no DICOM", "d.txt": b"not asked for"})
    operation = wait(load(dicom_stores, dicom_store, f"gs://{bucket.name}/*.dcm"))
    assert operation["metadata"]["counter"] == {"success": "2", "failure": "1"}
    assert operation["response"]["@type"].endswith("ImportDicomDataResponse")
    again = wait(load(dicom_stores, dicom_store, f"gs://{bucket.name}/a.dcm"))
    assert again["metadata"]["counter"] == {"failure": "1"}
    metrics = dicom_stores.getDICOMStoreMetrics(name=dicom_store).execute()
    assert metrics["instanceCount"] == "2"


def test_nothing_to_import_fails_the_operation(dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any) -> None:
    assert wait(load(dicom_stores, dicom_store, f"gs://{bucket.name}/*"))["error"]["code"] == 5


def test_instances_leave_as_they_came(
    dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any, filled: list[Any]
) -> None:
    operation = wait(export(dicom_stores, dicom_store, gcsDestination={"uriPrefix": f"gs://{bucket.name}/out"}))
    assert operation["metadata"]["counter"] == {"success": "2"}
    assert names(bucket, "out/") == sorted(f"{path_of(dataset)}.dcm" for dataset in filled)
    exported = bucket.blob(f"out/{path_of(filled[0])}.dcm").download_as_bytes()
    assert exported == bucket.blob("in/a.dcm").download_as_bytes()


def test_a_filter_file_limits_an_export(
    dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any, filled: list[Any]
) -> None:
    upload(bucket, {"filter.txt": f"/studies/{filled[0].StudyInstanceUID}\r\n".encode()})
    operation = wait(
        export(
            dicom_stores,
            dicom_store,
            gcsDestination={"uriPrefix": f"gs://{bucket.name}/out/"},
            filterConfig={"resourcePathsGcsUri": f"gs://{bucket.name}/filter.txt"},
        )
    )
    assert operation["metadata"]["counter"] == {"success": "1"}
    assert names(bucket, "out/") == [f"{path_of(filled[0])}.dcm"]


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.5",
    ],
)
def test_lossless_transcoding_keeps_the_pixels(
    dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any, filled: list[Any], syntax: str
) -> None:
    destination = {
        "uriPrefix": f"gs://{bucket.name}/out",
        "mimeType": f"application/dicom; transfer-syntax={syntax}",
    }
    operation = wait(export(dicom_stores, dicom_store, gcsDestination=destination))
    assert operation["metadata"]["counter"] == {"success": "2"}
    for dataset in filled:
        exported = parsed(bucket.blob(f"out/{path_of(dataset)}.dcm").download_as_bytes())
        assert exported.file_meta.TransferSyntaxUID == syntax
        assert exported.PatientName == dataset.PatientName
        np.testing.assert_array_equal(exported.pixel_array, dataset.pixel_array)


def test_what_no_codec_can_write_is_a_failure(
    dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any, filled: list[Any]
) -> None:
    for syntax in ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.112"):
        mime_type = f"application/dicom; transfer-syntax={syntax}"
        destination = {"uriPrefix": f"gs://{bucket.name}/out", "mimeType": mime_type}
        operation = wait(export(dicom_stores, dicom_store, gcsDestination=destination))
        assert operation["metadata"]["counter"] == {"failure": "2"}
    assert names(bucket, "out/") == []


def test_eight_bits_become_jpeg(dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any) -> None:
    dataset = parsed(instance(BitsAllocated=8, BitsStored=8, HighBit=7))
    dataset.PixelData = bytes(range(64))
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    upload(bucket, {"a.dcm": buffer.getvalue()})
    wait(load(dicom_stores, dicom_store, f"gs://{bucket.name}/a.dcm"))
    mime_type = "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50"
    destination = {"uriPrefix": f"gs://{bucket.name}/out", "mimeType": mime_type}
    operation = wait(export(dicom_stores, dicom_store, gcsDestination=destination))
    assert operation["metadata"]["counter"] == {"success": "1"}
    exported = dcmread(io.BytesIO(bucket.blob(f"out/{path_of(dataset)}.dcm").download_as_bytes()))
    assert exported.LossyImageCompression == "01"
    assert abs(exported.pixel_array.astype(int) - dataset.pixel_array).max() < 8


@pytest.mark.parametrize(
    ("mime_type", "extension"),
    [
        ("application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", ""),
        ("application/octet-stream; transfer-syntax=*", ""),
        ("image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50", ".jpg"),
        ("image/png", ".png"),
    ],
)
def test_frames_have_objects_of_their_own(
    dicom_stores: Any, dicom_store: str, bucket: Any, wait: Any, filled: list[Any], mime_type: str, extension: str
) -> None:
    destination = {"uriPrefix": f"gs://{bucket.name}/out", "mimeType": mime_type}
    operation = wait(export(dicom_stores, dicom_store, gcsDestination=destination))
    assert operation["metadata"]["counter"] == {"success": "2"}
    single, multiple = (path_of(dataset) for dataset in filled)
    expected = [f"{single}{extension}", *(f"{multiple}/{number}{extension}" for number in (1, 2, 3))]
    assert names(bucket, "out/") == sorted(expected)
    data = bucket.blob(f"out/{single}{extension}").download_as_bytes()
    if extension:
        assert Image.open(io.BytesIO(data)).size == (SIDE, SIDE)
    else:
        assert data == PIXELS.tobytes()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "gcsDestination"),
        ({"gcsDestination": {"uriPrefix": "gs://bucket/x", "mimeType": "text/plain"}}, "mimeType"),
        ({"gcsDestination": {"uriPrefix": "gs://bucket/x", "mimeType": "image/png; transfer-syntax=*"}}, "mimeType"),
        ({"gcsDestination": {"uriPrefix": "file:///etc"}}, "uriPrefix"),
        ({"bigqueryDestination": {"tableUri": "bq://other-project.d.t"}}, "project"),
        ({"bigqueryDestination": {"tableUri": "bq://p.d.t", "writeDisposition": "WRITE_TWICE"}}, "writeDisposition"),
        ({"bigqueryDestination": {"tableUri": "bq://p.d.t", "force": "yes"}}, "force"),
        ({"flavour": 1}, "flavour"),
    ],
)
def test_bad_exports_are_refused(dicom_stores: Any, dicom_store: str, body: dict[str, Any], message: str) -> None:
    with pytest.raises(HttpError, match=message) as refused:
        export(dicom_stores, dicom_store, **body)
    assert refused.value.status_code == 400


def table(session_emulator: Any, name: str) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    folder = session_emulator.directory / "bigquery" / "p" / "d"
    rows = loaded(folder, name)
    columns = {column["name"]: column for column in json.loads((folder / f"{name}.schema.json").read_text())}
    return rows, columns


def test_the_flattened_schema_has_a_column_a_tag(
    dicom_stores: Any, dicom_store: str, session_emulator: Any, wait: Any, filled: list[Any], dataset: str
) -> None:
    name = f"flat-{dataset[-8:]}"
    destination = {"tableUri": f"bq://p.d.{name}", "includeSourceStore": True}
    operation = wait(export(dicom_stores, dicom_store, bigqueryDestination=destination))
    assert operation["metadata"]["counter"] == {"success": "2"}
    rows, columns = table(session_emulator, name)
    assert {row["SOPInstanceUID"] for row in rows} == {dataset.SOPInstanceUID for dataset in filled}
    assert rows[0]["PatientName"] == "Doe^Jane"
    assert rows[0]["StudyDate"] == "2020-03-04"
    assert rows[0]["SourceDicomStore"] == dicom_store
    assert "PixelData" in rows[0]["DroppedTags"]
    assert (columns["StudyDate"]["type"], columns["Rows"]["type"]) == ("DATE", "INTEGER")
    assert all(set(row) <= set(columns) for row in rows)


def test_a_date_or_time_that_there_is_not_leaves_its_cell_empty(
    dicom_stores: Any, dicom_store: str, bucket: Any, session_emulator: Any, wait: Any, dataset: str
) -> None:
    wrong = {"StudyDate": "00000000", "SeriesDate": "20201341", "SeriesTime": "246199"}
    right = {"StudyTime": "1015", "AcquisitionTime": "101530.5", "ContentTime": "10", "AcquisitionDate": "20200229"}
    data = parsed(instance())
    for keyword, value in (wrong | right).items():
        data[keyword] = DataElement(keyword, "DA" if "Date" in keyword else "TM", value, validation_mode=IGNORE)
    buffer = io.BytesIO()
    data.save_as(buffer)
    upload(bucket, {"in.dcm": buffer.getvalue()})
    wait(load(dicom_stores, dicom_store, f"gs://{bucket.name}/in.dcm"))
    name = f"odd-{dataset[-8:]}"
    wait(export(dicom_stores, dicom_store, bigqueryDestination={"tableUri": f"bq://p.d.{name}"}))
    (row,), _ = table(session_emulator, name)
    assert not wrong.keys() & row.keys()
    times = {"StudyTime": "10:15:00", "AcquisitionTime": "10:15:30.500000", "ContentTime": "10:00:00"}
    assert {keyword: row[keyword] for keyword in right} == {**times, "AcquisitionDate": "2020-02-29"}


def test_the_json_schema_has_the_documented_columns(
    dicom_stores: Any, dicom_store: str, session_emulator: Any, wait: Any, filled: list[Any], dataset: str
) -> None:
    name = f"json-{dataset[-8:]}"
    destination = {"tableUri": f"bq://p.d.{name}", "schemaJson": {}}
    wait(export(dicom_stores, dicom_store, bigqueryDestination=destination))
    rows, columns = table(session_emulator, name)
    assert columns["Metadata"]["type"] == "JSON"
    assert columns["DroppedTags"]["mode"] == "REPEATED"
    assert rows[0]["Metadata"]["00100020"] == {"vr": "LO", "Value": ["MRN-1"]}
    assert all(set(row) == set(columns) for row in rows)
    with pytest.raises(HttpError, match="holds rows already"):
        export(dicom_stores, dicom_store, bigqueryDestination=destination)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.5"])
def test_big_endian_pixels_are_turned(tmp_path: Path, syntax: str) -> None:
    source = Path(str(get_testdata_file("ExplVR_BigEnd.dcm", download=False)))
    assert transcode(source, tmp_path / "out.dcm", syntax)
    before, after = dcmread(source), dcmread(tmp_path / "out.dcm")
    assert (after.Rows, after.file_meta.TransferSyntaxUID) == (before.Rows, syntax)
    np.testing.assert_array_equal(after.pixel_array, before.pixel_array)


def test_what_has_no_pixels_needs_no_codec(tmp_path: Path) -> None:
    dataset = parsed(instance())
    del dataset.PixelData
    dataset.save_as(tmp_path / "in.dcm")
    assert transcode(tmp_path / "in.dcm", tmp_path / "out.dcm", "1.2.840.10008.1.2.4.90")
    assert dcmread(tmp_path / "out.dcm").file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
