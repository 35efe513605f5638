"""What comes out is as valid as what went in, by `dciodvfy` of Debian's package dicom3tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.engine.dicom.files import BASIC, CONTENTS, deidentifier, read, remove_list, usable_files

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_healthcare_deid.config import DicomConfig

DCIODVFY = shutil.which("dciodvfy")
_EMPTY = "Error - Empty attribute (no value) Type 1C Conditional Element=<{}> Module=<RequestAttributesMacro>"
# Of 16 digits that could be a card's number nothing is left: the label would not fit into an SH.
LABELS = {_EMPTY.format("ScheduledProcedureStepID"), _EMPTY.format("RequestedProcedureID")}
PLANES = {"Error - Missing attribute Type 1 Required Element=<OverlayData> Module=<OverlayPlane>"}
CONFIGS = {
    "basic": (BASIC, set()),
    "contents": (CONTENTS, LABELS),
    "removeList": (remove_list("PatientComments"), PLANES),
}
"""Configurations, with the errors that are new because they ask for what causes them: `docs/rules.md`."""


def errors(data: bytes, folder: Path) -> Counter[str]:
    """Return the errors that the tool reports, without the UIDs and dates that they quote."""
    assert DCIODVFY is not None
    path = folder / "instance.dcm"
    path.write_bytes(data)
    done = subprocess.run([DCIODVFY, str(path)], capture_output=True, check=False)
    lines = (done.stdout + done.stderr).decode("ascii", "replace").splitlines()
    return Counter(re.sub(r"UID [\d.]+|<[\d.]+>", "…", line) for line in lines if line.startswith("Error"))


@pytest.mark.skipif(DCIODVFY is None, reason="dciodvfy is not installed: apt-get install dicom3tools")
@pytest.mark.parametrize(("config", "demanded"), CONFIGS.values(), ids=CONFIGS)
def test_no_error_that_was_not_there_before(config: DicomConfig, demanded: set[str], tmp_path: Path) -> None:
    deid = deidentifier(config)
    checked = 0
    for path, data in usable_files().items():
        if "SOPClassUID" not in read(data):
            continue  # a directory, or no object at all
        new = errors(deid.deidentify(data).data, tmp_path) - errors(data, tmp_path)
        assert set(new) <= demanded, path
        checked += 1
    assert checked > 130
