"""The engine's default tables, one YAML file each.

A row that Google does not document carries ``source:`` and the word ``inferred``: whoever has access to the service
corrects the row, and no code.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load_rules(name: str) -> dict[str, Any]:
    """Return the table ``name`` of this folder, without its suffix; shared by all callers, so not to be changed.

    :raises FileNotFoundError: when there is no such table.
    """
    import yaml

    table = yaml.safe_load(files(__name__).joinpath(f"{name}.yaml").read_text("utf-8"))
    assert isinstance(table, dict)
    return table
