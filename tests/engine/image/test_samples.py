"""pydicom's own files: each is covered and stays readable, or fails in the one way that is allowed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pydicom.data
import pytest
from pydicom.uid import UID, ExplicitVRLittleEndian

from airflow_healthcare_deid.config import ImageConfig, TextRedactionMode
from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.image import redact_image
from tests.engine.image.conftest import line, reread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airflow_healthcare_deid.engine.image.ocr import TextLine
    from airflow_healthcare_deid.engine.text import TextDeidentifier

FOLDER = Path(pydicom.data.__file__).parent / "test_files"
REFUSED = {
    "JPEG-lossy.dcm": "12 bits, JPEG Extended",
    "JPGExtended.dcm": "12 bits, JPEG Extended",
    "JPEG2000-embedded-sequence-delimiter.dcm": "broken on purpose",
    "MR_truncated.dcm": "broken on purpose",
    "badVR.dcm": "broken on purpose",
    "meta_missing_tsyntax.dcm": "no transfer syntax",
    "nested_priv_SQ.dcm": "no rows and columns",
}
UNWRITABLE = {"SC_rgb_jpeg.dcm": "pydicom cannot write its ImageType"}
CHANGED = {
    "SC_jpeg_no_color_transform.dcm": "nothing tells its colors",
    "SC_rgb_jpeg.dcm": "nothing tells its colors",
    "SC_rgb_jpeg_gdcm.dcm": "JPEG Lossless",
    "SC_rgb_rle_32bit.dcm": "32 bits",
    "SC_rgb_rle_32bit_2frame.dcm": "32 bits",
    "rtdose_rle.dcm": "32 bits",
    "rtdose_rle_1frame.dcm": "32 bits",
}


class MiddleOcr:
    """Reads a word in the middle of everything."""

    def read(self, image: NDArray[np.uint8]) -> list[TextLine]:
        rows, columns = image.shape[:2]
        return [line("TEXT", columns * 0.3, rows * 0.3, columns * 0.3, max(2, rows * 0.2))]


def _load(name: str) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(FOLDER / name)


def _has_pixels(path: Path) -> bool:
    try:
        return "PixelData" in _load(path.name)
    except (pydicom.errors.InvalidDicomError, OSError):
        return False


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.dcm") if _has_pixels(path)))
def test_sample(name: str, text: TextDeidentifier) -> None:
    dataset = _load(name)
    syntax: UID = dataset.file_meta.get("TransferSyntaxUID")
    config = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT)
    if name in REFUSED:
        with pytest.raises(UndecodableError):
            redact_image(dataset, config, text, None, engine=MiddleOcr())
        return
    boxes = redact_image(dataset, config, text, None, engine=MiddleOcr())
    assert boxes
    assert dataset.file_meta.TransferSyntaxUID == (ExplicitVRLittleEndian if name in CHANGED else syntax)
    if name in UNWRITABLE:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels = reread(dataset).pixel_array
    assert pixels.size
