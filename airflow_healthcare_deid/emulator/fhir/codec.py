"""JSON of FHIR resources, with the precision of decimals kept: ``1.10`` stays ``1.10``.

https://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from airflow_healthcare_deid.emulator.fhir.outcome import structure

MAX_DEPTH = 100
"""Levels of nesting a resource may have; the emulator's own guard against stack exhaustion."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """Write JSON."""
    return _encoder.encode(value)


def decode(data: bytes) -> Any:
    """Read JSON.

    :raises FhirError: 400 when it is no JSON, or nested deeper than `MAX_DEPTH`; no part of the text is repeated.
    """
    try:
        value = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError, ArithmeticError):
        raise structure("the body is not valid JSON") from None
    # Nothing is nested deeper than it has brackets; few resources have so many that it must be looked at.
    if data.count(b"{") + data.count(b"[") >= MAX_DEPTH and _too_deep(value):
        raise structure(f"the body is nested deeper than {MAX_DEPTH} levels")
    return value


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True
