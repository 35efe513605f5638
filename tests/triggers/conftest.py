"""Fixtures of the airflow wing."""

from __future__ import annotations

from tests.support.wing import admin, connection, hook, waits, wing_emulator

__all__ = ["admin", "connection", "hook", "waits", "wing_emulator"]
