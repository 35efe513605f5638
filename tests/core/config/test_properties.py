from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airflow_healthcare_deid.config import (
    DeidentifyConfig,
    find_problems,
    fingerprint,
    load_config,
    locate,
    secrets_of,
    to_body,
)
from airflow_healthcare_deid.errors import ConfigError
from tests.core.config.discovery import accepts
from tests.core.config.strategies import Mutation, configs, junk, mutations


@given(configs)
def test_a_valid_config_survives_being_loaded_and_sent(source: dict[str, Any]) -> None:
    config = load_config(source)
    assert to_body(config) == source
    assert load_config(config) == config
    assert load_config(json.dumps(source)) == config
    assert load_config(yaml.safe_dump(source)) == config
    assert load_config(_snake_case(source)) == config
    assert accepts("DeidentifyConfig", source)


@given(configs)
def test_no_key_shows_in_the_representation_of_a_config(source: dict[str, Any]) -> None:
    config = load_config(source)
    assert not [key for key in secrets_of(config) if key in repr(config)]


@given(configs, st.randoms())
def test_a_fingerprint_depends_on_content_alone(source: dict[str, Any], random: Any) -> None:
    assert fingerprint(_shuffled(source, random)) == fingerprint(source)
    assert fingerprint({**source, "dicom": {"skipIdRedaction": True, "filterProfile": "other"}}) != fingerprint(source)


@given(mutations())
def test_a_damaged_config_is_accepted_by_model_and_document_or_refused_by_path(mutation: Mutation) -> None:
    problems = find_problems(mutation.config)
    if not problems:
        assert accepts("DeidentifyConfig", mutation.config)
        assert to_body(load_config(mutation.config)) == _without_nulls(mutation.config)
        return
    with pytest.raises(ConfigError) as caught:
        load_config(mutation.config)
    assert str(caught.value) == str(problems[0])
    assert all(_leads_somewhere(mutation.config, problem.path) for problem in problems)
    if not accepts("DeidentifyConfig", mutation.config):
        # The damage shows in the structure alone, so the error must point at the very spot or at what is in it.
        assert all(_names(problem.path, mutation.path) for problem in problems)


@given(st.text(max_size=200))
def test_any_text_is_a_config_or_a_config_error(text: str) -> None:
    problems = find_problems(text)
    assert all(isinstance(problem, ConfigError) for problem in problems)
    assert not problems or str(problems[0])
    assert locate(text, "dicom.keepList.tags[3]") is None or text


@given(junk)
def test_any_value_is_a_config_or_a_config_error(value: Any) -> None:
    assert all(isinstance(problem, ConfigError) for problem in find_problems(value))


@given(mutations())
def test_every_problem_of_a_text_can_be_located(mutation: Mutation) -> None:
    text = json.dumps(mutation.config, indent="\t", default=str)
    lines = text.count("\n") + 1
    assert all(1 <= (locate(text, problem.path) or 0) <= lines for problem in find_problems(text))


def test_a_model_built_from_plain_parts_is_checked_too() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(DeidentifyConfig(dicom={"keepList": {"tags": ["PatientNam"]}}))  # type: ignore[arg-type]
    assert caught.value.path == "dicom.keepList.tags[0]"


def _snake_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            "".join(f"_{c.lower()}" if c.isupper() else c for c in key): _snake_case(item)
            for key, item in value.items()
        }
    return [_snake_case(item) for item in value] if isinstance(value, list) else value


def _shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: _shuffled(value[key], random) for key in keys}
    return [_shuffled(item, random) for item in value] if isinstance(value, list) else value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _names(path: str, damaged: str) -> bool:
    parent = damaged.rpartition(".")[0]
    return path.startswith(damaged) or (path == parent and not damaged.removeprefix(parent).strip(".").isidentifier())


def _leads_somewhere(config: Any, path: str) -> bool:
    """Tell whether a path exists in a config, up to its last step: what is missing is named as well."""
    steps = path.replace("[", ".[").strip(".").split(".") if path else []
    for number, step in enumerate(steps):
        index: Any = int(step[1:-1]) if step.startswith("[") else step
        try:
            config = config[index]
        except (KeyError, IndexError, TypeError):
            return number == len(steps) - 1 or step == "text"
    return True
