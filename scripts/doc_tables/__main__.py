"""`python -m scripts.doc_tables`: write the tables of the docs that follow from code, rules and Google's description.

With `--check` nothing is written; the exit code is 1 if a page is not what it should be.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.doc_tables import command_line, endpoints, fields, permissions, registry, rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
PAGES: dict[str, Callable[[], str]] = {
    ".airflow-registry.yaml": registry.page,
    "docs/_generated/command_line.md": command_line.page,
    "docs/_generated/endpoints.md": endpoints.page,
    "docs/_generated/fields.md": fields.page,
    "docs/_generated/permissions.md": permissions.page,
    "docs/_generated/rules.md": rules.page,
}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or check them; returns the exit code."""
    stale = 0
    for name, page in PAGES.items():
        text, file = page(), ROOT / name
        if file.exists() and file.read_text("utf-8") == text:
            continue
        stale += 1
        if "--check" in arguments:
            print(f"{file} is out of date: run python -m scripts.doc_tables", file=sys.stderr)
        else:
            file.write_text(text, "utf-8")
            print(f"wrote {file}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
