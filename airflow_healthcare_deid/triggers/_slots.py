"""Waiting in slots, so that a loop with a thousand triggers wakes up twenty times a second and not a thousand."""

from __future__ import annotations

import asyncio
import math

SLOT = 0.05
"""Seconds. A third of what a look at an operation costs is that the process wakes up for it alone."""


def to_slot(delay: float) -> float:
    """Lengthen a number of seconds from now to the end of the slot; all tasks of an event loop share its slots."""
    now = asyncio.get_running_loop().time()
    return math.ceil((now + delay) / SLOT) * SLOT - now
