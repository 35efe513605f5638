"""Everything that our DAGs need, on this machine: an emulator with data and a bucket, and an Airflow."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airflow_healthcare_deid.resource_names import DatasetName
from demo.emulator import STORAGE_VARIABLE, EmulatorProcess
from demo.fhir_samples import make_samples
from demo.healthcare import HealthcareClient
from demo.local_airflow import LocalAirflow
from demo.processes import ProcessFailedError, wait_until
from demo.samples import samples
from demo.storage import StorageClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REPOSITORY = Path(__file__).parent.parent
BUILD = REPOSITORY / ".build"
EXAMPLES = REPOSITORY / "dags"
SOURCE = DatasetName("demo-project", "us-central1", "source")
SOURCE_STORE = SOURCE.dicom_store("dicom")
SOURCE_RECORDS = SOURCE.fhir_store("records")
CONNECTION = "google_cloud_default"
BUCKET = "demo-healthcare"
POOL = "healthcare"
# Google advises about five operations at once.
POOL_SLOTS = 5
PATIENTS = make_samples(6)
BATCH = 40


class Playground:
    """The emulator and an Airflow whose connection points to it, with all their files in one temporary folder.

    Use it as a context manager: whatever happens inside, no process stays, and no file unless an error came.

    :param dags_folder: default: the example DAGs.
    :param airflow_port: of Airflow's UI; default: a free one.
    :param environment: further environment variables for Airflow.
    """

    def __init__(
        self,
        dags_folder: Path = EXAMPLES,
        *,
        airflow_port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        BUILD.mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="playground-", dir=BUILD))
        self.emulator = EmulatorProcess(self.folder / "emulator", self.folder / "emulator.log")
        self.airflow = LocalAirflow(
            self.folder / "airflow", dags_folder, environment=environment, port=airflow_port, busy=True
        )
        self.healthcare = HealthcareClient(self.emulator.url)
        self._clients = ExitStack()
        self._clients.callback(self.healthcare.close)

    def __enter__(self) -> Self:
        try:
            self.emulator.start()
            self.storage = StorageClient(self.emulator.storage_url)
            self._clients.callback(self.storage.close)
            self.storage.create_bucket(BUCKET)
            self.airflow.add_environment({STORAGE_VARIABLE: self.emulator.storage_url})
            self.airflow.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.stop()
        # Whoever looks for an error's cause needs the logs; Ctrl-C and a request to exit are no errors.
        if isinstance(error, Exception):
            error.add_note(f"The logs are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        self.airflow.stop()
        self.emulator.stop()
        self._clients.close()

    def check(self) -> None:
        """:raises ProcessFailedError: one of the processes ended."""
        self.airflow.check()
        self.emulator.check()

    def load_samples(self, progress: Callable[[int], None]) -> int:
        """Create the source dataset and store pydicom's samples in it.

        :param progress: is told how many instances are stored.
        :return: how many there are.
        """
        self.healthcare.create_dicom_store(SOURCE_STORE)
        instances = samples()
        for start in range(0, len(instances), BATCH):
            batch = instances[start : start + BATCH]
            self.healthcare.store_instances(SOURCE_STORE, batch)
            progress(start + len(batch))
        return len(instances)

    def load_records(self) -> int:
        """Store the FHIR records of invented patients in the source dataset, which is there.

        :return: how many resources they are.
        """
        self.healthcare.create_fhir_store(SOURCE_RECORDS)
        for patient in PATIENTS:
            self.healthcare.put_resources(SOURCE_RECORDS, patient.resources)
        return sum(len(patient.resources) for patient in PATIENTS)

    def add_other_datasets(self) -> None:
        """Create what the example DAGs need beside the source: a dataset for research, and those of two sites."""
        few = samples()[:BATCH]
        for dataset, instances in (("research", []), ("north", few[::2]), ("south", few[1::2])):
            store = DatasetName(SOURCE.project, SOURCE.location, dataset).dicom_store(SOURCE_STORE.dicom_store)
            self.healthcare.create_dicom_store(store)
            if instances:
                self.healthcare.store_instances(store, instances)

    def connect(self) -> None:
        """Wait for Airflow, and add the connection that leads its operators to the emulator, and the pool."""
        self.airflow.wait_until_ready()
        extra = {"project": SOURCE.project, "healthcare_api_endpoint": self.emulator.url}
        self.airflow.api.add_connection(CONNECTION, "google_cloud_platform", extra)
        self.airflow.api.add_pool(POOL, POOL_SLOTS, "Operations of the Healthcare API")

    def wait_for_examples(self) -> None:
        """Wait until Airflow has read the example DAGs, each of which is named as its file.

        :raises ProcessFailedError: one of them cannot be imported.
        """
        expected = {path.stem for path in EXAMPLES.glob("*.py")}
        wait_until(lambda: expected <= self._known_dags(), timeout=180, what="the example DAGs read")

    def _known_dags(self) -> set[str]:
        if errors := self.airflow.api.import_errors():
            raise ProcessFailedError("\n".join(["Airflow cannot import all DAGs:", *errors.values()]))
        return self.airflow.api.dag_ids()
