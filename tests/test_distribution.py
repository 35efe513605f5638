"""What is published: the contents of sdist and wheel, and the type hints that a user's mypy sees."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from airflow_healthcare_deid import __version__

ROOT = Path(__file__).parents[1]
PACKAGE = "airflow_healthcare_deid"

USER = """
from airflow_healthcare_deid.config import load_config
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.resource_names import DatasetName

config = load_config({"dicom": {}})
reveal_type(config.dicom)
reveal_type(DatasetName.parse("projects/p/locations/l/datasets/d").dicom_store("s"))
DeidentifyDatasetOperator(task_id="a", source_dataset="s", destination_dataset="d", config=config)
DeidentifyDatasetOperator(task_id="b", source_dataset=1, destination_dataset="d", config=config)
"""
MYPY_SETTINGS = """
[mypy]
strict = true
[mypy-airflow.*]
follow_imports = skip
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = str(tmp_path_factory.mktemp("wheel"))
    with zipfile.ZipFile(next(WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"]))) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = str(tmp_path_factory.mktemp("sdist"))
    with tarfile.open(next(SdistBuilder(str(ROOT)).build(directory=folder, versions=["standard"]))) as archive:
        top = f"airflow_healthcare_deid-{__version__}/"
        return {name.removeprefix(top) for name in archive.getnames()}


def _tree(folder: str) -> set[str]:
    """Return the files of a folder of the repository, without what running leaves behind."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: set[str]) -> None:
    info = f"{PACKAGE}-{__version__}.dist-info/"
    assert {name for name in wheel if not name.startswith(info)} == _tree(PACKAGE)
    assert {f"{info}METADATA", f"{info}entry_points.txt", f"{info}licenses/LICENSE"} <= wheel


@pytest.mark.parametrize(
    "file",
    [
        "py.typed",
        "logo.svg",
        "config/keywords.txt",
        "engine/rules/dicom_basic_profile.yaml",
        "cli/pages/preview.html",
        "cli/pages/page.css",
    ],
)
def test_what_is_no_code_is_in_the_wheel(file: str, wheel: set[str]) -> None:
    assert f"{PACKAGE}/{file}" in wheel


def test_the_sdist_holds_what_it_takes_to_test_and_document(sdist: set[str]) -> None:
    for folder in (PACKAGE, "dags", "demo", "docs", "scripts", "tests"):
        assert _tree(folder) <= sdist, folder
    assert {
        ".airflow-registry.yaml",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "Makefile",
        "constraints.txt",
        "pyproject.toml",
    } <= sdist
    assert not [name for name in sdist if name.startswith((".venv", ".build", "site/"))]


def test_the_changelog_knows_the_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_a_users_mypy_sees_the_types(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "mypy.ini").write_text(MYPY_SETTINGS)
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "user.py"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert 'Revealed type is "airflow_healthcare_deid.config.dicom.DicomConfig | None"' in told
    assert 'Revealed type is "airflow_healthcare_deid.resource_names.DicomStoreName"' in told
    assert 'user.py:10: error: Argument "source_dataset"' in told
    assert "user.py:9" not in told
