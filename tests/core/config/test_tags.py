from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

from airflow_healthcare_deid.config.tags import check_tag, parse_tag, parse_tag_pattern, tag_keyword
from airflow_healthcare_deid.errors import ConfigError
from scripts.make_keywords import KEYWORDS, lines

KEYWORDS_BY_TAG = {tag: entry[4] for tag, entry in DicomDictionary.items() if entry[4]}


def test_the_dictionary_is_that_of_pydicom() -> None:
    # If this fails, run: python -m scripts.make_keywords
    assert KEYWORDS.read_text("ascii").splitlines() == lines()


def test_every_keyword_of_pydicom_is_read_and_written() -> None:
    assert {tag: parse_tag(keyword) for tag, keyword in KEYWORDS_BY_TAG.items()} == {
        tag: tag for tag in KEYWORDS_BY_TAG
    }
    assert {tag: tag_keyword(tag) for tag in KEYWORDS_BY_TAG} == KEYWORDS_BY_TAG


@pytest.mark.parametrize(("mask", "keyword"), [(mask, entry[4]) for mask, entry in RepeatersDictionary.items()])
def test_a_keyword_of_a_repeating_group_stands_for_its_family(mask: str, keyword: str) -> None:
    family = parse_tag_pattern(keyword)
    first, other = (int(mask.replace("x", digit), 16) for digit in "02")
    assert parse_tag(keyword) == first
    assert family.matches(first)
    assert family.matches(other)
    assert not family.matches(other ^ 0x80000000)
    assert tag_keyword(other) == keyword


@given(st.integers(0, 0xFFFFFFFF))
def test_a_tag_is_read_in_all_its_forms(tag: int) -> None:
    group, element = f"{tag:08x}"[:4], f"{tag:08X}"[4:]
    for text in (f"{tag:08X}", f"{group},{element}", f"({group},{element})", f"({group}, {element})"):
        assert parse_tag(text) == tag
        assert parse_tag_pattern(text).matches(tag)


@given(st.integers(0, 0xFFFFFFFF))
def test_the_keyword_of_a_tag_leads_back_to_it(tag: int) -> None:
    assert parse_tag_pattern(tag_keyword(tag)).matches(tag)


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("PatientNam", "Did you mean PatientName?"),
        ("patientid", "Did you mean PatientID?"),
        ("Patient ID", "Did you mean PatientID?"),
        ("0010", "Use a keyword such as PatientID, or a tag such as 00100020"),
        ("(0010,0010", "Use a keyword such as PatientID, or a tag such as 00100020"),
        ("0010001G", "Use a keyword such as PatientID, or a tag such as 00100020"),
        ("", "Use a keyword such as PatientID, or a tag such as 00100020"),
    ],
)
def test_what_is_no_tag_is_refused_with_a_way_out(text: str, way_out: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_tag(text, "dicom.keepList.tags[3]")
    assert caught.value.path == "dicom.keepList.tags[3]"
    assert caught.value.way_out == way_out


@pytest.mark.parametrize("text", ["00020010", "00041130", "00100010", "00180061", "60021500", "00091001", "00100000"])
def test_data_file_meta_directory_and_private_elements_may_be_filtered(text: str) -> None:
    assert check_tag(text) == int(text, 16)


@pytest.mark.parametrize("text", ["00000900", "AffectedSOPClassUID", "Item", "FFFEE00D", "00100011"])
def test_what_is_no_element_of_a_data_set_may_not(text: str) -> None:
    with pytest.raises(ConfigError):
        check_tag(text)


@given(st.text())
def test_any_text_is_a_tag_or_a_config_error(text: str) -> None:
    with suppress(ConfigError):
        assert 0 <= check_tag(text) <= 0xFFFFFFFF
