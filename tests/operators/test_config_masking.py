"""Keys in a config: refused where everybody could read them, masked where they come out of a template."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_healthcare_deid.config import (
    CryptoHashConfig,
    DeidentifyConfig,
    InfoTypeTransformation,
    TextConfig,
    load_config,
)
from airflow_healthcare_deid.errors import ConfigError
from airflow_healthcare_deid.operators.deidentify import DeidentifyDatasetOperator
from airflow_healthcare_deid.version_compat import AIRFLOW_V_3_0_PLUS
from tests.support.wing import DESTINATION, SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "U0VDUkVULVNFQ1JFVC1TRUNSRVQtU0VDUkVULTEyMzQ="
KMS = "projects/p/locations/l/keyRings/r/cryptoKeys/k"


def config_with(key: str) -> dict[str, Any]:
    return {
        "text": {"additionalTransformations": [{"infoTypes": ["PERSON_NAME"], "cryptoHashConfig": {"cryptoKey": key}}]}
    }


def operator(config: Any, **arguments: Any) -> DeidentifyDatasetOperator:
    return DeidentifyDatasetOperator(
        task_id="deidentify",
        source_dataset=str(SOURCE),
        destination_dataset=str(DESTINATION),
        config=config,
        **arguments,
    )


MODEL = DeidentifyConfig(
    text=TextConfig(
        additional_transformations=[
            InfoTypeTransformation(info_types=["PERSON_NAME"], crypto_hash_config=CryptoHashConfig(crypto_key=KEY))
        ]
    )
)


@pytest.mark.parametrize(
    "config",
    [config_with(KEY), json.dumps(config_with(KEY)), f"text: {{x: {{crypto_key: {KEY}}}}}", MODEL],
    ids=["dict", "JSON", "YAML", "model"],
)
def test_a_literal_key_in_the_dag_file_is_refused(config: Any) -> None:
    with pytest.raises(ConfigError, match="kmsWrapped") as caught:
        operator(config)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        config_with("{{ var.value.deid_key }}"),
        {
            "text": {
                "additionalTransformations": [
                    {"cryptoHashConfig": {"kmsWrapped": {"cryptoKey": KMS, "wrappedKey": "AAAA"}}}
                ]
            }
        },
        "configs/deidentify.yaml",
    ],
    ids=["template", "KMS", "file"],
)
def test_a_key_that_is_not_in_the_dag_file_is_allowed(config: Any) -> None:
    operator(config)


# What Airflow stores of a task before it is executed ----------------------------------------------------------------


@pytest.fixture
def unmasked() -> Iterator[None]:
    """Forget what other tests had masked."""
    masker = secrets_masker()
    before = masker.replacer, masker.patterns
    masker.replacer, masker.patterns = None, set()
    yield
    masker.replacer, masker.patterns = before


def secrets_masker() -> Any:
    for module in ("airflow.sdk._shared.secrets_masker", "airflow.sdk.execution_time.secrets_masker"):
        with suppress(ModuleNotFoundError):
            return import_module(module)._secrets_masker()
    return import_module("airflow.utils.log.secrets_masker")._secrets_masker()


def stored(task: Any) -> str:
    """Return what Airflow stores of a task's rendered fields."""
    if AIRFLOW_V_3_0_PLUS:
        runner = import_module("airflow.sdk.execution_time.task_runner")
        return json.dumps(runner._serialize_rendered_fields(task))
    fields = import_module("airflow.models.renderedtifields").get_serialized_template_fields(task)
    return json.dumps({name: secrets_masker().redact(value, name) for name, value in fields.items()})


CONTEXT: Any = {"params": {"key": KEY}}


@pytest.mark.usefixtures("unmasked")
@pytest.mark.parametrize(
    "config",
    [
        config_with("{{ params.key }}"),
        json.dumps(config_with("{{ params.key }}")),
        "text:\n  additionalTransformations:\n  - cryptoHashConfig:\n      cryptoKey: {{ params.key }}\n",
        '{"text": broken, "cryptoKey": "{{ params.key }}"',
        {"text": {"additionalTransformations": [{"cryptoHashConfig": {"crypto-key": "{{ params.key }}"}}]}},
        {
            "text": {
                "additionalTransformations": [{"cryptoHashConfig": {"kmsWrapped": {"cryptoKey": "{{ params.key }}"}}}]
            }
        },
    ],
    ids=["dict", "JSON", "YAML", "broken", "misspelt", "misplaced"],
)
def test_a_rendered_key_is_not_stored(config: Any) -> None:
    task = operator(config)
    task.render_template_fields(CONTEXT)
    assert KEY in str(type(task).config.reveal(task))
    assert KEY not in stored(task)
    assert "***" in stored(task)


@pytest.mark.usefixtures("unmasked")
def test_a_task_that_is_rendered_twice_keeps_its_key() -> None:
    task = operator(config_with("{{ params.key }}"))
    task.render_template_fields(CONTEXT)
    task.render_template_fields(CONTEXT)
    assert type(task).config.reveal(task) == config_with(KEY)
    assert copy.deepcopy(task).config == config_with("***")


@pytest.mark.usefixtures("unmasked")
def test_the_key_in_a_file_is_stored_neither_with_the_dag_nor_with_the_task(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config_with("{{ params.key }}")))
    with DAG("dag", schedule=None, template_searchpath=[str(tmp_path)]) as dag:
        task = operator("config.json")
    dag.resolve_template_files()
    assert task.config == "config.json"
    task.render_template_fields(CONTEXT, dag.get_template_env())
    assert load_config(type(task).config.reveal(task)) == MODEL
    assert KEY not in stored(task)


@pytest.mark.usefixtures("unmasked")
def test_a_mapped_task_masks_its_keys_too() -> None:
    with DAG("dag", schedule=None):
        mapped = DeidentifyDatasetOperator.partial(
            task_id="deidentify", source_dataset=str(SOURCE), config=config_with("{{ params.key }}")
        ).expand(destination_dataset=[str(DESTINATION)])
    task: Any = mapped.unmap({"destination_dataset": str(DESTINATION)})
    task._do_render_template_fields(task, mapped.template_fields, CONTEXT, task.get_template_env(), set())
    assert KEY in str(type(task).config.reveal(task))
    assert KEY not in stored(task)


def test_an_address_is_text_and_no_file() -> None:
    task = DeidentifyDatasetOperator(
        task_id="deidentify",
        source_dataset=str(SOURCE),
        destination_dataset=str(DESTINATION),
        gcs_config_uri="gs://bucket/{{ params.key }}/config.json",
    )
    task.render_template_fields(CONTEXT)
    assert task.gcs_config_uri == f"gs://bucket/{KEY}/config.json"


def test_a_config_is_shown_as_json() -> None:
    assert DeidentifyDatasetOperator.template_fields_renderers == {"config": "json"}
    assert set(DeidentifyDatasetOperator.template_ext) == {".json", ".yaml", ".yml"}


def test_the_dag_holds_nothing_but_templates() -> None:
    serialization: Any = import_module("airflow.serialization.serialized_objects")
    with DAG("dag", schedule=None) as dag:
        operator(config_with("{{ var.value.deid_key }}"))
    serializer = getattr(serialization, "DagSerialization", None) or serialization.SerializedDAG
    assert "var.value.deid_key" in json.dumps(serializer.to_dict(dag))
