"""Check digits: what tells a credit card number from any sixteen digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def luhn(value: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1)."""
    digits = [int(character) for character in value if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(digits) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban(value: str) -> bool:
    """Whether the check digits of an account number are right (ISO 13616)."""
    compact = value.replace(" ", "")
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def vin(value: str) -> bool:
    """Whether the ninth character of a vehicle identification number is right (49 CFR 565.15)."""
    total = sum(
        weight * (int(character) if character.isdigit() else _VIN_VALUES[character])
        for weight, character in zip(_VIN_WEIGHTS, value, strict=True)
    )
    return value[8] == "0123456789X"[total % 11]


CHECKS: dict[str, Callable[[str], bool]] = {"luhn": luhn, "iban": iban, "vin": vin}
"""By the names that `rules/text_patterns.yaml` uses."""
