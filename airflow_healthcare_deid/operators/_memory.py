"""What a task instance remembers from try to try: the intent to start an operation, and which one it became."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from airflow_healthcare_deid.version_compat import StateStore

KEY = "healthcare_operation"
"""Names the record in the task state store, and in the XCom that shows it."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An intent, and the operation once it is known.

    :param method: what was, or was to be, called.
    :param source: full name of the resource it was called on.
    :param destination: full name or URI of where the result goes.
    :param fingerprint: SHA-256 of the request; empty if it is not known.
    :param time: when the request was still unsent, by the service's clock, in seconds since the epoch.
    :param operation: full name of the operation.
    :param deadline: when to give up on it, in seconds since the epoch.
    :param certain: whether the destination was seen to be absent then.
    """

    method: str
    source: str
    destination: str
    fingerprint: str
    time: float
    operation: str | None = None
    deadline: float | None = None
    certain: bool = True


class Memory:
    """Keeps one record for a task instance.

    :param store: Airflow's task state store, or None where there is none; then nothing outlives a try.
    """

    def __init__(self, store: StateStore | None) -> None:
        self._store = store

    @property
    def lasting(self) -> bool:
        """Whether records outlive a try."""
        return self._store is not None

    def load(self) -> Record | None:
        """Return what was remembered."""
        value = self._store.get(KEY) if self._store else None
        return msgspec.convert(value, Record) if value else None

    def save(self, record: Record) -> Record:
        """Remember a record instead of the last one."""
        if self._store:
            self._store.set(KEY, msgspec.to_builtins(record))
        return record

    def forget(self) -> None:
        """Remember nothing."""
        if self._store:
            self._store.delete(KEY)
