"""The few calls of Airflow's REST API (v2) that the demo and the end-to-end tests make."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

FINISHED = frozenset({"success", "failed"})


class AirflowApi:
    """A client of one local API server, where everybody is an admin (so there is no token to keep)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/api/v2", timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None, **params: Any) -> Any:
        """One call; returns the parsed reply.

        :raises httpx.HTTPStatusError: the server refused; the message carries its explanation.
        """
        reply = self._client.request(method, path, json=body, params=params or None)
        if reply.is_error:
            message = f"{method} {path}: {reply.status_code} {reply.text[:500]}"
            raise httpx.HTTPStatusError(message, request=reply.request, response=reply)
        return reply.json() if reply.content else None

    def health(self) -> dict[str, str]:
        """Component name -> `healthy` or `unhealthy`, from their heartbeats; empty while the server is not up."""
        try:
            report = self.request("GET", "/monitor/health")
        except httpx.HTTPError:
            return {}
        return {name: (part or {}).get("status") or "unhealthy" for name, part in report.items()}

    def add_connection(self, conn_id: str, conn_type: str, extra: Mapping[str, Any]) -> None:
        body = {"connection_id": conn_id, "conn_type": conn_type, "extra": json.dumps(extra)}
        self.request("POST", "/connections", body)

    def add_pool(self, name: str, slots: int, description: str) -> None:
        """Deferred tasks keep their slots."""
        body = {"name": name, "slots": slots, "description": description, "include_deferred": True}
        self.request("POST", "/pools", body)

    def dag_ids(self) -> set[str]:
        return {dag["dag_id"] for dag in self.request("GET", "/dags", limit=100)["dags"]}

    def import_errors(self) -> dict[str, str]:
        """File name -> stack trace of every DAG file that could not be parsed."""
        return {e["filename"]: e["stack_trace"] for e in self.request("GET", "/importErrors")["import_errors"]}

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Unpause the DAG, start a run of it for this moment, as the UI does, and return the run's id."""
        self.request("PATCH", f"/dags/{dag_id}", {"is_paused": False})
        now = datetime.now(UTC).isoformat()
        run = self.request("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": now, "conf": dict(conf or {})})
        return str(run["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self.request("GET", self._run(dag_id, run_id))["state"])

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """Task id -> state. A mapped task appears once per index, as `task[0]`, `task[1]` and so on."""
        states = {}
        for task in self.request("GET", f"{self._run(dag_id, run_id)}/taskInstances", limit=100)["task_instances"]:
            suffix = f"[{task['map_index']}]" if task["map_index"] >= 0 else ""
            states[task["task_id"] + suffix] = task["state"]
        return states

    def task_instance(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        return dict(self.request("GET", self._task(dag_id, run_id, task_id)))

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """What a person does with "Mark state as" in the UI."""
        self.request("PATCH", self._task(dag_id, run_id, task_id), {"new_state": state})

    def clear_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        """What a person does with "Clear" in the UI."""
        body = {"dry_run": False, "task_ids": [task_id], "dag_run_id": run_id, "only_failed": False}
        self.request("POST", f"/dags/{dag_id}/clearTaskInstances", body)

    def set_run_state(self, dag_id: str, run_id: str, state: str) -> None:
        """What a person does with "Mark run as" in the UI."""
        self.request("PATCH", self._run(dag_id, run_id), {"state": state})

    def delete_run(self, dag_id: str, run_id: str) -> None:
        """Airflow refuses it (409) while the run is running."""
        self.request("DELETE", self._run(dag_id, run_id))

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """The value that a task pushed under `key`."""
        return self.request("GET", f"{self._task(dag_id, run_id, task_id)}/xcomEntries/{key}")["value"]

    def links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str | None]:
        """Link name -> URL of the task's extra links."""
        return dict(self.request("GET", f"{self._task(dag_id, run_id, task_id)}/links")["extra_links"])

    @staticmethod
    def _run(dag_id: str, run_id: str) -> str:
        return f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"

    def _task(self, dag_id: str, run_id: str, task_id: str) -> str:
        return f"{self._run(dag_id, run_id)}/taskInstances/{task_id}"
