"""``.airflow-registry.yaml``: what Airflow's registry of providers shows of this one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from airflow_healthcare_deid.provider_info import get_provider_info

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = ("operators", "sensors", "triggers", "hooks")


def page() -> str:
    """Return the file: every public class that the provider names, with the first line of its docstring."""
    info = get_provider_info()
    lines = [
        "# Metadata for Airflow's registry of providers. Written by python -m scripts.doc_tables.",
        f"package-name: {info['package-name']}",
        f"display-name: {info['name']}",
        f"description: {info['description']}",
        f"logo: {info['integrations'][0]['logo']}",
    ]
    for kind in _KINDS:
        lines += ["", f"{kind}:"]
        for module in info[kind][0]["python-modules"]:
            for name, summary in _classes(module):
                lines += [f"  - module: {module}.{name}", f"    description: {summary}"]
    return "\n".join(lines) + "\n"


def _classes(module: str) -> Iterator[tuple[str, str]]:
    suffixes = tuple(kind.removesuffix("s").title() for kind in _KINDS)
    for name, found in vars(import_module(module)).items():
        if getattr(found, "__module__", None) == module and name.endswith(suffixes) and not name.startswith("_"):
            yield name, str(found.__doc__).partition("\n")[0].rstrip(".").replace(": ", ", ")
