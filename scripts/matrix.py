"""One wheel, every version of Airflow: the unit and emulator tests on each, and one table at the end.

``python scripts/matrix.py [--versions "2.11 3.3 lowest"]`` runs; ``python scripts/matrix.py --pin`` resolves anew what
each version is tested with. Left out are the tests that start a real Airflow (``e2e``) and those of the docs, demo,
examples, README and of what is published, which are of this repository and not of the wheel: ``make test`` runs them on
the newest version.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "matrix"
# Everything the tests read, but not the package: that has to come from the wheel.
TREE = ("tests", "demo", "scripts", "pyproject.toml")
OF_THE_REPOSITORY = (
    "tests/dags",
    "tests/demo",
    "tests/docs",
    "tests/quality",
    "tests/test_distribution.py",
    "tests/test_readme.py",
)

NEWEST = "3.3"
OLDER = ("2.11", "3.0", "3.1", "3.2")
LOWEST = "lowest"
"""The lowest versions that pyproject.toml allows, of Airflow and of everything else."""
ALL = (LOWEST, *OLDER, NEWEST)

UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@dataclass(frozen=True)
class Outcome:
    """What the tests of one version came to."""

    version: str
    airflow: str
    passed: int
    failed: int
    skipped: int
    seconds: float


def pins(version: str) -> Path:
    """Return the file of the versions that are installed for this one."""
    if version == NEWEST:
        return ROOT / "constraints.txt"
    return ROOT / "constraints" / (f"{LOWEST}.txt" if version == LOWEST else f"airflow-{version}.txt")


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command that has to succeed."""
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def compile_pins(upgrade: bool) -> None:
    """Resolve what is tested, for every version but the newest, whose pins `make constraints` has made before."""
    if UV is None:
        raise SystemExit("uv is needed to resolve versions: pip install uv")
    (ROOT / "constraints").mkdir(exist_ok=True)
    everything = [UV, "pip", "compile", "pyproject.toml", "--all-extras", "--group", "dev", "--python-version", "3.11"]
    everything += ["--quiet", "--no-header", "--no-annotate", *(["--upgrade"] if upgrade else [])]
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        for version in OLDER:
            wanted.write_text(f"apache-airflow=={version}.*\n")
            run(*everything, "--constraint", wanted, "--output-file", pins(version))
        # The tools that test are nobody's dependency: they may be as new as what is under test lets them be.
        wanted.write_text("\n".join(lower_bounds()))
        run(*everything, "--constraint", wanted, "--output-file", pins(LOWEST))


def lower_bounds() -> list[str]:
    """Return every lower bound of the package and its extras, as the only version allowed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return sorted({text.replace(">=", "==") for text in requirements if ">=" in text})


def build_wheel() -> Path:
    """Build the one wheel that every version gets."""
    folder = BUILD / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    if UV:
        run(UV, "build", "--quiet", "--wheel", "--out-dir", folder)
    else:
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".")
    [wheel] = folder.glob("*.whl")
    return wheel


def copy_tree() -> Path:
    """Copy the tests to a place where the package's source is not importable."""
    tree = BUILD / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in TREE:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, tree / name)
    return tree


def install(version: str, wheel: Path) -> Path:
    """Bring the version's environment to its pins and the wheel; returns its Python."""
    environment = ROOT / ".venvs" / (LOWEST if version == LOWEST else f"airflow-{version}")
    python = environment / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", *(["--without-pip"] if UV else []), environment)
    if UV:
        run(UV, "pip", "sync", "--quiet", "--python", python, pins(version))
        run(UV, "pip", "install", "--quiet", "--python", python, "--no-deps", wheel)
    else:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        run(*pip, "--requirement", pins(version))
        run(*pip, "--force-reinstall", wheel)
    return python


def run_tests(version: str, python: Path, tree: Path, arguments: list[str]) -> Outcome:
    """Run the tests on one version."""
    question = "import airflow, airflow_healthcare_deid as us; print(airflow.__version__, us.__file__)"
    answer = subprocess.run([python, "-c", question], cwd=tree, check=True, capture_output=True, text=True).stdout
    airflow, _, package = answer.splitlines()[-1].partition(" ")
    if "site-packages" not in package:
        raise SystemExit(f"{package} is tested and not the wheel")
    report = BUILD / f"{version}.xml"
    report.unlink(missing_ok=True)
    started = time.monotonic()
    command = [str(python), "-m", "pytest", "-q", "-n", "2", "-m", "not e2e"]
    command += [f"--ignore={tests}" for tests in OF_THE_REPOSITORY]
    code = subprocess.run([*command, f"--junit-xml={report}", *arguments], cwd=tree, check=False).returncode
    seconds = time.monotonic() - started
    if not report.exists():
        return Outcome(version, airflow, 0, 1, 0, seconds)
    suite = ElementTree.parse(report).getroot()[0]
    tests, failures, errors, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    return Outcome(version, airflow, tests - failed - skipped, failed or int(code != 0), skipped, seconds)


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as text."""
    lines = [f"{'':<8}{'Airflow':>9}{'passed':>9}{'failed':>9}{'skipped':>9}{'time':>9}"]
    for one in outcomes:
        lines.append(
            f"{one.version:<8}{one.airflow:>9}{one.passed:>9}{one.failed:>9}{one.skipped:>9}{one.seconds:>7.0f} s"
        )
    return "\n".join(lines)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", default="", help=f"some of: {' '.join(ALL)} (default: all)")
    parser.add_argument("--pin", action="store_true", help="resolve the versions anew instead of testing")
    parser.add_argument("--upgrade", action="store_true", help="with --pin: take the newest of everything")
    parser.add_argument("tests", nargs="*", help="files or folders of tests (default: all that are of the wheel)")
    options = parser.parse_args()
    if options.pin:
        compile_pins(options.upgrade)
        return 0
    versions = options.versions.split() or ALL
    if unknown := set(versions) - set(ALL):
        parser.error(f"unknown: {' '.join(sorted(unknown))}; there is {' '.join(ALL)}")
    wheel, tree = build_wheel(), copy_tree()
    outcomes = []
    for version in versions:
        print(f"\n== Airflow {version}: installing {pins(version).relative_to(ROOT)}", flush=True)
        outcomes.append(run_tests(version, install(version, wheel), tree, options.tests))
    print(f"\n{wheel.name}\n{table(outcomes)}")
    return int(any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
