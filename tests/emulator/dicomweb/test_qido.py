"""Searching over DICOMweb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dicomweb_client import DICOMwebClient

from tests.emulator.client import Client
from tests.emulator.dicom_files import instance

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator import Emulator

STUDIES: dict[str, dict[str, Any]] = {
    "1.1": {"PatientName": "Doe^Jane", "PatientID": "A", "StudyDate": "20200101", "StudyDescription": "Head"},
    "1.2": {"PatientName": "Doe^John^Q", "PatientID": "B", "StudyDate": "20200615", "AccessionNumber": "X*"},
    "1.3": {"PatientName": "Roe_%^Jane", "PatientID": "A", "StudyDate": "20210101", "ReferringPhysicianName": "Who^Dr"},
}


@pytest.fixture(scope="module")
def store(session_emulator: Emulator) -> str:
    """Three studies, of two series with two instances each; the second series is MR."""
    files = [
        instance(
            StudyInstanceUID=study,
            SeriesInstanceUID=f"{study}.{series}",
            SOPInstanceUID=f"{study}.{series}.{number}",
            Modality=("CT", "MR")[series],
            SeriesDescription=f"Series {series}",
            InstanceNumber=number,
            **attributes,
        )
        for study, attributes in STUDIES.items()
        for series in (0, 1)
        for number in (0, 1)
    ]
    with Client(session_emulator.url) as client:
        return client.new_store(instances=files)


def _uids(found: list[dict[str, Any]] | None, tag: str = "0020000D") -> list[str]:
    return [item[tag]["Value"][0] for item in found or []]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["1.1", "1.2", "1.3"]),
        ({"PatientID": "A"}, ["1.1", "1.3"]),
        ({"00100020": "A"}, ["1.1", "1.3"]),
        ({"PatientName": "Doe^Jane"}, ["1.1"]),
        ({"PatientName": "Doe*"}, []),
        ({"PatientName": "jan", "fuzzymatching": "true"}, ["1.1", "1.3"]),
        ({"PatientName": "JOH DO", "fuzzymatching": "true"}, ["1.2"]),
        ({"PatientName": "oe", "fuzzymatching": "true"}, []),
        ({"PatientName": "roe_%", "fuzzymatching": "true"}, ["1.3"]),
        ({"PatientName": "r%", "fuzzymatching": "true"}, []),
        ({"StudyDate": "20200615"}, ["1.2"]),
        ({"StudyDate": "20200101-20201231"}, ["1.1", "1.2"]),
        ({"StudyDate": "20200102-"}, ["1.2", "1.3"]),
        ({"StudyDate": "-20200614"}, ["1.1"]),
        ({"AccessionNumber": "X*"}, ["1.2"]),
        ({"ReferringPhysicianName": "Who^Dr"}, ["1.3"]),
        ({"StudyInstanceUID": "1.2"}, ["1.2"]),
        ({"PatientID": "A", "StudyDate": "20210101"}, ["1.3"]),
        ({"limit": 1}, ["1.1"]),
        ({"limit": 1, "offset": 1}, ["1.2"]),
        ({"offset": 5}, []),
        ({"limit": 0}, []),
        ({"PatientID": "' OR 1=1 --"}, []),
    ],
)
def test_studies_are_found(client: Client, store: str, query: dict[str, Any], expected: list[str]) -> None:
    status = 200 if expected else 204
    assert _uids(client.call("GET", f"{store}/dicomWeb/studies", status=status, **query)) == expected


@pytest.mark.parametrize(
    ("path", "query", "tag", "expected"),
    [
        ("series", {"Modality": "MR"}, "0020000E", ["1.1.1", "1.2.1", "1.3.1"]),
        ("series", {"Modality": "MR", "PatientID": "B"}, "0020000E", ["1.2.1"]),
        ("studies/1.2/series", {}, "0020000E", ["1.2.0", "1.2.1"]),
        ("studies/1.2/instances", {"Modality": "CT"}, "00080018", ["1.2.0.0", "1.2.0.1"]),
        ("studies/1.2/series/1.2.1/instances", {}, "00080018", ["1.2.1.0", "1.2.1.1"]),
        ("instances", {"SOPInstanceUID": "1.3.1.1"}, "00080018", ["1.3.1.1"]),
    ],
)
def test_every_level_is_searched(
    client: Client, store: str, path: str, query: dict[str, Any], tag: str, expected: list[str]
) -> None:
    assert _uids(client.call("GET", f"{store}/dicomWeb/{path}", **query), tag) == expected


def test_an_answer_holds_the_documented_attributes(client: Client, store: str) -> None:
    (study,) = client.call("GET", f"{store}/dicomWeb/studies", StudyInstanceUID="1.1")
    assert study["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}
    assert study["00080056"] == {"vr": "CS", "Value": ["ONLINE"]}
    assert not {"00081030", "00080060", "7FE00010"} & study.keys()
    (found, *_) = client.call("GET", f"{store}/dicomWeb/studies/1.1/series/1.1.0/instances")
    assert {"00080016", "00280010", "00280100"} <= found.keys()
    assert "00100010" not in found  # the path has named the study already
    (relational, *_) = client.call("GET", f"{store}/dicomWeb/instances", limit=1)
    assert "00100010" in relational


def test_more_attributes_come_when_asked_for(client: Client, store: str) -> None:
    fields: dict[str, Any] = {"includefield": "StudyDescription,00201208,NumberOfStudyRelatedSeries,ModalitiesInStudy"}
    (study,) = client.call("GET", f"{store}/dicomWeb/studies", StudyInstanceUID="1.1", **fields)
    assert study["00081030"]["Value"] == ["Head"]
    assert (study["00201206"]["Value"], study["00201208"]["Value"]) == ([2], [4])
    assert study["00080061"]["Value"] == ["CT", "MR"]
    (series, *_) = client.call("GET", f"{store}/dicomWeb/series", includefield="NumberOfSeriesRelatedInstances")
    assert series["00201209"]["Value"] == [2]
    (everything, *_) = client.call("GET", f"{store}/dicomWeb/instances", includefield="all", limit=1)
    assert everything["00100030"]["Value"] == ["19700102"]
    assert "/bulkdata/7FE00010" in everything["7FE00010"]["BulkDataURI"]
    (most,) = client.call("GET", f"{store}/dicomWeb/studies", StudyInstanceUID="1.1", includefield="all")
    assert most["00081030"]["Value"] == ["Head"]
    assert "00280010" not in most


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("studies", {"SOPClassUID": "1"}),
        ("studies", {"AvailableTransferSyntaxUID": "1"}),
        ("studies", {"Modality": "CT"}),
        ("series", {"SOPInstanceUID": "1"}),
        ("studies", {"includefield": "NoSuchKeyword"}),
        ("studies", {"StudyDate": "2020"}),
        ("studies", {"StudyDate": "-"}),
        ("studies", {"limit": "5001"}),
        ("studies", {"limit": "-1"}),
        ("studies", {"offset": "1000001"}),
        ("studies", {"fuzzymatching": "maybe"}),
        ("studies/not-a-uid/series", {}),
    ],
)
def test_what_is_not_supported_is_refused(client: Client, store: str, path: str, query: dict[str, Any]) -> None:
    client.error("GET", f"{store}/dicomWeb/{path}", status=400, **query)


def test_the_refusal_has_googles_words(client: Client, store: str) -> None:
    message = client.error("GET", f"{store}/dicomWeb/studies", status=400, SOPClassUID="1")
    assert message == "unknown/unsupported QIDO attribute: SOPClassUID"


def test_dicomweb_client_searches(client: Client, store: str) -> None:
    web = DICOMwebClient(f"{client.url}/v1/{store}/dicomWeb")
    assert _uids(web.search_for_studies(search_filters={"PatientID": "A"})) == ["1.1", "1.3"]
    assert len(web.search_for_instances("1.1", fields=["StudyDescription"])) == 4
    assert web.search_for_series("1.1", search_filters={"Modality": "US"}) == []


def test_only_json_is_answered(client: Client, store: str) -> None:
    answer = client.http.get(f"/v1/{store}/dicomWeb/studies", headers={"accept": "application/dicom+xml"})
    assert answer.status_code == 406
