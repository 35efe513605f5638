"""Keys for hashing and date shifting: given as they are, or wrapped by Cloud KMS.

Rules: ``CryptoHashConfig``, ``DateShiftConfig`` and ``KmsWrappedCryptoKey`` of the discovery document. No message of an
error here holds any part of a key.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from typing import TYPE_CHECKING

from airflow_healthcare_deid.config.message import Message, at_most_one
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from airflow_healthcare_deid.config.message import Report

KEY_SIZES = (16, 24, 32)
"""Bytes of an AES 128, 192 or 256 bit key."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_KMS_KEY = re.compile(r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[\w-]{1,63}/cryptoKeys/[\w-]{1,63}", re.ASCII)
_KMS_FORM = "projects/PROJECT/locations/LOCATION/keyRings/KEYRING/cryptoKeys/KEY"
_NEW_KEY = "Make one with: openssl rand -base64 32"


def decode_base64(text: str, path: str = "cryptoKey") -> bytes:
    """Read bytes as JSON carries them: base64, standard or URL-safe, padded or not.

    :param text: the base64 text.
    :param path: what an error calls it.
    :raises ConfigError: if it is no base64; the text itself is not part of the error.
    """
    if text != text.strip():
        raise ConfigError(path, "starts or ends with white space", "Strip it; base64 and echo add a line end")
    standard = text.replace("-", "+").replace("_", "/")
    if not _BASE64.fullmatch(standard):
        raise ConfigError(path, "is not base64", _NEW_KEY)
    standard = standard.rstrip("=")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        raise ConfigError(path, "is cut off: its length is none that base64 gives", _NEW_KEY) from None


def decode_key(text: str, path: str = "cryptoKey") -> bytes:
    """Read an AES key of 16, 24 or 32 bytes from base64.

    :param text: the base64 text.
    :param path: what an error calls it.
    :raises ConfigError: if it is no base64 or has another length; the key itself is not part of the error.
    """
    key = decode_base64(text, path)
    if len(key) not in KEY_SIZES:
        raise ConfigError(path, f"holds {len(key)} bytes; a key has 16, 24 or 32", _NEW_KEY)
    return key


class KmsWrappedCryptoKey(Message, frozen=True, kw_only=True):
    """A key of 128, 192 or 256 bits, wrapped by Cloud KMS.

    The Healthcare service agent needs ``cloudkms.cryptoKeyVersions.useToDecrypt`` on the KMS key.

    :param crypto_key: resource name of the KMS key, ``projects/P/locations/L/keyRings/R/cryptoKeys/K``. Required.
    :param wrapped_key: the wrapped key, base64. Required.
    """

    crypto_key: str | None = None
    wrapped_key: str | None = None

    def __repr__(self) -> str:
        return f"KmsWrappedCryptoKey(crypto_key={self.crypto_key!r}, wrapped_key={_hidden(self.wrapped_key)})"

    def check(self, report: Report) -> None:
        if self.crypto_key is None:
            report("cryptoKey", "is missing", f"Give the KMS key's resource name, {_KMS_FORM}")
        elif not _KMS_KEY.fullmatch(self.crypto_key):
            # Somebody may have put the key itself here, so the value is not shown.
            report("cryptoKey", "is no KMS key's resource name", f"Use {_KMS_FORM}, without a version")
        if not self.wrapped_key:
            report("wrappedKey", "is missing", "Give the key that KMS wrapped, base64")
        else:
            try:
                decode_base64(self.wrapped_key)
            except ConfigError as error:
                report("wrappedKey", error.problem, "Give the ciphertext that KMS answered, base64")


class _Keyed(Message, frozen=True, kw_only=True):
    crypto_key: str | None = None
    kms_wrapped: KmsWrappedCryptoKey | None = None

    def __repr__(self) -> str:
        key = _hidden(self.crypto_key)
        return f"{type(self).__name__}(crypto_key={key}, kms_wrapped={self.kms_wrapped!r})"

    def check(self, report: Report) -> None:
        at_most_one(self, report, "crypto_key", "kms_wrapped")
        if self.crypto_key is not None:
            try:
                decode_key(self.crypto_key)
            except ConfigError as error:
                report("cryptoKey", error.problem, error.way_out)


class CryptoHashConfig(_Keyed, frozen=True, kw_only=True):
    """Replace a value by a hash under a key, base64 of 32 bytes.

    :param crypto_key: AES key of 16, 24 or 32 bytes, base64; hidden in ``repr``.
    :param kms_wrapped: the same, wrapped by Cloud KMS. With neither, each operation makes a key of its own.
    """


class DateShiftConfig(_Keyed, frozen=True, kw_only=True):
    """Shift a date by a number of days that is the same for one patient and key.

    :param crypto_key: AES key of 16, 24 or 32 bytes, base64; hidden in ``repr``.
    :param kms_wrapped: the same, wrapped by Cloud KMS. With neither, each operation makes a key of its own.
    """


def _hidden(key: str | None) -> str:
    return "None" if key is None else "<hidden>"
