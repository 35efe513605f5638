"""Fixtures of the airflow wing and of the chain."""

from __future__ import annotations

from tests.support.chain import bucket, data, filled, storage_emulator
from tests.support.wing import admin, connection, hook, waits, wing_emulator

__all__ = ["admin", "bucket", "connection", "data", "filled", "hook", "storage_emulator", "waits", "wing_emulator"]
