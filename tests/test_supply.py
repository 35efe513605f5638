"""What comes with the package: licences of everything that is installed with it, and nothing from the network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GPL = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public License", re.IGNORECASE)
CHOICES = {
    # Of Airflow's, by way of python-slugify: "Artistic License or GPL", as the user chooses.
    "text-unidecode": "Artistic License",
}

IMPORT_ALL = """
import json, pkgutil, sys
from importlib import import_module
calls = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        calls.append(f"{event} {arguments[1:]}")
        raise OSError("no network")
sys.addaudithook(watch)
import airflow_healthcare_deid as package
names = [found.name for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    if not name.endswith(".__main__"):
        import_module(name)
print(json.dumps({"modules": len(names), "calls": calls}))
"""


def closure(name: str) -> dict[str, Distribution]:
    """Return every distribution that a requirement brings, of those that are installed."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    pending = [Requirement(name)]
    while pending:
        wanted = pending.pop()
        try:
            one = distribution(wanted.name)
        except PackageNotFoundError:
            continue
        found[canonicalize_name(wanted.name)] = one
        for extra in {"", *wanted.extras}:
            if (key := (canonicalize_name(wanted.name), extra)) in seen:
                continue
            seen.add(key)
            requirements = map(Requirement, one.requires or ())
            pending += [part for part in requirements if not part.marker or part.marker.evaluate({"extra": extra})]
    return found


def licences(one: Distribution) -> list[str]:
    """Return what a distribution, or else its file, says of its licence; of a licence given in full, the heading."""
    classifiers = [text for text in one.metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    texts = [
        *(one.metadata.get_all("License-Expression") or []),
        *(text[:80] for text in one.metadata.get_all("License") or []),
        *classifiers,
    ]
    named = [text for text in texts if text and text != "UNKNOWN"]
    files = [file for file in one.files or [] if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))]
    return named or [file.read_text()[:80] for file in files]


def test_nothing_that_is_installed_is_under_the_gpl() -> None:
    found = closure("airflow-healthcare-deid[all]")
    assert {"apache-airflow", "onnxruntime", "pydicom", "starlette"} <= found.keys()
    assert [name for name, one in found.items() if not licences(one)] == []
    under_gpl = {name: licences(one) for name, one in found.items() if GPL.search(" ".join(licences(one)))}
    refused = {name: texts for name, texts in under_gpl.items() if CHOICES.get(name, "GPL") not in texts}
    assert refused == {}


def test_no_module_uses_the_network_when_it_is_imported() -> None:
    output = subprocess.run([sys.executable, "-c", IMPORT_ALL], check=True, capture_output=True, text=True).stdout
    result = json.loads(output.splitlines()[-1])
    assert result["modules"] > 100
    assert result["calls"] == []
