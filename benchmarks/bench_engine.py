"""The DICOM engine beside its peers: one 512x512 16-bit CT, file to file, in two headers.

The rounds are interleaved, so that a busy machine slows all alike; compare the ratios of one run only. Each peer works
as its own documentation shows, with the rules it has built in: they differ in how much they remove, see the issue
trackers of each. Peers come with the dependency group `bench`; one that is not installed is left out.
"""

from __future__ import annotations

import importlib
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file

from airflow_healthcare_deid.config import DeidentifyConfig, DicomConfig, TagFilterProfile
from airflow_healthcare_deid.engine.dicom import DicomDeidentifier
from airflow_healthcare_deid.engine.keys import KeyRing

ROUNDS = 9
INSTANCES = 40
Tool = Callable[[Path, Path], None]

_ADDED = {
    "InstitutionAddress": "1 Main Street",
    "InstitutionalDepartmentName": "Radiology",
    "PatientComments": "none",
    "RequestingPhysician": "Doe^John",
    "RequestedProcedureDescription": "CT head",
}


def ct(*, private: bool) -> bytes:
    """Return the CT: CT_small's header, with its 179 private elements or with 84 elements of the standard."""
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    dataset = dcmread(path)
    dataset.Rows = dataset.Columns = 512
    dataset.PixelData = bytes(range(256)) * (512 * 512 * 2 // 256)
    if not private:
        dataset.remove_private_tags()
        for keyword, value in _ADDED.items():
            setattr(dataset, keyword, value)
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def raw_copy(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())


def pydicom_copy(source: Path, target: Path) -> None:
    dcmwrite(target, dcmread(source))


def ours() -> Tool:
    profile = TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE
    deid = DicomDeidentifier(DeidentifyConfig(dicom=DicomConfig(filter_profile=profile)), KeyRing())

    def run(source: Path, target: Path) -> None:
        target.write_bytes(deid.deidentify(source.read_bytes()).data)

    return run


def dcmanon() -> Tool:
    anonymizer = _module("dcmanon").Anonymizer()

    def run(source: Path, target: Path) -> None:
        target.write_bytes(anonymizer.anonymize(str(source)))

    return run


def dicognito() -> Tool:
    anonymizer = _module("dicognito.anonymizer").Anonymizer()

    def run(source: Path, target: Path) -> None:
        dataset = dcmread(source)
        anonymizer.anonymize(dataset)
        dataset.save_as(target)

    return run


def dicom_anonymizer() -> Tool:
    module = _module("dicomanonymizer.simpledicomanonymizer")

    def run(source: Path, target: Path) -> None:
        module.anonymize_dicom_file(str(source), str(target), base_rules_gen=module.initialize_actions_2024b)

    return run


def _module(name: str) -> Any:
    return importlib.import_module(name)


def tools() -> dict[str, Tool]:
    """Return what can be measured here, by name."""
    found: dict[str, Tool] = {"raw copy": raw_copy, "this engine": ours(), "pydicom, read and write": pydicom_copy}
    makers = {"dcmanon (Rust)": dcmanon, "dicognito": dicognito, "dicom-anonymizer, 2024b": dicom_anonymizer}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError:
            print(f"{name}: not installed, left out")
    return found


def measure(data: bytes, running: dict[str, Tool], folder: Path) -> dict[str, list[float]]:
    """Return the milliseconds per instance of each round, by tool."""
    source, target = folder / "source.dcm", folder / "target.dcm"
    source.write_bytes(data)
    rounds: dict[str, list[float]] = {name: [] for name in running}
    for number in range(ROUNDS + 1):
        for name, run in running.items():
            started = time.perf_counter()
            for _ in range(INSTANCES):
                run(source, target)
            if number:  # the first round warms up
                rounds[name].append((time.perf_counter() - started) * 1000 / INSTANCES)
    return rounds


def table(title: str, rounds: dict[str, list[float]]) -> str:
    """Return the measurements of one file as a table in Markdown."""
    own = statistics.median(rounds["this engine"])
    lines = [
        f"\n{title}\n",
        "| | ms/instance, median (range) | instances/s | time, this engine = 1 |",
        "|---|---|---|---|",
    ]
    for name, times in rounds.items():
        median = statistics.median(times)
        lines.append(
            f"| {name} | {median:.2f} ({min(times):.2f}-{max(times):.2f}) | {1000 / median:.0f} | {median / own:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    running = tools()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        for private in (False, True):
            data = ct(private=private)
            count = len(list(dcmread(BytesIO(data))))
            header = f"{count} elements, 179 of them private" if private else f"{count} elements"
            title = f"512x512 CT, {len(data) / 1e6:.2f} MB, {header}"
            print(table(title, measure(data, running, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
