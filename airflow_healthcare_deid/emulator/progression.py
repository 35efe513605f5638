"""When an operation shows that it is done, apart from the work behind it.

The work is always done for real; the progression decides when its end may be seen, so that a test can watch an
operation for as long as it likes. Set through the emulator's own admin interface; the real service has no such thing.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Annotated

import msgspec


class Mode(StrEnum):
    """What an operation waits for besides its work."""

    WORK = "work"
    """Nothing: it is done when the work is."""
    IMMEDIATE = "immediate"
    """Nothing, and the reply to the start call waits for the work: the first look finds it done."""
    POLLS = "polls"
    """A number of looks (``operations.get``) that still find it running."""
    MANUAL = "manual"
    """The admin interface says so."""


class Progression(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How new operations proceed.

    :param mode: what their end waits for besides the work.
    :param polls: in mode ``polls``, how many looks find the operation running.
    :param fail_share: share of the resources, 0 to 1, that fail although nothing is wrong with them.
    :param min_seconds: seconds from its creation before which no operation is done.
    :param api_method_name: regular expression; operations of other methods proceed as by default.
    """

    mode: Mode = Mode.WORK
    polls: Annotated[int, msgspec.Meta(ge=0)] = 3
    fail_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    min_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    api_method_name: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.api_method_name)
        except re.error:
            raise ValueError("apiMethodName is no regular expression") from None

    def for_method(self, method: str) -> Progression:
        """Return this progression, or the default one if it is not meant for a method."""
        return self if re.search(self.api_method_name, method) else Progression()

    def fails(self, operation: str, item: str) -> bool:
        """Tell whether a resource is among those that fail by decree; the same answer each time it is asked."""
        if not self.fail_share:
            return False
        digest = hashlib.sha256(f"{operation}\0{item}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8]) < self.fail_share * 2**64
