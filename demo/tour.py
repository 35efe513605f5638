"""The demo itself: store data, run the pipeline through Airflow, read what it published and compare."""

from __future__ import annotations

import io
import json
import warnings
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pydicom

from demo import comparison, records
from demo.pipeline import DAG, DemoFailedError, counters, run_dag
from demo.playground import BUCKET, PATIENTS, SOURCE, SOURCE_RECORDS, SOURCE_STORE

if TYPE_CHECKING:
    from pydicom import Dataset

    from demo.console import Console
    from demo.playground import Playground
    from demo.storage import StoredFile

REPORT = "validation.json"
NAMES_SHOWN = 2


@dataclass(frozen=True)
class Published:
    """What the pipeline left in the bucket.

    :param files: all files, by the names that they have below `published/`.
    :param instances: the DICOM files among them, read.
    :param resources: the FHIR resources among them.
    :param report: that of the validation.
    """

    files: list[StoredFile]
    instances: list[Dataset]
    resources: list[dict[str, Any]]
    report: dict[str, Any]


def load(playground: Playground, console: Console) -> tuple[int, int]:
    """Fill the source dataset; returns how many instances and resources it then holds."""
    instances = playground.load_samples(lambda done: console.move(f"Stored {done} instances in {SOURCE_STORE}"))
    resources = playground.load_records()
    console.step(f"Stored {resources} resources of {len(PATIENTS)} invented patients in {SOURCE_RECORDS}")
    return instances, resources


def run(playground: Playground, stored: tuple[int, int], console: Console) -> None:
    """Take the tour.

    :param stored: how many instances and resources the source holds.
    :raises DemoFailedError: something did not hold.
    """
    console.step(f"Airflow is up at {playground.airflow.url}: running the DAG {DAG}")
    summary = run_dag(playground, console)
    console.step(f"The DAG run succeeded: reading what it published in gs://{BUCKET}")
    before = list(playground.healthcare.instances(str(SOURCE_STORE)))
    published = read_published(playground)
    [operation] = (o for o in playground.healthcare.deidentifications(SOURCE) if o["name"] == summary["operation"])
    show_operation(operation, stored, published, console)
    _show_instance(before, published.instances, console)
    _show_patient(published.resources, console)
    show_report(published.report, console)
    _show_files(published.files, console)
    _show_search(before, published, console)
    _check_removed(playground, summary["destination"])


def read_published(playground: Playground) -> Published:
    """Read what the pipeline published back from the bucket."""
    files = list(playground.storage.files(BUCKET, "published/"))
    reports = [file for file in files if file.name.endswith(f"/{REPORT}")]
    if len(reports) != 1:
        raise DemoFailedError(f"{len(reports)} validation reports were published instead of one")
    return Published(
        files,
        [_instance(file) for file in files if file.name.endswith(".dcm")],
        [resource for file in files if file.name.endswith(".ndjson") for resource in records.resources(file)],
        json.loads(reports[0].data),
    )


def _instance(file: StoredFile) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Some of the samples break a rule of the standard on purpose.
        return pydicom.dcmread(io.BytesIO(file.data))


def show_operation(operation: dict[str, Any], stored: tuple[int, int], published: Published, console: Console) -> None:
    """Show how the operation went.

    :param stored: how many instances and resources the source holds.
    :raises DemoFailedError: not all of them came out.
    """
    done, failed, pending = counters(operation)
    returned = len(published.instances), len(published.resources)
    start, end = (datetime.fromisoformat(operation["metadata"][key]) for key in ("createTime", "endTime"))
    console.text(
        f"\n  Operation   {operation['name']}"
        f"\n  Duration    {(end - start).total_seconds():.1f} s"
        f"\n  Instances   {stored[0]} in, {returned[0]} out"
        f"\n  Resources   {stored[1]} in, {returned[1]} out"
        f"\n  Failed      {failed}\n"
    )
    if (done, failed, pending, returned) != (sum(stored), 0, 0, stored):
        raise DemoFailedError(
            f"of {sum(stored)} instances and resources, {done} were de-identified, {failed} failed, {pending} were "
            f"left and {sum(returned)} came back"
        )


def _show_instance(before: list[Dataset], after: list[Dataset], console: Console) -> None:
    try:
        source, deidentified = comparison.showcase(before, after)
    except LookupError as error:
        raise DemoFailedError(str(error)) from None
    console.text("One DICOM instance before and after (a public sample that comes with pydicom):\n")
    console.table(("Tag", "Before", "After"), comparison.rows(source, deidentified))


def _show_patient(resources: list[dict[str, Any]], console: Console) -> None:
    source = PATIENTS[0].patient
    after = [r for r in resources if (r["resourceType"], r["id"]) == (source["resourceType"], source["id"])]
    if len(after) != 1:
        raise DemoFailedError(f"the first patient came out {len(after)} times")
    console.text("One FHIR Patient before and after (invented):\n")
    console.table(("Field", "Before", "After"), records.rows(source, after[0]))


def show_report(report: dict[str, Any], console: Console) -> None:
    """Show what the validation found.

    :raises DemoFailedError: a check failed that must not.
    """
    # A warning is for a person to look at: here, words such as a manufacturer's name that are in a patient's name too.
    results = [(result, _result(result)) for result in report["results"]]
    counts = Counter(shown for _, shown in results)
    sampled = report["sampled"]
    console.text(
        f"Validation {'passed' if report['passed'] else 'failed'}: {counts['passed']} checks passed, "
        f"{counts['FAILED']} failed, {counts['warning']} gave a warning, "
        f"{counts['not checked']} had nothing to check.\n"
        f"It looked into {sampled['studies_looked_into']} of {sampled['studies']} studies and "
        f"{sampled['patients_looked_into']} of {sampled['patients']} patients.\n"
    )
    console.table(
        ("Check", "Result", "Looked at", "Wrong"),
        [(result["check"], shown, str(result["checked"]), str(result["failed"])) for result, shown in results],
    )
    if not report["passed"]:
        raise DemoFailedError("the validation failed")


def _result(result: dict[str, Any]) -> str:
    if result["status"] == "FAILED":
        return "FAILED" if result["severity"] == "ERROR" else "warning"
    return str(result["status"]).lower().replace("_", " ")


def _show_files(files: list[StoredFile], console: Console) -> None:
    shown = [
        file.name
        for kind in (".dcm", ".ndjson", ".json")
        for file in [file for file in files if file.name.endswith(kind)][:NAMES_SHOWN]
    ]
    console.text(f"{len(files)} files are published, among them:\n")
    console.text("\n".join(f"  gs://{BUCKET}/published/{name}" for name in shown) + "\n")


def _show_search(before: list[Dataset], published: Published, console: Console) -> None:
    sought = comparison.identifiers(before) | records.identifiers(PATIENTS)
    texts = [file for file in published.files if not file.name.endswith(".dcm")]
    leaking = comparison.leaks(sought, published.instances) + records.leaks(sought, texts)
    leaking += records.kept_dates(PATIENTS, published.resources)
    if leaking:
        places = ", ".join(f"{place} ({count})" for place, count in leaking.most_common())
        raise DemoFailedError(f"identifiers of the source were found in what was published, in {places}")
    console.text(
        f"None of the source's {len(sought)} names, ids, addresses, institutions and UIDs is in any of the "
        f"{len(published.files)} published files,\nand no date of a FHIR patient is in what became of the same record."
    )


def _check_removed(playground: Playground, working_dataset: str) -> None:
    if working_dataset in playground.healthcare.datasets(SOURCE.location_name):
        raise DemoFailedError(f"{working_dataset} is still there: the teardown did not remove it")
