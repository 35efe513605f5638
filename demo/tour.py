"""The demo itself: store instances, de-identify them through Airflow, read them back and compare."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.resource_names import DatasetName
from demo import comparison
from demo.airflow_api import FINISHED
from demo.playground import SOURCE, SOURCE_STORE

if TYPE_CHECKING:
    from pydicom import Dataset

    from demo.console import Console
    from demo.playground import Playground

EXAMPLE_DAG = "example_deidentify_dataset"
TASK = "deidentify"
DEADLINE = 300


class DemoFailedError(RuntimeError):
    """Something that the demo promises did not hold."""


def run(playground: Playground, console: Console) -> None:
    """Take the whole tour.

    :raises DemoFailedError: something did not hold.
    """
    stored = playground.load_samples(lambda done: console.move(f"Stored {done} instances in {SOURCE_STORE}"))
    console.step("Waiting for Airflow: API server, scheduler, DAG processor, triggerer")
    playground.connect()
    console.step(f"Airflow is up at {playground.airflow.url}: running the DAG {EXAMPLE_DAG}")
    destination = DatasetName.parse(_run_dag(playground, console)["destination"])
    console.step("The DAG run succeeded: reading the instances back over DICOMweb")
    before = list(playground.healthcare.instances(str(SOURCE_STORE)))
    stores = playground.healthcare.dicom_stores(destination)
    after = [instance for store in stores for instance in playground.healthcare.instances(store)]
    _show_operation(playground.healthcare.deidentifications(SOURCE), destination, stored, len(after), console)
    _show_instance(before, after, console)
    _show_search(before, after, console)


def _run_dag(playground: Playground, console: Console) -> dict[str, Any]:
    """Run the DAG to its end, showing how far it is; returns what its task returned."""
    api = playground.airflow.api
    run_id = api.trigger(EXAMPLE_DAG)
    deadline = time.monotonic() + DEADLINE
    while (state := api.run_state(EXAMPLE_DAG, run_id)) not in FINISHED:
        if time.monotonic() > deadline:
            raise DemoFailedError(f"the DAG run is still {state} after {DEADLINE} s")
        tasks = [f"{task}: {state or 'waiting'}" for task, state in api.task_states(EXAMPLE_DAG, run_id).items()]
        console.move("; ".join([*tasks, *_how_far(playground)]))
        time.sleep(0.5)
    if state != "success":
        log = playground.airflow.task_log(EXAMPLE_DAG, run_id, TASK)
        raise DemoFailedError("\n".join([f"the DAG run ended as {state}", *_errors(log)]))
    return dict(api.xcom(EXAMPLE_DAG, run_id, TASK))


def _errors(log: str) -> list[str]:
    """The errors of a task's log."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [
        f"{detail['exc_type']}: {detail['exc_value']}"
        for line in lines
        if line.get("level") == "error"
        for detail in line.get("error_detail", [])
    ]


def _how_far(playground: Playground) -> list[str]:
    return [
        f"{done} of {done + failed + pending} instances done"
        for operation in playground.healthcare.deidentifications(SOURCE)
        for done, failed, pending in [_counters(operation)]
    ]


def _counters(operation: dict[str, Any]) -> tuple[int, int, int]:
    """Instances done, failed and pending; the API sends numbers of 64 bits as text and leaves zeros out."""
    counter = operation["metadata"].get("counter", {})
    return int(counter.get("success", 0)), int(counter.get("failure", 0)), int(counter.get("pending", 0))


def _show_operation(
    operations: list[dict[str, Any]], destination: DatasetName, stored: int, returned: int, console: Console
) -> None:
    if len(operations) != 1:
        raise DemoFailedError(f"{len(operations)} operations were started instead of one")
    operation = operations[0]
    done, failed, pending = _counters(operation)
    start, end = (datetime.fromisoformat(operation["metadata"][key]) for key in ("createTime", "endTime"))
    console.text(
        f"\n  Operation    {operation['name']}"
        f"\n  Destination  {destination}"
        f"\n  Duration     {(end - start).total_seconds():.1f} s"
        f"\n  Instances    {stored} in, {returned} out, {failed} failed\n"
    )
    if (done, failed, pending, returned) != (stored, 0, 0, stored):
        raise DemoFailedError(
            f"of {stored} instances, {done} were de-identified, {failed} failed, {pending} were left and "
            f"{returned} came back"
        )


def _show_instance(before: list[Dataset], after: list[Dataset], console: Console) -> None:
    try:
        source, deidentified = comparison.showcase(before, after)
    except LookupError as error:
        raise DemoFailedError(str(error)) from None
    console.text("One instance before and after (a public sample that comes with pydicom):\n")
    console.table(("Tag", "Before", "After"), comparison.rows(source, deidentified))


def _show_search(before: list[Dataset], after: list[Dataset], console: Console) -> None:
    identifiers = comparison.identifiers(before)
    leaking = comparison.leaks(identifiers, after)
    if leaking:
        tags = ", ".join(f"{keyword} ({count})" for keyword, count in leaking.most_common())
        raise DemoFailedError(f"identifiers of the source were found in the destination, in {tags}")
    console.text(
        f"None of the source's {len(identifiers)} names, ids, institutions and UIDs is in any tag of the "
        f"{len(after)} instances that came out."
    )
