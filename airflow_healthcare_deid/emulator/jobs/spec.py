"""What a de-identification job is told: the configuration and the operation's key, as they cross to the workers."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Self

import msgspec

if TYPE_CHECKING:
    from airflow_healthcare_deid.config import DeidentifyConfig, KmsWrappedCryptoKey
    from airflow_healthcare_deid.engine.keys import KeyRing


class Spec(msgspec.Struct, frozen=True):
    """A checked configuration with its keys.

    :param config: the ``DeidentifyConfig`` in Google's JSON.
    :param key: base64 of the operation's own random key; kept with the operation so that work taken up after a
        restart gives the same results, and forgotten when the work ends.
    """

    config: dict[str, Any]
    key: str

    @classmethod
    def new(cls, config: DeidentifyConfig) -> Self:
        """Return the spec of a new operation."""
        from airflow_healthcare_deid.config import to_body

        return cls(to_body(config), base64.b64encode(secrets.token_bytes(32)).decode())

    def __repr__(self) -> str:
        return "Spec()"

    def deidentify_config(self) -> DeidentifyConfig:
        """Return the configuration."""
        from airflow_healthcare_deid.config import load_config

        return load_config(self.config)

    def key_ring(self) -> KeyRing:
        """Return the keys."""
        from airflow_healthcare_deid.engine.keys import KeyRing

        return KeyRing(base64.b64decode(self.key), unwrap_without_kms)


def unwrap_without_kms(wrapped: KmsWrappedCryptoKey) -> bytes:
    """Return a key that stands in for one that Cloud KMS wrapped.

    The emulator can't ask Cloud KMS. It derives a key from the two names instead: the same wrapped key always gives
    the same key, though not the one that is inside.
    """
    return hashlib.sha256(f"{wrapped.crypto_key}\0{wrapped.wrapped_key}".encode()).digest()
