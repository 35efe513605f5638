from __future__ import annotations

import base64
from typing import Any

import pytest

from airflow_healthcare_deid.config import (
    DeidentifyDatasetRequest,
    fingerprint,
    has_literal_keys,
    load_config,
    secrets_of,
    to_body,
)

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in (0xFB, 0xFC)]
KMS = {"cryptoKey": "projects/p/locations/l/keyRings/r/cryptoKeys/k", "wrappedKey": KEYS[0]}


def _config(*configs: dict[str, Any]) -> dict[str, Any]:
    return {"text": {"additionalTransformations": [{"cryptoHashConfig": config} for config in configs]}}


LITERAL = _config({"cryptoKey": KEYS[0]}, {"crypto_key": KEYS[1]}, {"kmsWrapped": KMS}, {})


@pytest.mark.parametrize("source", [LITERAL, load_config(LITERAL), {"config": LITERAL}])
def test_the_literal_keys_of_a_config_are_found(source: Any) -> None:
    assert secrets_of(source) == KEYS
    assert has_literal_keys(source)


@pytest.mark.parametrize(
    "config",
    [
        {"crypto-key": KEYS[0]},
        {"CryptoKey": KEYS[0]},
        {"key": KEYS[0]},
        {"kmsWrapped": {"cryptoKey": KEYS[0], "wrappedKey": KEYS[1]}},
    ],
)
def test_a_key_in_the_wrong_place_is_a_key(config: dict[str, Any]) -> None:
    assert secrets_of(_config(config)) == [KEYS[0]]


def test_keys_are_found_in_a_request_that_was_never_checked() -> None:
    assert secrets_of(DeidentifyDatasetRequest(config=load_config(LITERAL))) == KEYS


@pytest.mark.parametrize("source", [{}, _config({"kmsWrapped": KMS}), _config({"kms_wrapped": KMS}), {"cryptoKey": 5}])
def test_a_wrapped_key_is_no_literal_key(source: Any) -> None:
    assert not has_literal_keys(source)


def test_a_fingerprint_tells_configs_apart_and_is_stable() -> None:
    bodies = [
        {},
        {"fhir": {}},
        _config({}),
        *(_config({"cryptoKey": key}) for key in KEYS),
        _config({"kmsWrapped": KMS}),
    ]
    assert len({fingerprint(body) for body in bodies}) == len(bodies)
    assert fingerprint({"fhir": {}}) == "3e77cc3a2f242c8b6be62d8365270a5161621c52533c4fe1054dff393c416567"


def test_two_spellings_of_one_key_have_one_fingerprint() -> None:
    spellings = [KEYS[0], KEYS[0].rstrip("="), base64.urlsafe_b64encode(base64.b64decode(KEYS[0])).decode()]
    assert len({fingerprint(to_body(load_config(_config({"cryptoKey": key})))) for key in spellings}) == 1


def test_what_is_no_key_has_a_fingerprint_too() -> None:
    assert fingerprint(_config({"cryptoKey": "no base64 \ud800"})) != fingerprint(_config({"cryptoKey": "other"}))
