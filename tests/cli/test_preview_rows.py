"""What the tables of fields say is true of the output, whatever the input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.cli.preview.dicom import preview_dicom
from airflow_healthcare_deid.cli.preview.fhir import preview_fhir
from airflow_healthcare_deid.cli.preview.rows import MAX_ROWS, Fate, Row, Values, listed
from airflow_healthcare_deid.config import load_config
from airflow_healthcare_deid.config.tags import tag_keyword
from airflow_healthcare_deid.engine.fhir import FhirDeidentifier
from airflow_healthcare_deid.engine.keys import KeyRing
from demo.fhir_samples import make_samples
from tests.engine.dicom.files import (
    BASIC,
    CONTENTS,
    deidentifier,
    element,
    part10,
    read,
    usable_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from airflow_healthcare_deid.config import DicomConfig

SHOW = Values(hide=False)


def paths(dataset: Dataset, where: str = "") -> Iterator[str]:
    """Yield where the elements are that are neither a sequence nor the length of a group."""
    for tag in dataset.keys():  # noqa: SIM118  (a Dataset iterates over elements)
        path = where + tag_keyword(int(tag))
        if not tag & 0xFFFF:
            continue
        if dataset[tag].VR == "SQ":
            for index, one in enumerate(dataset[tag].value):
                yield from paths(one, f"{path}[{index}].")
        else:
            yield path


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom warns of much that is in its own files
@pytest.mark.parametrize("config", [BASIC, CONTENTS])
def test_every_element_of_a_dicom_file_has_its_row(config: DicomConfig) -> None:
    deid = deidentifier(config)
    for name, data in usable_files().items():
        preview = preview_dicom(name, data, deid, Values(hide=True))
        output = read(deid.deidentify(data).data)
        there = {row.path for row in preview.rows if row.fate not in (Fate.REMOVED, Fate.COVERED)}
        assert there >= {*paths(output), *paths(output.file_meta)} or preview.unlisted, name
        unexplained = {row.path for row in preview.treated if not row.rule}
        assert unexplained <= {"ImplementationClassUID", "ImplementationVersionName"}, name


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and value:
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list) and value:
        for one in value:
            yield from leaves(one)
    elif value is not None:
        yield value


@pytest.mark.parametrize(
    "fhir",
    [
        {},
        {"defaultKeepExtensions": True},
        {"fieldMetadataList": [{"action": "TRANSFORM", "paths": ["Patient.name", "String", "Patient.id"]}]},
        {"fieldMetadataList": [{"action": "DO_NOT_TRANSFORM", "paths": ["Patient.name"]}]},
    ],
)
def test_the_rows_of_a_resource_are_its_output(fhir: dict[str, Any]) -> None:
    config = load_config({"fhir": fhir})
    for sample in make_samples(2):
        bundle = sample.bundle()
        deid = FhirDeidentifier(config, KeyRing(b"0123456789abcdef"))
        output = deid.deidentify(bundle)
        preview = preview_fhir("x", json.dumps(bundle).encode(), deid, "R4", SHOW)
        left = sorted(str(row.after) for row in preview.rows if row.after is not None)
        assert left == sorted(str(SHOW.show(leaf)) for leaf in leaves(output))
        before = sorted(str(row.before) for row in preview.rows if row.before is not None)
        assert before == sorted(str(SHOW.show(leaf)) for leaf in leaves(bundle))


def test_what_is_found_in_text_is_named() -> None:
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "for Dr. Jane Miller, 2020-02-03"}}
    deid = FhirDeidentifier(load_config({"fhir": {}}), KeyRing())
    rows = preview_fhir("x", json.dumps(resource).encode(), deid, "R4", SHOW).treated
    assert [(row.path, set(row.info_types)) for row in rows] == [("Observation.code.text", {"PERSON_NAME", "DATE"})]


def test_a_value_that_breaks_its_vr_is_listed() -> None:
    data = part10(element(0x00280010, "US", b"\1\2\3"))
    rows = preview_dicom("x", data, deidentifier(), SHOW).rows
    assert next(row for row in rows if row.path == "Rows").before == "a value that breaks its VR"


def test_bytes_that_can_be_read_are_shown() -> None:
    data = part10(
        element(0x00091001, "UN", b"Doe^Jane")
        + element(0x00091002, "OB", b"\1\2")
        + element(0x00100010, "PN", b"Doe^Jane")
    )
    rows = {row.path: row for row in preview_dicom("x", data, deidentifier(), SHOW).rows}
    assert rows["00091001"].after == "Doe^Jane"
    assert rows["00091001"].repeats
    assert rows["00091002"].after == "2 bytes"


def test_the_least_telling_rows_are_left_out_first() -> None:
    kept = [Row(f"K{number}", Fate.KEPT) for number in range(MAX_ROWS)]
    rows, counts = listed([*kept, Row("R", Fate.REMOVED), Row("I", Fate.KEPT, repeats=True)])
    assert len(rows) == MAX_ROWS
    assert [row.path for row in rows[-2:]] == ["R", "I"]
    assert counts[Fate.KEPT] == MAX_ROWS + 1


@pytest.mark.parametrize(
    ("value", "shown", "hidden"),
    [
        (None, None, None),
        ("", "empty", "empty"),
        ("Jane", "Jane", "text, 4 characters"),
        ("J", "J", "text, 1 character"),
        (True, "true", "true or false"),
        (12.5, "12.5", "number"),
        ("x" * 500, "x" * 400 + "… (500 characters)", "text, 500 characters"),
    ],
)
def test_how_values_are_shown(value: object, shown: str | None, hidden: str | None) -> None:
    assert Values(hide=False).show(value) == shown
    assert Values(hide=True).show(value) == hidden
