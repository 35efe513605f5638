"""The keys of one operation, and what is derived from them: hashes and date shifts."""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.keys import KEY_SIZES, decode_key
from airflow_healthcare_deid.engine.errors import EngineError
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.config import CryptoHashConfig, DateShiftConfig, KmsWrappedCryptoKey

# The hash of a patient's id may be published; the shift of the same patient under the same key must not follow from it.
_DATE_SHIFT_DOMAIN = b"date-shift\x00"


class KeyRing:
    """Resolves the keys that a configuration names and computes with them.

    One ring serves one operation: a transformation without a key of its own uses the operation's key, so that equal
    values stay equal within the operation and differ between operations. Picklable when ``unwrap`` is.

    :param operation_key: the key for transformations that name none; random when omitted.
    :param unwrap: decrypts a key that Cloud KMS wrapped; without it such a key is an error.
    :raises EngineError: when the operation key is not 16, 24 or 32 bytes long.
    """

    def __init__(
        self, operation_key: bytes | None = None, unwrap: Callable[[KmsWrappedCryptoKey], bytes] | None = None
    ) -> None:
        self._operation_key = secrets.token_bytes(32) if operation_key is None else _checked(operation_key)
        self._unwrap = unwrap
        self._unwrapped: dict[KmsWrappedCryptoKey, bytes] = {}
        self._max_shift = int(load_rules("keys")["date_shift"]["max_days"])

    def __repr__(self) -> str:
        return "KeyRing()"

    def key(self, config: CryptoHashConfig | DateShiftConfig) -> bytes:
        """Return the key that a transformation uses.

        :raises ConfigError: when it is not the base64 of an AES key.
        :raises EngineError: when it is wrapped by Cloud KMS and nothing can unwrap it, or is no AES key unwrapped.
        """
        if config.crypto_key is not None:
            return decode_key(config.crypto_key)
        if config.kms_wrapped is not None:
            return self._unwrapped_key(config.kms_wrapped)
        return self._operation_key

    def crypto_hash(self, config: CryptoHashConfig, value: str) -> str:
        """Return the keyed hash of a value: HMAC-SHA-256 of its UTF-8 bytes in base64, 44 characters.

        Google documents SHA-256, the base64 form and the key lengths, not how the key enters: `rules/keys.yaml`.
        """
        return base64.b64encode(_hmac(self.key(config), value.encode("utf-8", "surrogatepass"))).decode("ascii")

    def date_shift_days(self, config: DateShiftConfig, patient_key: str) -> int:
        """Return by how many days to move the dates of a patient: the same for one key and patient, never 0.

        :param patient_key: what the shift is fixed for: the patient's id, or the study's UID where there is none.
        """
        digest = _hmac(self.key(config), _DATE_SHIFT_DOMAIN + patient_key.encode("utf-8", "surrogatepass"))
        days = 1 + int.from_bytes(digest[:8], "big") % self._max_shift
        return days if digest[8] & 1 else -days

    def _unwrapped_key(self, wrapped: KmsWrappedCryptoKey) -> bytes:
        key = self._unwrapped.get(wrapped)
        if key is None:
            if self._unwrap is None:
                raise EngineError(
                    "kmsWrapped: the key is wrapped by Cloud KMS, which is out of reach here. "
                    "Use cryptoKey, leave both out for a random key, or pass KeyRing(unwrap=…)"
                )
            key = self._unwrapped[wrapped] = _checked(self._unwrap(wrapped))
        return key


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _checked(key: bytes) -> bytes:
    if len(key) not in KEY_SIZES:
        raise EngineError(f"a key has {len(key)} bytes. Use an AES key of 16, 24 or 32 bytes")
    return key
