"""A real Airflow on this machine: scheduler, DAG processor, triggerer and API server, each a process of its own."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import psutil

from demo.airflow_api import AirflowApi
from demo.processes import ManagedProcess, ProcessFailedError, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOST = "127.0.0.1"

# Component -> the name under which the health endpoint reports it.
HEALTH_NAMES = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
ARGUMENTS = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}
TASKS_SERVER = "tasks-api-server"
DATABASE = "airflow.db"


class LocalAirflow:
    """An Airflow with an `AIRFLOW_HOME`, a SQLite metadata database, logs and ports of its own.

    Use it as a context manager, or call :meth:`start` and :meth:`stop`. Nothing of it reaches beyond loopback, and
    everybody who reaches it is an admin: it is for trying out and for tests.

    :param home: an empty or absent folder, which becomes `AIRFLOW_HOME`.
    :param dags_folder: where the DAG files are.
    :param environment: further environment variables, `AIRFLOW__SECTION__KEY` settings among them.
    :param port: of the API server and its UI; default: a free one.
    :param busy: whether the API is used while tasks run. Over SQLite one server for people and tasks may then lock
        itself up for a minute: its event loop waits for a writer that needs the loop to finish. So tasks get their own.
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
        busy: bool = False,
    ) -> None:
        self.home = home.resolve()
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.api = AirflowApi(self.url)
        self._tasks_port = free_port() if busy else self.port
        self.environment = {
            **_inherited_environment(),
            **_settings(self.home, dags_folder.resolve(), self.url, f"http://{HOST}:{self._tasks_port}"),
            **(environment or {}),
        }
        names = [*HEALTH_NAMES, TASKS_SERVER] if busy else [*HEALTH_NAMES]
        self.components = {name: self._component(name) for name in names}

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Create the metadata database and start every component; returns before they are ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.run("db", "migrate")
        _give_each_trigger_an_id_of_its_own(self.home / DATABASE)
        for component in self.components.values():
            component.start()

    def add_environment(self, variables: Mapping[str, str]) -> None:
        """Give further environment variables to whatever is started from now on."""
        for environment in (self.environment, *(component.environment for component in self.components.values())):
            environment.update(variables)

    def wait_until_ready(self, timeout: float = 120) -> None:
        """Wait until every component has sent a heartbeat; the DAG files may not be read yet.

        :raises ProcessFailedError: a component ended.
        :raises TimeoutError: a component was not ready in time.
        """
        wait_until(lambda: not self.waiting_for(), timeout, "Airflow's components ready")

    def waiting_for(self) -> list[str]:
        """The components that are not ready yet.

        :raises ProcessFailedError: a component ended.
        """
        self.check()
        health = self.api.health()
        return [name for name, reported in HEALTH_NAMES.items() if health.get(reported) != "healthy"]

    def check(self) -> None:
        """:raises ProcessFailedError: a component ended."""
        for component in self.components.values():
            component.check()

    def stop(self, timeout: float = 5) -> None:
        """End every process that belongs to this Airflow, those that lost their parent included.

        :param timeout: seconds for a polite end; the scheduler, for one, would wait for running tasks.
        """
        deadline = time.monotonic() + timeout
        for component in self.components.values():
            component.ask_to_stop()
        for component in self.components.values():
            component.wait(max(0, deadline - time.monotonic()))
            component.kill()
        self.api.close()

    def run(self, *arguments: str) -> str:
        """Run the `airflow` command to its end and return what it printed.

        :raises ProcessFailedError: it failed.
        """
        result = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise ProcessFailedError(f"airflow {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}")
        return result.stdout

    def add_triggerer(self, name: str = "triggerer-2") -> ManagedProcess:
        """Start one more triggerer; it is stopped with the rest."""
        self.components[name] = self._component("triggerer", name)
        self.components[name].start()
        return self.components[name]

    def processes(self) -> list[psutil.Process]:
        """Every living process of this Airflow, workers included."""
        return [process for component in self.components.values() for process in component.family()]

    def task_processes(self) -> list[psutil.Process]:
        """The processes that run a task at this moment, each with the supervisor that reports on it."""
        return [process for process in self.components["scheduler"].family() if _runs_a_task(process)]

    def log_files(self) -> list[Path]:
        """Every log file of this Airflow: components, DAG processor, tasks and triggers."""
        return sorted(path for path in (self.home / "logs").rglob("*.log*") if path.is_file())

    def task_log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """What all tries of a task wrote, the triggerer's part included: one JSON object per line."""
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        return "\n".join(path.read_text(errors="replace") for path in sorted(folder.rglob("*.log*")) if path.is_file())

    def _component(self, command: str, name: str | None = None) -> ManagedProcess:
        name = name or command
        arguments = ARGUMENTS.get(command, [])
        if command == "api-server":
            apps = "all" if self._tasks_port == self.port else "core"
            arguments = ["--host", HOST, "--port", str(self.port), "--workers", "1", "--apps", apps]
        if command == TASKS_SERVER:
            command = "api-server"
            arguments = ["--host", HOST, "--port", str(self._tasks_port), "--workers", "1", "--apps", "execution"]
        return ManagedProcess(
            name,
            [sys.executable, "-m", "airflow", command, *arguments],
            log=self.home / "logs" / f"{name}.log",
            environment=self.environment,
        )


def _give_each_trigger_an_id_of_its_own(database: Path) -> None:
    """Keep SQLite from giving the id of a deleted trigger to the next one, which no database of a server does.

    The triggerer tells triggers apart by their ids: it would take the new one for the old one, which goes on, and never
    start it.
    """
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'trigger' ORDER BY type DESC")
        table, *indexes = [sql for (sql,) in rows if sql]
        table = table.replace("id INTEGER NOT NULL", "id INTEGER PRIMARY KEY AUTOINCREMENT", 1)
        table = table.replace("CONSTRAINT trigger_pkey PRIMARY KEY (id),", "", 1)
        connection.executescript(";".join(['DROP TABLE "trigger"', table, *indexes]))


def _runs_a_task(process: psutil.Process) -> bool:
    # The title of a worker is "airflow worker -- LocalExecutor: <idle>", or ends with the id of its task instance.
    with contextlib.suppress(psutil.Error):
        title = " ".join(process.cmdline())
        return title.startswith("airflow worker -- ") and "<idle>" not in title
    return False


def _inherited_environment() -> dict[str, str]:
    """The caller's environment without what would steer Airflow or lend it the caller's cloud credentials."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "GOOGLE_", "CLOUDSDK_", "PYTEST_", "HEALTHCARE_", "STORAGE_"))
    }


def _settings(home: Path, dags_folder: Path, url: str, tasks_url: str) -> dict[str, str]:
    settings = {
        "CORE__DAGS_FOLDER": str(dags_folder),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"{tasks_url}/execution/",
        # SQLite has one writer: a component that finds it busy waits instead of failing.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/{DATABASE}?timeout=60",
        "API__BASE_URL": url,
        "API__SECRET_KEY": "local-airflow-session-key",
        "API_AUTH__JWT_SECRET": "local-airflow-token-key-of-at-least-64-bytes-for-the-hs512-algorithm",
        # Airflow's defaults suit a cluster; one machine can look more often.
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        # Each look at the files costs as much as a task.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "LOGGING__BASE_LOG_FOLDER": f"{home}/logs",
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": f"{home}/logs/dag_processor",
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    environment = {f"AIRFLOW__{name}": value for name, value in settings.items()}
    return {
        **environment,
        "AIRFLOW_HOME": str(home),
        # Airflow's children import the DAGs' helpers, and nothing from the folder that the caller happens to be in.
        "PYTHONSAFEPATH": "1",
        "NO_COLOR": "1",
    }
