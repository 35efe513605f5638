"""Settings with which Airflow notices within seconds what it would notice within minutes."""

from __future__ import annotations

# A worker that was killed is noticed by its missing heartbeats, and so is a triggerer that stalls; long enough for a
# worker that shares two processors with many.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    # A task that waits in its worker occupies a process each.
    "AIRFLOW__CORE__PARALLELISM": "12",
}
