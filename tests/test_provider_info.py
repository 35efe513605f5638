"""What Airflow knows of this package."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files

import jsonschema  # type: ignore[import-untyped]

from airflow_healthcare_deid import __version__
from airflow_healthcare_deid.provider_info import get_provider_info


def test_the_entry_point_leads_here() -> None:
    [point] = [
        point for point in entry_points(group="apache_airflow_provider") if point.value.startswith("airflow_healthcare")
    ]
    assert point.load() is get_provider_info


def test_the_metadata_follows_airflows_schema() -> None:
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)
    assert get_provider_info()["versions"] == [__version__]


def test_everything_that_is_named_exists() -> None:
    info = get_provider_info()
    for kind in ("hooks", "operators", "sensors", "triggers"):
        [entry] = info[kind]
        assert entry["python-modules"], kind
        for module in entry["python-modules"]:
            import_module(module)
    for link in info["extra-links"]:
        module, _, name = link.rpartition(".")
        assert hasattr(import_module(module), name)


def test_the_logo_is_in_the_package() -> None:
    [integration] = get_provider_info()["integrations"]
    package, _, file = integration["logo"].partition("/")
    assert files(package).joinpath(file).is_file()


def test_no_connection_type_is_registered() -> None:
    """The hook uses Google's; a second claim to it would hide theirs."""
    assert "connection-types" not in get_provider_info()
