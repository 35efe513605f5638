"""How Sphinx builds the docs. Nothing is fetched: no inventories, fonts or scripts from elsewhere."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Airflow reads its settings, and writes a default configuration, when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-docs-"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from airflow_healthcare_deid import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "airflow-healthcare-deid"
author = "The authors of airflow-healthcare-deid"
copyright = "2026, the authors; Apache-2.0"  # noqa: A001 - Sphinx's name
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_generated/*", "_kill_table.md"]
nitpicky = True
# What other packages define is named, not linked: that would need their inventories.
nitpick_ignore_regex = [("py:.*", r"(?!airflow_healthcare_deid\.).*")]
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "__new__"}
add_module_names = False
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"airflow-healthcare-deid {__version__}"
html_logo = "../airflow_healthcare_deid/logo.svg"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_sphinx = False

# Documented once, for all operators that take them.
_SHARED = ("HealthcareOperator", "HealthcareOperationOperator")


def _add_inherited_arguments(
    _app: Sphinx, what: str, _name: str, documented: Any, _options: Any, lines: list[str]
) -> None:
    """Add to an operator the arguments that a private base of it documents."""
    if what != "class":
        return
    for base in documented.__mro__[1:]:
        if base.__module__.startswith("airflow_healthcare_deid.") and base.__name__ not in (*_SHARED, "Message"):
            text = base.__doc__ or ""
            start = text.find(":param ")
            known = {line.split(":")[1] for line in lines if line.startswith(":param ")}
            for field in text[start:].split("    :param ") if start >= 0 else ():
                body = field.removeprefix(":param ").rstrip()
                if f"param {body.split(':')[0]}" not in known:
                    lines.extend(f":param {body}".splitlines())
    while lines and not lines[-1].strip():
        lines.pop()
    lines.append("")


def _skip_made_constructors(
    _app: Sphinx, _what: str, name: str, member: Any, _skip: bool, _options: Any
) -> bool | None:
    """Leave out the constructors that msgspec and enum make: they have no signature to show."""
    if name != "__init__":
        return None
    return not str(getattr(member, "__module__", "")).startswith("airflow_healthcare_deid")


def setup(app: Sphinx) -> None:
    """Connect what is special here."""
    app.connect("autodoc-skip-member", _skip_made_constructors)
    app.connect("autodoc-process-docstring", _add_inherited_arguments)
