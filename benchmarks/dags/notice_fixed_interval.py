"""What `bench_notice` compares with: one task that waits for one operation."""

from __future__ import annotations

from airflow.sdk import DAG

from benchmarks.fixed_interval import FixedIntervalOperator

with DAG("fixed_interval", schedule=None):
    FixedIntervalOperator(task_id="wait", url="{{ dag_run.conf['url'] }}")
