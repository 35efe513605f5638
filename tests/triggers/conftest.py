"""Fixtures of the airflow wing."""

from __future__ import annotations

from tests.support.identity import secure, secure_emulator, tokens
from tests.support.wing import admin, connection, hook, waits, wing_emulator

__all__ = ["admin", "connection", "hook", "secure", "secure_emulator", "tokens", "waits", "wing_emulator"]
