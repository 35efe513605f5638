"""References that follow when the ids of resources are replaced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ID = r"[A-Za-z0-9.-]{1,64}"
_LOCAL = re.compile(rf"#({_ID})")
_TYPED = re.compile(
    rf"((?:[A-Za-z][A-Za-z0-9+.-]*:[^\s?#]*/)?([A-Z][A-Za-z]{{1,63}})/)({_ID})((?:/_history/{_ID})?(?:#\S*)?)"
)
_UUID = re.compile(r"urn:uuid:([0-9A-Fa-f-]{36})")
_OTHER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s?]+|#")


def is_reference(text: str) -> bool:
    """Whether a text is nothing but the address of a resource: no search, no words."""
    return any(form.fullmatch(text) for form in (_LOCAL, _TYPED, _UUID, _OTHER))


class ReferenceMapper:
    """Rewrites references to resources whose ids are replaced.

    :param replaced: whether the ids of a resource type are replaced.
    :param any_replaced: whether those of any type are; UUIDs, which tell no type, follow then.
    :param id_of: the new id for an old one.
    :param uuid_of: the new ``urn:uuid`` for the id in an old one.
    """

    def __init__(
        self,
        replaced: Callable[[str], bool],
        any_replaced: bool,
        id_of: Callable[[str], str],
        uuid_of: Callable[[str], str],
    ) -> None:
        self._replaced = replaced
        self._id_of = id_of
        self._uuid_of = uuid_of
        self.active = any_replaced

    def map(self, reference: str, contained: dict[str, str]) -> str:
        """Return a reference, ``fullUrl`` or request URL with the new id; the very input when it has none.

        :param contained: types of the contained resources of the resource by their ids.
        """
        if not self.active:
            return reference
        typed = _TYPED.fullmatch(reference)
        if typed:
            return f"{typed[1]}{self._id_of(typed[3])}{typed[4]}" if self._replaced(typed[2]) else reference
        local = _LOCAL.fullmatch(reference)
        if local:
            return f"#{self._id_of(local[1])}" if self._replaced(contained.get(local[1], "")) else reference
        by_uuid = _UUID.fullmatch(reference)
        return self._uuid_of(by_uuid[1].lower()) if by_uuid else reference
