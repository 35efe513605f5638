"""A local stand-in for the Cloud Healthcare API, for development and tests; it serves loopback only.

``with Emulator() as emulator: emulator.url``, or ``python -m airflow_healthcare_deid.emulator``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_healthcare_deid.emulator.server import Emulator as Emulator

__all__ = ["Emulator"]


def __getattr__(name: str) -> object:
    if name == "Emulator":
        from airflow_healthcare_deid.emulator.server import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
