"""Looks that are due in the same slot are made at the same moment."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.triggers._slots import SLOT, to_slot


def end_of_wait(now: float, delay: float) -> float:
    """Return when a wait ends that begins at a moment of the loop's clock."""

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "time", lambda: now)
            return now + to_slot(delay)

    return asyncio.run(ask())


@given(st.floats(0, 1e6), st.floats(0, 86_400))
def test_a_wait_is_lengthened_to_the_end_of_its_slot_and_never_shortened(now: float, delay: float) -> None:
    end = end_of_wait(now, delay)
    assert now + delay - 1e-6 <= end <= now + delay + SLOT + 1e-6
    assert abs(end / SLOT - round(end / SLOT)) < 1e-6


def test_waits_of_one_slot_end_together() -> None:
    assert {round(end_of_wait(10.0 + late, 3.001), 6) for late in (0, 0.01, 0.02, 0.03)} == {13.05}
