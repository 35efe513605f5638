"""KeyRing: which key, which hash, which shift."""

from __future__ import annotations

import base64
import hashlib
import hmac
import pickle

import pytest

from airflow_healthcare_deid.config import CryptoHashConfig, DateShiftConfig, KmsWrappedCryptoKey
from airflow_healthcare_deid.engine.errors import EngineError
from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.errors import ConfigError

KEY = b"0123456789abcdef"
OWN_KEY = base64.b64encode(b"f" * 32).decode()
WRAPPED = KmsWrappedCryptoKey(
    crypto_key="projects/p/locations/l/keyRings/r/cryptoKeys/k", wrapped_key=base64.b64encode(b"w" * 40).decode()
)


def test_hash_is_hmac_sha256_in_base64() -> None:
    expected = base64.b64encode(hmac.new(KEY, b"Jane", hashlib.sha256).digest()).decode()
    assert KeyRing(KEY).crypto_hash(CryptoHashConfig(), "Jane") == expected
    assert len(expected) == 44


def test_without_a_key_each_operation_has_its_own() -> None:
    ring = KeyRing()
    first = ring.crypto_hash(CryptoHashConfig(), "Jane")
    assert first == ring.crypto_hash(CryptoHashConfig(), "Jane")
    assert first != KeyRing().crypto_hash(CryptoHashConfig(), "Jane")


def test_a_key_of_its_own_wins_over_the_operations() -> None:
    config = CryptoHashConfig(crypto_key=OWN_KEY)
    assert KeyRing(KEY).key(config) == b"f" * 32
    assert KeyRing(KEY).crypto_hash(config, "Jane") == KeyRing().crypto_hash(config, "Jane")


def test_date_shift_is_fixed_for_key_and_patient_within_the_range_and_never_none() -> None:
    ring, most = KeyRing(KEY), load_rules("keys")["date_shift"]["max_days"]
    shifts = [ring.date_shift_days(DateShiftConfig(), f"patient-{number}") for number in range(2000)]
    assert shifts == [KeyRing(KEY).date_shift_days(DateShiftConfig(), f"patient-{number}") for number in range(2000)]
    assert min(shifts) == -most
    assert max(shifts) == most
    assert 0 not in shifts


def test_shift_differs_between_keys() -> None:
    patients = [f"patient-{number}" for number in range(20)]
    one = [KeyRing(KEY).date_shift_days(DateShiftConfig(), patient) for patient in patients]
    other = [KeyRing(b"x" * 16).date_shift_days(DateShiftConfig(), patient) for patient in patients]
    assert one != other


def test_a_wrapped_key_is_unwrapped_once() -> None:
    asked: list[KmsWrappedCryptoKey] = []

    def unwrap(wrapped: KmsWrappedCryptoKey) -> bytes:
        asked.append(wrapped)
        return KEY

    ring = KeyRing(unwrap=unwrap)
    config = DateShiftConfig(kms_wrapped=WRAPPED)
    assert ring.key(config) == ring.key(config) == KEY
    assert asked == [WRAPPED]


def test_a_wrapped_key_that_nothing_can_unwrap_says_what_to_do() -> None:
    with pytest.raises(EngineError, match=r"kmsWrapped: .*Use cryptoKey, .*KeyRing\(unwrap"):
        KeyRing().key(CryptoHashConfig(kms_wrapped=WRAPPED))


@pytest.mark.parametrize("size", [0, 15, 33])
def test_keys_of_other_lengths_are_refused(size: int) -> None:
    with pytest.raises(EngineError, match=f"a key has {size} bytes"):
        KeyRing(b"k" * size)
    with pytest.raises(EngineError, match=f"a key has {size} bytes"):
        KeyRing(unwrap=lambda _: b"k" * size).key(CryptoHashConfig(kms_wrapped=WRAPPED))


def test_a_key_that_is_no_base64_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        KeyRing().key(CryptoHashConfig(crypto_key="§ecret"))
    assert "ecret" not in str(caught.value)


def test_pickled_ring_computes_the_same() -> None:
    ring = KeyRing()
    copy = pickle.loads(pickle.dumps(ring))
    assert copy.crypto_hash(CryptoHashConfig(), "Jane") == ring.crypto_hash(CryptoHashConfig(), "Jane")


def test_representation_hides_the_key() -> None:
    assert "0123" not in repr(KeyRing(KEY))
