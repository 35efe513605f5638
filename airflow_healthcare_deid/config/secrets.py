"""Keys inside of a config: which there are, and how to compare configs without showing them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_healthcare_deid.config.keys import decode_base64
from airflow_healthcare_deid.config.message import Message, to_body
from airflow_healthcare_deid.errors import ConfigError

_KEYS = frozenset({"cryptoKey", "crypto_key"})
_WRAPPED = frozenset({"kmsWrapped", "kms_wrapped"})
_SALT = b"airflow-healthcare-deid fingerprint"
_ROUNDS = 20_000


def secrets_of(config: Message | Mapping[str, Any]) -> list[str]:
    """Return the literal keys of a config, to be masked wherever they could show.

    :param config: a config or request, as models or as plain data, checked or not. The name of a KMS key is no secret,
        and neither is a wrapped key: only KMS can open it.
    """
    return list(_literal_keys(to_body(config) if isinstance(config, Message) else config))


def has_literal_keys(config: Message | Mapping[str, Any]) -> bool:
    """Tell whether a config holds a key that is not wrapped.

    :param config: as for :func:`secrets_of`.
    """
    return bool(secrets_of(config))


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a body, 64 hexadecimal digits.

    Two bodies have the same one if they ask for the same. A literal key enters it stretched by PBKDF2, so that even a
    key made from a password cannot be had from a stored fingerprint by quick guessing.

    :param body: what :func:`~airflow_healthcare_deid.config.to_body` gives.
    """
    canonical = json.dumps(_without_keys(body), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _literal_keys(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if isinstance(item, str):
                if _may_be_key(name, item):
                    yield item
            else:
                yield from _literal_keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _literal_keys(item)


def _may_be_key(name: object, text: str) -> bool:
    """Tell whether a text may be a key: one in the wrong place or under a misspelt name must not show either."""
    folded = "".join(letter for letter in str(name).lower() if letter.isalpha())
    is_kms_name = text.startswith("projects/") or "/keyRings/" in text
    return folded.endswith("key") and folded != "wrappedkey" and not is_kms_name


def _without_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _stretched(item)
            if name in _KEYS and isinstance(item, str)
            else (dict(item) if name in _WRAPPED and isinstance(item, Mapping) else _without_keys(item))
            for name, item in value.items()
        }
    return [_without_keys(item) for item in value] if isinstance(value, list | tuple) else value


def _stretched(key: str) -> str:
    try:
        material = decode_base64(key)
    except ConfigError:
        material = key.encode(errors="surrogatepass")
    return hashlib.pbkdf2_hmac("sha256", material, _SALT, _ROUNDS).hex()
