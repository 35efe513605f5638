"""Which elements FHIR requires."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.fhir.model import Version


@cache
def required_elements(version: Version) -> dict[str, frozenset[str]]:
    """Return the required elements by the type, or path of a backbone element, that they belong to.

    A choice is written ``value[x]``. For DSTU2 the table has none.
    """
    text: str = load_rules("fhir_required").get(version, "")
    lines = (line.partition(":") for line in text.splitlines())
    return {path.strip(): frozenset(names.split()) for path, _, names in lines}
