"""Real OCR on real images: after redaction it finds none of the text. Each look costs some tenths of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from airflow_healthcare_deid.config import ImageConfig, TextRedactionMode
from airflow_healthcare_deid.engine.image import redact_image
from airflow_healthcare_deid.engine.image.ocr import read_text
from airflow_healthcare_deid.engine.image.render import views
from airflow_healthcare_deid.engine.text import RecordIdentifiers
from tests.engine.image.conftest import drawn, instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from airflow_healthcare_deid.engine.image.ocr import RapidOcr
    from airflow_healthcare_deid.engine.text import TextDeidentifier

ALL = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT)
SENSITIVE = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_SENSITIVE_TEXT)


def _sample(name: str) -> pydicom.Dataset:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return pydicom.dcmread(path)


def _shown(dataset: pydicom.Dataset) -> NDArray[np.uint8]:
    pixels = dataset.pixel_array
    return views(pixels, str(dataset.PhotometricInterpretation).replace("YBR_RCT", "RGB"), dataset)[0]


def _ct(texts: dict[tuple[int, int], str]) -> tuple[pydicom.Dataset, NDArray[Any]]:
    """Return a CT slice enlarged to 512 pixels a side, with text drawn in its brightest value."""
    tissue = np.kron(_sample("CT_small.dcm").pixel_array, np.ones((4, 4), np.int16))
    pixels = drawn(tissue, texts, 4095)
    dataset = instance(np.zeros((64, 96), np.int16))
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()
    return dataset, pixels


def test_all_text_on_a_ct(text: TextDeidentifier, ocr: RapidOcr) -> None:
    texts = {(20, 20): "DOE^JANE MARY", (300, 20): "MRN 4471-2298", (20, 480): "General Hospital 12.03.1947"}
    dataset, before = _ct(texts)
    boxes = redact_image(dataset, ALL, text, None, engine=ocr)
    after = dataset.pixel_array
    ink = before == 4095
    assert not np.any(after[ink] == 4095)
    outside = np.ones(before.shape, bool)
    for box in boxes:
        outside[box.top : box.bottom, box.left : box.right] = False
    np.testing.assert_array_equal(after[outside], before[outside])
    assert outside.mean() > 0.9


def test_sensitive_text_on_a_ct(text: TextDeidentifier, ocr: RapidOcr, read_words: Callable[..., str]) -> None:
    dataset, _ = _ct({(20, 20): "DOE^JANE MARY", (300, 20): "ID 4471-2298", (20, 480): "Thorax kV 120 12.03.1947"})
    record = RecordIdentifiers.of(names=["Doe^Jane^Mary"], ids=["44712298"], dates=["19470312"])
    redact_image(dataset, SENSITIVE, text, record, engine=ocr)
    words = read_words(views(dataset.pixel_array, "MONOCHROME2", dataset)[0])
    assert not any(secret in words.upper() for secret in ("DOE", "JANE", "MARY", "4471", "2298", "1947"))
    assert "Thorax" in words


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_sensitive_text_in_an_image_that_was_turned(
    quarters: int, text: TextDeidentifier, ocr: RapidOcr, read_words: Callable[..., str]
) -> None:
    upright = drawn(np.full((160, 200), 40, np.uint8), {(20, 20): "ID 4471-2298", (20, 60): "SUPINE"}, 250)
    dataset = instance(np.zeros((64, 96), np.uint8))
    pixels = np.rot90(upright, quarters)
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()
    record = RecordIdentifiers.of(ids=["44712298"])
    boxes = redact_image(dataset, SENSITIVE, text, record, engine=ocr)
    assert read_words(np.rot90(dataset.pixel_array, -quarters)) in ("SUPINE", "ID | SUPINE")
    assert boxes[0].info_type == "MEDICAL_RECORD_NUMBER"


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("examples_palette.dcm", ("11-05-25", "142825", "2011", "Philips", "Gen OB")),
        ("examples_jpeg2k.dcm", ("BAPTIST", "LYMPH", "2:09:04")),
    ],
)
def test_real_instances(
    name: str, gone: tuple[str, ...], text: TextDeidentifier, ocr: RapidOcr, read_words: Callable[..., str]
) -> None:
    dataset = _sample(name)
    syntax = dataset.file_meta.TransferSyntaxUID
    before = read_words(_shown(dataset))
    assert all(word in before for word in gone)
    redact_image(dataset, ALL, text, None, engine=ocr)
    after = read_words(_shown(dataset))
    assert not any(word in after for word in gone)
    assert dataset.file_meta.TransferSyntaxUID == syntax


def test_text_in_an_image_larger_than_ocr_takes_is_found(ocr: RapidOcr) -> None:
    pixels = drawn(np.full((500, 1300), 40, np.uint8), {(900, 400): "DOE^JANE 4471-2298"}, 250)
    lines = read_text(np.repeat(pixels[:, :, None], 3, axis=2), ocr)
    found = next(one for one in lines if one.text.replace(" ", "") == "DOE^JANE4471-2298")
    assert 890 < found.area.left < 910
    assert 390 < found.area.top < 415
