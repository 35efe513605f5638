"""Thumbnails: the first frame before and after in one window, with what was covered outlined."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import pytest

from airflow_healthcare_deid.cli.preview import images
from airflow_healthcare_deid.cli.preview.images import ImageError, Picture, picture
from airflow_healthcare_deid.config import DeidentifyConfig, ImageConfig, TextRedactionMode
from airflow_healthcare_deid.engine.image import redact_image
from airflow_healthcare_deid.engine.image.boxes import Area
from airflow_healthcare_deid.engine.image.ocr import TextLine
from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.text import TextDeidentifier

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")

if TYPE_CHECKING:
    from pydicom import Dataset

    from airflow_healthcare_deid.engine.changes import Change

YELLOW = (255, 212, 0)


def instance(pixels: Any, photometric: str = "MONOCHROME2", **more: object) -> Dataset:
    """Return an uncompressed instance with these pixels."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    bits = pixels.dtype.itemsize * 8
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def decoded(address: str) -> Any:
    """Return the pixels of a ``data:`` address."""
    kind, _, data = address.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def ramp(rows: int = 40, columns: int = 60) -> Any:
    return np.tile(np.linspace(0, 4000, columns).astype(np.uint16), (rows, 1))


def test_both_sides_are_drawn_in_the_window_of_the_source() -> None:
    before = ramp()
    after = before.copy()
    after[:, 50:] = 0
    source = instance(before, WindowCenter="1000", WindowWidth="1000", RescaleSlope="2", RescaleIntercept="-1000")
    found = picture(source, instance(after), [])
    assert (found.width, found.height, found.size, found.frames, found.boxes) == (60, 40, "60 by 40", 1, 0)
    first, second = decoded(found.before), decoded(found.after)
    assert (first[:, :50] == second[:, :50]).all()
    # Stored values from 750 to 1250 fill the window.
    assert first[0, 10, 0] == 0
    assert first[0, 20, 0] == 255
    assert second[0, 55, 0] == 0


def test_what_was_covered_is_outlined_on_both_sides() -> None:
    found = picture(instance(ramp()), instance(ramp()), [(10, 10, 30, 20)])
    assert found.boxes == 1
    for address in (found.before, found.after):
        pixels = decoded(address)
        assert tuple(pixels[8, 20]) == YELLOW
        assert tuple(pixels[15, 20]) != YELLOW


def test_large_frames_are_drawn_small_and_many_are_counted() -> None:
    source = instance(np.zeros((600, 1200), np.uint8))
    source.NumberOfFrames = 2
    source.PixelData = source.PixelData * 2
    found = picture(source, source, [])
    assert (found.width, found.height, found.size, found.frames) == (480, 240, "1200 by 600", 2)


@pytest.mark.parametrize(("photometric", "value"), [("MONOCHROME1", 255), ("MONOCHROME2", 0)])
def test_inverted_images_are_drawn_as_they_are_meant(photometric: str, value: int) -> None:
    found = picture(instance(ramp(), photometric), instance(ramp(), photometric), [])
    assert decoded(found.before)[0, 0, 0] == value


def test_color_is_drawn_in_color() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[:, :, 0] = 200
    found = picture(instance(red, "RGB"), instance(red, "RGB"), [])
    assert tuple(decoded(found.before)[0, 0]) == (200, 0, 0)


def test_pixels_that_cannot_be_drawn_are_told_of_without_a_value() -> None:
    source = instance(ramp())
    source.Rows = 4000
    with pytest.raises(ImageError, match=r"frame 0 cannot|cannot be shown"):
        picture(source, source, [])


def test_without_the_image_part_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "has_image_extra", lambda: False)
    with pytest.raises(ImageError, match=r"airflow-healthcare-deid\[image\]"):
        picture(instance(ramp()), instance(ramp()), [])


class _OneLine:
    """Reads one line, as long as it is not covered."""

    def read(self, image: Any) -> list[TextLine]:
        # Small frames come at twice their size.
        if int(image[30, 50, 0]) < 5:
            return []
        columns = tuple((20.0 + 10 * index, 30.0 + 10 * index) for index in range(8))
        return [TextLine("DOE JANE", 0.9, Area(20, 20, 100, 40), columns)]


def test_a_cover_is_told_with_its_box() -> None:
    config = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT)
    heard: list[Change] = []
    dataset = instance(np.full((100, 100), 200, np.uint8))
    text = TextDeidentifier(DeidentifyConfig().text, KeyRing(), detect=False)
    boxes = redact_image(dataset, config, text, None, heard.append, engine=_OneLine())
    assert [(box.left, box.top, box.right, box.bottom) for box in boxes] == [change.box for change in heard]
    found = picture(instance(np.full((100, 100), 200, np.uint8)), dataset, [c.box for c in heard if c.box])
    assert isinstance(found, Picture)
    assert found.boxes == 1
