"""Redaction of pixels within the de-identification of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_healthcare_deid.config import CustomRegex, DeidentifyConfig, DicomConfig, ImageConfig, TextRedactionMode
from airflow_healthcare_deid.engine import image
from airflow_healthcare_deid.engine.dicom import DicomDeidentifier
from airflow_healthcare_deid.engine.errors import MissingPartError, UndecodableError
from airflow_healthcare_deid.engine.keys import KeyRing
from tests.engine.dicom.files import BASIC, deidentifier, read, usable_files

if TYPE_CHECKING:
    from pydicom import Dataset

    from airflow_healthcare_deid.engine.text import RecordIdentifiers

ALL_TEXT = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT)
CT = usable_files()["CT_small.dcm"]
SR = usable_files()["test-SR.dcm"]


def with_image(config: ImageConfig, dicom: DicomConfig = BASIC) -> DicomDeidentifier:
    return DicomDeidentifier(DeidentifyConfig(dicom=dicom, image=config), KeyRing())


def stand_in(monkeypatch: pytest.MonkeyPatch, *, covers: bool) -> list[RecordIdentifiers]:
    """Put a painter in place that covers all of an image, or nothing; return whom it was called for."""
    called: list[RecordIdentifiers] = []

    def redact_image(
        dataset: Dataset, config: ImageConfig, text: object, record: RecordIdentifiers, observer: object
    ) -> list[image.Box]:
        called.append(record)
        if covers:
            dataset.PixelData = bytes(len(dataset.PixelData))
        return [image.Box(0, 0, 0, 1, 1, None)] if covers else []

    monkeypatch.setattr(image, "redact_image", redact_image)
    return called


def test_pixels_are_covered_before_the_tags_are_treated(monkeypatch: pytest.MonkeyPatch) -> None:
    called = stand_in(monkeypatch, covers=True)
    result = with_image(ALL_TEXT).deidentify(CT)
    out, plain = read(result.data), read(deidentifier(BASIC).deidentify(CT).data)
    assert not any(out.PixelData)
    out.PixelData = plain.PixelData
    assert out == plain
    assert called[0].names == ("CompressedSamples^CT1",)
    assert called[0].ids == ("1CT1", "ABCD1234", "1234ABCD")  # PatientID and OtherPatientIDsSequence


def test_an_instance_in_which_nothing_is_covered_is_not_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    called = stand_in(monkeypatch, covers=False)
    assert with_image(ALL_TEXT).deidentify(CT) == deidentifier(BASIC).deidentify(CT)
    assert len(called) == 1


@pytest.mark.parametrize(
    "config", [ImageConfig(), ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_NO_TEXT), None]
)
def test_nothing_is_looked_at_when_nothing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, config: ImageConfig | None
) -> None:
    called = stand_in(monkeypatch, covers=True)
    DicomDeidentifier(DeidentifyConfig(dicom=BASIC, image=config), KeyRing()).deidentify(CT)
    assert called == []


def test_an_instance_without_pixels_does_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    called = stand_in(monkeypatch, covers=True)
    assert with_image(ALL_TEXT).deidentify(SR) == deidentifier(BASIC).deidentify(SR)
    assert called == []


def test_custom_patterns_alone_ask_for_redaction(monkeypatch: pytest.MonkeyPatch) -> None:
    called = stand_in(monkeypatch, covers=False)
    with_image(ImageConfig(custom_regexes=[CustomRegex(pattern=r"\d+")])).deidentify(CT)
    assert len(called) == 1


def test_what_goes_wrong_is_told_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("bad value 'Doe^Jane'")

    monkeypatch.setattr(image, "redact_image", fail)
    with pytest.raises(UndecodableError) as caught:
        with_image(ALL_TEXT).deidentify(CT)
    assert "Doe" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_part_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MissingPartError("image")

    monkeypatch.setattr(image, "redact_image", fail)
    with pytest.raises(MissingPartError):
        with_image(ALL_TEXT).deidentify(CT)


def test_text_burnt_into_a_real_image_is_covered() -> None:
    pytest.importorskip("rapidocr")
    data = usable_files()["examples_palette.dcm"]
    heard: list[object] = []
    result = with_image(ALL_TEXT, DicomConfig()).deidentify(data, heard.append)
    before, after = read(data), read(result.data)
    assert after.PixelData != before.PixelData
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert after.PatientName == before.PatientName
    assert len(heard) > 3
