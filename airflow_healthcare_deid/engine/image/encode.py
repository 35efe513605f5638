"""Encodes one frame again, in the syntax it came in."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from airflow_healthcare_deid.engine.image.boxes import Box

_LOSSLESS = {"rle": "1.2.840.10008.1.2.5", "jpeg_ls": "1.2.840.10008.1.2.4.80", "jpeg_2000": "1.2.840.10008.1.2.4.90"}
_PLUGINS = {"rle": "pydicom", "jpeg_ls": "pyjpegls", "jpeg_2000": "pylibjpeg"}
_PROPERTIES = ("rows", "columns", "samples_per_pixel", "bits_allocated", "bits_stored", "pixel_representation")


def encode_lossless(family: str, frame: NDArray[Any], properties: dict[str, Any], photometric: str) -> bytes:
    """Return a frame as RLE, JPEG-LS or JPEG 2000 code, from which the same pixels come back.

    :param family: ``rle``, ``jpeg_ls`` or ``jpeg_2000``.
    :param frame: the decoded pixels.
    :param properties: what the decoder said of them.
    :param photometric: the photometric interpretation of the result.
    """
    from pydicom.pixels.encoders.base import get_encoder

    options = {name: properties[name] for name in _PROPERTIES}
    if family == "jpeg_2000":
        options["use_mct"] = photometric == "YBR_RCT"
    encoder = get_encoder(_LOSSLESS[family])
    return bytes(
        encoder.encode(
            frame,
            encoding_plugin=_PLUGINS[family],
            photometric_interpretation=photometric,
            planar_configuration=0,
            number_of_frames=1,
            **options,
        )
    )


def cover_jpeg(code: bytes, boxes: Iterable[Box], photometric: str) -> bytes:
    """Return a frame in JPEG Baseline with boxes painted black.

    The samples are painted without a change of color space and written with the same quantization and subsampling:
    with boxes that fill whole blocks (`jpeg_grid`), the blocks outside come out all but unchanged.

    :raises ValueError: when the code is not what it should be.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(code), formats=["JPEG"]) as image:
            keep_rgb = image.info.get("adobe_transform") == 0
            if photometric == "RGB" and not image.info.keys() & {"adobe_transform", "jfif"}:
                raise ValueError("nothing in the code says that its samples are red, green and blue")
            if image.mode == "RGB" and not keep_rgb:
                image.draft("YCbCr", image.size)
            black: Any = {"L": 0, "RGB": (0, 0, 0), "YCbCr": (0, 128, 128)}[image.mode]
            for box in boxes:
                image.paste(black, (box.left, box.top, box.right, box.bottom))
            written = io.BytesIO()
            image.save(written, "JPEG", quality="keep", subsampling="keep", qtables="keep", keep_rgb=keep_rgb)
    except (OSError, KeyError):
        raise ValueError("not a JPEG frame that can be encoded again") from None
    return written.getvalue()


def jpeg_grid(properties: dict[str, Any]) -> int:
    """Return the side of the blocks in pixels that JPEG Baseline codes as a whole, at most."""
    return 8 if properties["samples_per_pixel"] == 1 else 16
