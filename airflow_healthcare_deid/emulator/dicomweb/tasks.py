"""What the worker processes do for DICOMweb: everything that opens a DICOM file."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from pydicom.encaps import get_frame
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from airflow_healthcare_deid.emulator.dicomweb.json_model import NUMERIC, to_json
from airflow_healthcare_deid.emulator.dicomweb.part10 import NotStorableError, read, read_record
from airflow_healthcare_deid.emulator.dicomweb.reader import DEFAULT_SYNTAX, Frame, Unservable

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from airflow_healthcare_deid.emulator.instances import InstanceRecord

# PS3.18 table 8.7.3-5: what a frame is called in each family of transfer syntaxes.
_FRAME_TYPES = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}


def index(path: Path) -> InstanceRecord | str:
    """Return what the index keeps of a file, or why it can't be stored."""
    try:
        return read_record(path)
    except NotStorableError as error:
        return str(error)


def metadata(path: Path, bulk: str, tags: frozenset[str] | None = None) -> bytes:
    """Return the JSON model of an instance as JSON text, without its bulk data."""
    return json.dumps(to_json(read(path, pixels=tags is None), bulk, tags), allow_nan=False).encode()


def transcode(source: Path, target: Path) -> Unservable | None:
    """Write an instance anew in Explicit VR Little Endian."""
    dataset = read(source, pixels=True)
    try:
        if dataset.file_meta.TransferSyntaxUID.is_compressed and "PixelData" in dataset:
            dataset.decompress(generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(target, implicit_vr=False, little_endian=True, enforce_file_format=False)
    except Exception:  # noqa: BLE001  (codecs raise anything)
        return Unservable("The instance can't be transcoded to Explicit VR Little Endian; ask for transfer-syntax=*.")
    return None


def frame(path: Path, number: int, stored: bool) -> Frame | Unservable:
    """Return a frame, as stored or in native Little Endian.

    :param number: counted from 1.
    """
    dataset = read(path, pixels=True)
    frames = int(dataset.get("NumberOfFrames") or 1)
    if "PixelData" not in dataset or not 1 <= number <= frames:
        return Unservable("There is no such frame.", found=False)
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        if syntax.is_encapsulated and stored:
            data = get_frame(dataset.PixelData, number - 1, number_of_frames=frames)
            return Frame(data, _FRAME_TYPES.get(syntax, "application/octet-stream"), str(syntax))
        if syntax == ExplicitVRBigEndian:
            array, _ = get_decoder(syntax).as_array(dataset, index=number - 1, raw=True)
            data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        else:
            buffer, _ = get_decoder(syntax).as_buffer(dataset, index=number - 1)
            data = bytes(buffer)
    except Exception:  # noqa: BLE001
        return Unservable("The frame can't be decoded; ask for transfer-syntax=*.")
    return Frame(data, "application/octet-stream", DEFAULT_SYNTAX)


def render(path: Path, number: int, image_format: str) -> bytes | Unservable:
    """Return a frame as a picture for the eye.

    :param number: counted from 1.
    :param image_format: ``JPEG`` or ``PNG``.
    """
    dataset = read(path, pixels=True)
    if "PixelData" not in dataset or not 1 <= number <= int(dataset.get("NumberOfFrames") or 1):
        return Unservable("There is no such frame.", found=False)
    try:
        from PIL import Image
    except ImportError:
        return Unservable("Rendering needs: pip install 'airflow-healthcare-deid[image]'.")
    try:
        pixels = pixel_array(dataset, index=number - 1)
        if pixels.ndim == 2:
            pixels = _to_grey(dataset, pixels)
        picture = io.BytesIO()
        Image.fromarray(pixels.astype("uint8")).save(picture, image_format)
    except Exception:  # noqa: BLE001
        return Unservable("The frame can't be rendered.")
    return picture.getvalue()


def bulk_data(path: Path, where: tuple[str, ...]) -> bytes | Unservable:
    """Return the value of an attribute as it stands in the file.

    :param where: tag, then item number and tag for each sequence on the way down.
    """
    dataset: Dataset = read(path, pixels=True)
    tag = int(where[-1], 16)
    try:
        for sequence, item in zip(where[:-1:2], where[1::2], strict=True):
            dataset = dataset[int(sequence, 16)].value[int(item) - 1]
        element = dataset[tag]
        if element.VR in NUMERIC:
            return _binary(element)
        value = element.value
    except Exception:  # noqa: BLE001
        return Unservable("There is no such bulk data.", found=False)
    return bytes(value) if isinstance(value, bytes | bytearray) else Unservable("This is no bulk data.", found=False)


def _binary(element: DataElement) -> bytes:
    """Encode the values of a numeric attribute, little endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_data_element(buffer, element)
    return buffer.getvalue()[8:]


def _to_grey(dataset: Dataset, pixels: Any) -> Any:
    values = apply_voi_lut(apply_modality_lut(pixels, dataset), dataset).astype("float64")
    low, high = values.min(), values.max()
    grey = (values - low) * (255.0 / (high - low)) if high > low else values * 0
    return 255 - grey if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else grey
