"""What the engine raises.

EngineError
├── UndecodableError   this instance or resource cannot be processed; the others can
└── MissingPartError   an optional part is not installed

Messages name tags, paths and sizes, never a value of a record and never a key.
"""

from __future__ import annotations

from airflow_healthcare_deid.errors import HealthcareDeidError


class EngineError(HealthcareDeidError):
    """The engine cannot do what its configuration asks for."""


class UndecodableError(EngineError):
    """One instance or resource is malformed, truncated or beyond a limit: it counts as failed, the others go on."""


class MissingPartError(EngineError):
    """What the configuration asks for needs an optional part that is not installed.

    :param extra: the extra of this distribution that installs the part, such as ``text`` or ``image``.
    """

    def __init__(self, extra: str) -> None:
        self.extra = extra
        super().__init__(extra)

    def __str__(self) -> str:
        return (
            f"this configuration needs the optional part {self.extra!r}, which is not installed. "
            f"Install it with: pip install 'airflow-healthcare-deid[{self.extra}]'"
        )
