"""The IAM permissions that each method needs, from the table that error messages quote."""

from __future__ import annotations

from airflow_healthcare_deid.hooks._methods import METHODS
from scripts.doc_tables.markdown import table


def page() -> str:
    """Return the table."""
    rows = [(f"`{method.name}`", method.permission) for method in METHODS.values()]
    return table(("method", "needs"), rows) + "\n"
