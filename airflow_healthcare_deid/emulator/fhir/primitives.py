"""What a value of a primitive type may be, https://hl7.org/fhir/R4/datatypes.html#primitive."""

from __future__ import annotations

import re
import sys
from decimal import Decimal

from airflow_healthcare_deid.emulator.fhir import dates

_NUMBERS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "positiveInt": (int,),
    "unsignedInt": (int,),
    "decimal": (int, float, Decimal),
}
_RANGES: dict[str, tuple[float, float]] = {
    "integer": (-(2**31), 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
}
_DOUBLE = (-sys.float_info.max, sys.float_info.max)

_DAY = r"\d{4}(?:-\d\d(?:-\d\d)?)?"
_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_FORMS = {
    kind: re.compile(form, re.ASCII)
    for kind, form in {
        "base64Binary": r"[A-Za-z0-9+/\s]*[=\s]*",
        "canonical": r"\S+",
        "code": r"\S+(?:\s\S+)*",
        "date": _DAY,
        "dateTime": rf"{_DAY}|{_INSTANT}",
        "id": r"[A-Za-z0-9.-]{1,64}",
        "instant": _INSTANT,
        "integer64": r"-?\d{1,19}",
        "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+",
        "time": r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?",
        "uri": r"\S+",
        "url": r"\S+",
        "uuid": r"urn:uuid:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    }.items()
}
_DATES = frozenset({"date", "dateTime", "instant"})
_MORE_THAN_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


def fault_of(value: object, kind: str) -> str | None:
    """Return what is wrong with a value of a type; None if nothing is.

    :param value: as JSON has it.
    """
    if not isinstance(value, _NUMBERS.get(kind, (str,))) or (isinstance(value, bool) and kind != "boolean"):
        return "has the wrong JSON type"
    if isinstance(value, (int, float, Decimal)):
        smallest, largest = _RANGES.get(kind, _DOUBLE)
        return None if smallest <= value <= largest else f"is outside the range of {kind}"
    if not isinstance(value, str):
        return None
    if value == "":
        return "a string may not be empty"
    form = _FORMS.get(kind)
    if (form is None or form.fullmatch(value)) and (kind not in _DATES or _is_day(value)):
        return None
    return f"is no {kind}"


def _is_day(value: str) -> bool:
    return dates.parse_interval(_MORE_THAN_MICROSECONDS.sub(r"\1", value)) is not None
