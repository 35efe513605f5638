from __future__ import annotations

import io

import pydicom
import pytest

from demo.samples import UIDS, samples

# Some of the files break a rule of the standard on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def test_every_sample_is_an_instance_of_its_own() -> None:
    found = [pydicom.dcmread(io.BytesIO(sample.data), stop_before_pixels=True) for sample in samples()]
    assert len(found) >= 145
    assert len({instance.SOPInstanceUID for instance in found}) == len(found)
    assert all(instance.get(keyword) for instance in found for keyword in UIDS)


def test_the_samples_cover_many_transfer_syntaxes() -> None:
    syntaxes = {pydicom.dcmread(io.BytesIO(sample.data)).file_meta.TransferSyntaxUID for sample in samples()}
    assert len(syntaxes) >= 10
