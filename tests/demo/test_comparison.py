from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset

from demo import comparison


def instance(pixels: bytes = b"\1\2", **tags: object) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = pixels
    return dataset


SOURCE = instance(
    PatientName="Lestrade^Inspector", PatientID="0815-4711", InstitutionName="St. Bart's", Manufacturer="Acme"
)


def test_an_identifier_is_found_at_any_depth_and_in_any_case() -> None:
    inner = Dataset()
    inner.TextValue = "seen by LESTRADE today"
    leaking = instance(ContentSequence=[inner])
    assert comparison.leaks(comparison.identifiers([SOURCE]), [leaking]) == {"TextValue": 1}


def test_a_part_of_another_word_is_no_identifier() -> None:
    harmless = instance(StudyDescription="x0815-47112")
    assert not comparison.leaks(comparison.identifiers([SOURCE]), [harmless])


def test_neither_a_manufacturer_nor_a_word_of_the_standard_identifies_anybody() -> None:
    source = instance(InstitutionName="Siemens", Manufacturer="Siemens", PatientName="Observer^Verifying")
    assert comparison.identifiers([source]) == set()


def test_the_showcase_is_recognized_by_its_pixels() -> None:
    plain, rich = instance(b"\1\2"), instance(b"\3\4", PatientName="A", PatientID="B")
    became = [instance(b"\3\4", PatientID="C"), instance(b"\1\2")]
    assert comparison.showcase([plain, rich], became) == (rich, became[0])


def test_without_common_pixels_there_is_no_showcase() -> None:
    with pytest.raises(LookupError, match="pixels"):
        comparison.showcase([instance(b"\1\2")], [instance(b"\3\4")])


def test_rows_say_what_is_absent_and_what_is_empty() -> None:
    rows = {keyword: (before, after) for keyword, before, after in comparison.rows(SOURCE, instance(PatientName=""))}
    assert rows["PatientName"] == ("Lestrade^Inspector", "(empty)")
    assert rows["PatientID"] == ("0815-4711", "(absent)")
    assert rows["PixelData"][0] == rows["PixelData"][1]
