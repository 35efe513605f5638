"""`make demo` (`python -m demo`) and `make airflow` (`python -m demo airflow`)."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

from demo import tour
from demo.console import Console
from demo.pipeline import DAG, DemoFailedError
from demo.playground import BUCKET, CONNECTION, POOL, POOL_SLOTS, SOURCE, Playground
from demo.processes import ProcessFailedError, port_is_free

if TYPE_CHECKING:
    from types import FrameType

UI_PORT = 8080
STARTING = "Starting the emulators of the Cloud Healthcare API and of Cloud Storage, and Airflow"
WAITING = "Waiting for Airflow: API server, scheduler, DAG processor, triggerer"


def main(arguments: list[str]) -> int:
    """Run the demo, or with the argument `airflow` serve its Airflow until Ctrl-C; returns the exit code."""
    # An exception unwinds the context managers that end the processes; the default action of a signal would not.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    console = Console()
    serving = arguments == ["airflow"]
    try:
        serve(console) if serving else demonstrate(console)
    except KeyboardInterrupt:
        console.text("Stopped.")
        return 0 if serving else 130  # Ctrl-C is how serving ends.
    except (ProcessFailedError, TimeoutError, DemoFailedError) as error:
        console.text("\n".join([f"Failed: {error}", *getattr(error, "__notes__", [])]))
        return 1
    return 0


def demonstrate(console: Console) -> None:
    """De-identify samples through Airflow and look at the outcome."""
    console.step(STARTING)
    with Playground() as playground:
        stored = tour.load(playground, console)
        console.step(WAITING)
        playground.connect()
        playground.wait_for_examples()
        tour.run(playground, stored, console)
        console.step("Done, stopping everything")
    console.text("\nNext: `make airflow` leaves the same set-up running, with Airflow's UI to click in.")


def serve(console: Console) -> None:
    """Leave Airflow and the emulator running until a signal comes, or one of them ends."""
    console.step(STARTING)
    with Playground(airflow_port=UI_PORT if port_is_free(UI_PORT) else None) as playground:
        instances, resources = tour.load(playground, console)
        playground.add_other_datasets()
        console.step(WAITING)
        playground.connect()
        playground.wait_for_examples()
        console.step(f"Ready, with {instances} DICOM instances and {resources} FHIR resources in {SOURCE}")
        console.text(
            f"\n  Airflow     {playground.airflow.url}/dags/{DAG} (no password: press Trigger)"
            f"\n  Connection  {CONNECTION}, which leads to the emulator"
            f"\n  Pool        {POOL}, {POOL_SLOTS} slots"
            f"\n  Emulator    {playground.emulator.url}/v1/{SOURCE}/dicomStores"
            f"\n  Storage     {playground.emulator.storage_url}/storage/v1/b/{BUCKET}/o"
            f"\n  Logs        {playground.airflow.home}/logs"
            "\n\nCtrl-C stops everything."
        )
        while True:
            playground.check()
            time.sleep(2)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
