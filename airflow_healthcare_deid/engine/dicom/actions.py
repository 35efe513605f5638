"""What can be done to an element, and the tables that say what is done to which.

A `Policy` decides by tag. An `ActionTable` remembers its decisions under the bytes that a header starts with, so that
the walk asks with what it has just read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from pydicom.datadict import dictionary_VR

from airflow_healthcare_deid.engine.dicom.encoding import IMPLICIT_LITTLE

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.dicom.encoding import Encoding

# Plain numbers: the walk compares one per element. KEEP is 0 so that the most common case is the cheapest test.
KEEP: Final = 0
REMOVE: Final = 1
EMPTY: Final = 2
"""Zero length."""
DUMMY: Final = 3
"""A harmless value of the same VR; in a sequence, in every leaf."""
LEAF: Final = 4
"""Below a `DUMMY` sequence: a harmless value if the VR can hold an identifier."""
UID: Final = 5
"""Another UID, the same one for the same UID."""
CONTENT: Final = 6
"""What text de-identification makes of it."""
NOTE: Final = 7
"""Kept, and told to the one who supplies values."""
MAYBE_ITEMS: Final = 8
"""Kept; without a VR in the file it may be a sequence."""
ITEM_END: Final = 9
"""Not an element: the end of an item of undefined length."""
MISPLACED: Final = 10
"""Not an element, and nothing that can stand where one is expected."""

NAMES: Final = {REMOVE: "remove", EMPTY: "empty", DUMMY: "dummy", LEAF: "dummy", UID: "uid", CONTENT: "transform"}

_ITEM_DELIMITATION = 0xFFFEE00D
_REMEMBERED = 1 << 14


class Policy(Protocol):
    """Decides what is done to elements."""

    def inside(self, tag: int, action: int) -> Policy:
        """Return the policy for the items of a sequence that `action` leaves in place."""

    def decide(self, tag: int) -> int:
        """Return the action for a tag."""

    def rule(self, tag: int) -> str:
        """Return which field of the configuration or row of a table decided."""


class _Untouched:
    """Keeps everything."""

    def inside(self, tag: int, action: int) -> Policy:
        return self

    def decide(self, tag: int) -> int:
        return KEEP

    def rule(self, tag: int) -> str:
        return ""


UNTOUCHED: Final[Policy] = _Untouched()


class ActionTable(dict[int, int]):
    """The decisions of a policy, under the first four bytes of a header read as a number.

    Filled as tags are met. Bounded, since a file may invent tags.
    """

    def __init__(self, policy: Policy, encoding: Encoding) -> None:
        super().__init__()
        self.policy = policy
        self.encoding = encoding

    def __missing__(self, key: int) -> int:
        action = self._decide(self.encoding.tag(key))
        if len(self) < _REMEMBERED:
            self[key] = action
        return action

    def _decide(self, tag: int) -> int:
        group = tag >> 16
        if group == 0xFFFE:
            return ITEM_END if tag == _ITEM_DELIMITATION else MISPLACED
        if not tag & 0xFFFF:
            return REMOVE  # a group length; it would be wrong after any change (retired, PS3.5 7.2)
        action = self.policy.decide(tag)
        if action == KEEP and not self.encoding.explicit and vr_of(tag) in (b"SQ", b"UN"):
            return MAYBE_ITEMS
        return action


class Tables:
    """The tables of one configuration, one for each policy and encoding."""

    def __init__(self) -> None:
        self._tables: dict[tuple[int, Encoding], ActionTable] = {}

    def get(self, policy: Policy, encoding: Encoding) -> ActionTable:
        """Return the table of a policy, which must live as long as this object."""
        key = (id(policy), encoding)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = ActionTable(policy, encoding)
        return table

    def inside(self, table: ActionTable, tag: int, action: int, *, implicit: bool) -> ActionTable:
        """Return the table for the items of a sequence.

        :param table: the table that holds for the sequence.
        :param tag: the sequence.
        :param action: what is done to the sequence itself.
        :param implicit: whether the items are in implicit VR although the sequence may not be.
        """
        policy = table.policy.inside(tag, action)
        return self.get(policy, IMPLICIT_LITTLE if implicit else table.encoding)

    def untouched(self, table: ActionTable, *, implicit: bool) -> ActionTable:
        """Return a table that changes nothing, to find the end of a sequence."""
        return self.get(UNTOUCHED, IMPLICIT_LITTLE if implicit else table.encoding)


@lru_cache(maxsize=1 << 13)
def _public_vr(tag: int) -> bytes:
    try:
        return str(dictionary_VR(tag))[:2].encode()
    except KeyError:
        return b"UN"


def vr_of(tag: int) -> bytes:
    """Return the VR that the dictionary has for a tag, the first where it has several; ``UN`` for unknown tags."""
    if tag & 0x10000:
        return b"LO" if 0x10 <= tag & 0xFFFF <= 0xFF else b"UN"
    return _public_vr(tag)
