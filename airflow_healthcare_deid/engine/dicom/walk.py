"""The walk over an encoded data set: what stays is passed on as it is, byte by byte; only what changes is written anew.

Invariants:

1. ``data[run:pos]`` is what was walked, stays, and was not passed on yet. Whoever changes something at ``start`` first
   passes on ``data[run:start]`` and then sets ``run`` behind what it replaced.
2. A position only grows, and no byte is copied before its end is known to be inside the enclosing value. So a length
   that claims more than there is ends the loop beyond ``end``, which is an error, and never allocates anything.
3. ``growth`` is the length of what was passed on minus the length of what it stands for. An enclosing item or sequence
   of defined length grows by the sum of what it encloses; one of undefined length keeps its delimiter.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, Protocol

from airflow_healthcare_deid.engine.dicom.actions import (
    CONTENT,
    DUMMY,
    EMPTY,
    ITEM_END,
    KEEP,
    LEAF,
    MAYBE_ITEMS,
    MISPLACED,
    NOTE,
    REMOVE,
    vr_of,
)
from airflow_healthcare_deid.engine.dicom.encoding import LONG_VRS, SHORT_VRS, UNDEFINED
from airflow_healthcare_deid.engine.errors import UndecodableError

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.dicom.actions import ActionTable, Tables

MAX_DEPTH: Final = 64
"""How deep data sets may nest."""

MAX_SHORT: Final = 0xFFFE
"""The longest value behind a length of two bytes, which must be even."""

_ITEM: Final = 0xFFFEE000
_ITEM_BYTES: Final = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_SEQUENCE_DELIMITATION: Final = 0xFFFEE0DD
_PIXEL_DATA: Final = 0x7FE00010
_NO_VR: Final = b"??"
_MAY_NEST: Final = frozenset({b"SQ", b"UN", _NO_VR})
_GO_INSIDE: Final = frozenset({KEEP, MAYBE_ITEMS, DUMMY, LEAF, CONTENT, NOTE})
"""Actions that leave a sequence there and go on inside it."""


class Values(Protocol):
    """Supplies the values that the walk writes."""

    character_sets: bytes
    """SpecificCharacterSet where the walk is."""

    def replace(self, action: int, tag: int, vr: bytes, value: bytes, *, top: bool) -> bytes | None:
        """Return the value to write instead, not yet padded; None to keep this one."""


class Walk:
    """One pass over one data set.

    :param data: bytes that hold the data set.
    :param tables: the decisions.
    :param values: supplies replacements.
    """

    watched = False
    """Whether `_tell` wants to hear of every change."""

    def __init__(self, data: bytes, tables: Tables, values: Values) -> None:
        self._data = data
        self._view = memoryview(data)
        self._tables = tables
        self._values = values
        self._out: list[bytes | memoryview] = []
        self._run = 0
        self._depth = 0

    def parts(self, start: int, table: ActionTable) -> list[bytes | memoryview]:
        """Walk from ``start`` to the end and return the new data set in parts.

        :raises UndecodableError: when the data set is malformed, truncated or nested too deep.
        """
        self._run = start
        try:
            self._data_set(start, len(self._data), table)
        except struct.error:
            raise UndecodableError("the data set ends inside an element's header") from None
        self._pass_on(len(self._data))
        return self._out

    # ---- elements

    def _data_set(self, pos: int, end: int, table: ActionTable, *, delimited: bool = False) -> tuple[int, int]:
        """Walk the elements from ``pos``; return the position behind them and the growth.

        :param end: where they end; where they must have ended, if ``delimited``.
        """
        self._enter()
        data, encoding, growth = self._data, table.encoding, 0
        explicit, unpack, inline_removal = encoding.explicit, encoding.header.unpack_from, not self.watched
        while pos < end:
            start = pos
            if explicit:
                key, vr, length = unpack(data, pos)
                if vr in SHORT_VRS:
                    pos += 8 + length
                    action = table[key]
                    if not action:
                        continue
                    value = pos - length
                else:
                    vr, length, value = self._long_header(vr, pos, table)
                    action = table[key]
            else:
                key, length = unpack(data, pos)
                vr, value = b"", pos + 8
                action = table[key]
            pos = value + length
            if length != UNDEFINED:
                if action == KEEP and vr not in _MAY_NEST:
                    continue
                if action == REMOVE and inline_removal:
                    self._pass_on(start)
                    self._run = pos
                    growth -= pos - start
                    continue
            if action == ITEM_END and delimited:
                self._depth -= 1
                return value, growth
            pos, grown = self._element(action, encoding.tag(key), vr, start, value, length, end, table)
            growth += grown
        if delimited or pos != end:
            raise UndecodableError("an element or item reaches beyond what encloses it")
        self._depth -= 1
        return pos, growth

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UndecodableError(f"sequences nest deeper than {MAX_DEPTH} levels")

    def _long_header(self, vr: bytes, start: int, table: ActionTable) -> tuple[bytes, int, int]:
        """Return VR, length and position of the value behind a header that is not a short one."""
        if vr in LONG_VRS:
            return vr, table.encoding.long.unpack_from(self._data, start + 8)[0], start + 12
        if b"AA" <= vr <= b"ZZ":
            raise UndecodableError("an element has a VR that DICOM does not define")
        # No VR at all: a delimiter, or a writer that switched to implicit VR inside a sequence.
        return _NO_VR, table.encoding.long.unpack_from(self._data, start + 4)[0], start + 8

    def _element(
        self, action: int, tag: int, vr: bytes, start: int, value: int, length: int, end: int, table: ActionTable
    ) -> tuple[int, int]:
        """Treat an element that is not simply kept or removed; return the position behind it and the growth."""
        if action in (ITEM_END, MISPLACED):
            raise UndecodableError("a delimiter stands where an element is expected")
        if length != UNDEFINED and value + length > end:
            raise UndecodableError("an element is longer than what encloses it")
        known_vr = vr if vr and vr not in (b"UN", _NO_VR) else vr_of(tag)
        fragments = length == UNDEFINED and (vr in (b"OB", b"OW") or tag == _PIXEL_DATA)
        sequence = known_vr == b"SQ" or (length == UNDEFINED and not fragments)
        if action in _GO_INSIDE and (sequence or self._looks_like_items(known_vr, value)):
            inside = self._tables.inside(table, tag, action, implicit=self._is_implicit(vr, value))
            walk = self._sequence if sequence else self._sequence_or_bytes
            walked = walk(tag, value, length, end, inside)
            if walked is not None:
                return walked
        if length != UNDEFINED:
            behind = value + length
        elif fragments:
            behind = self._fragments(value, end, table)
        else:
            inside = self._tables.untouched(table, implicit=self._is_implicit(vr, value))
            behind = self._skipped(tag, value, end, inside)
        if action in (KEEP, MAYBE_ITEMS):
            return behind, 0
        return behind, self._change(action, tag, vr, known_vr, start, value, behind, table, sequence=sequence)

    def _change(
        self,
        action: int,
        tag: int,
        vr: bytes,
        known_vr: bytes,
        start: int,
        value: int,
        behind: int,
        table: ActionTable,
        *,
        sequence: bool,
    ) -> int:
        """Empty, remove or replace the element from ``start`` to ``behind``; return the growth."""
        old, new = self._data[value:behind], None
        if action == EMPTY:
            new = b""
        elif action != REMOVE and not sequence:
            new = self._values.replace(action, tag, known_vr, old, top=self._depth == 1)
            if new is None:
                return 0
        if new == old:
            return 0
        self._tell(action, tag, known_vr, old, new, table)
        self._pass_on(start)
        self._run = behind
        growth = start - behind
        return growth if new is None else growth + self._write(start, vr, known_vr, new, table)

    def _write(self, start: int, vr: bytes, known_vr: bytes, value: bytes, table: ActionTable) -> int:
        """Write an element with the header at ``start`` and another value; return how long it is."""
        encoding = table.encoding
        if len(value) & 1:
            value += b"\0" if known_vr in (b"UI", b"OB", b"UN") else b" "
        if vr in SHORT_VRS:
            if len(value) > MAX_SHORT:
                raise UndecodableError("an element is too short for what must replace its many values")
            header = self._data[start : start + 6] + encoding.short.pack(len(value))
        elif vr in LONG_VRS:
            header = self._data[start : start + 8] + encoding.long.pack(len(value))
        else:
            header = self._data[start : start + 4] + encoding.long.pack(len(value))
        self._out.append(header + value)
        return len(header) + len(value)

    def _pass_on(self, end: int) -> None:
        if self._run < end:
            self._out.append(self._view[self._run : end])

    # ---- sequences

    def _looks_like_items(self, known_vr: bytes, value: int) -> bool:
        """Tell whether a value of unknown VR may be a sequence: one may hide behind UN (PS3.5 6.2.2)."""
        return known_vr == b"UN" and self._data[value : value + 4] in _ITEM_BYTES

    def _is_implicit(self, vr: bytes, value: int) -> bool:
        """Tell whether items are in implicit VR where a file in explicit VR may hold such: see PS3.5 6.2.2."""
        if vr not in (b"UN", _NO_VR):
            return False
        first = self._data[value + 12 : value + 14]  # of the first element of the first item
        return first not in SHORT_VRS and first not in LONG_VRS

    def _sequence_or_bytes(
        self, tag: int, value: int, length: int, end: int, table: ActionTable
    ) -> tuple[int, int] | None:
        """Walk what looks like items; return None, and leave no trace, when it does not read as such."""
        state, character_sets = self._state(), self._values.character_sets
        try:
            return self._sequence(tag, value, length, end, table)
        except (UndecodableError, struct.error):
            self._restore(state)
            self._values.character_sets = character_sets
            return None

    def _sequence(self, tag: int, value: int, length: int, end: int, table: ActionTable) -> tuple[int, int]:
        """Walk the items from ``value``; return the position behind them and the growth."""
        if length == UNDEFINED:
            return self._items(value, end, table, delimited=True)
        opened = self._open(value - 4)
        pos, growth = self._items(value, value + length, table)
        self._close(opened, length, growth, table)
        return pos, growth

    def _items(self, pos: int, end: int, table: ActionTable, *, delimited: bool = False) -> tuple[int, int]:
        growth, pair, tag_of = 0, table.encoding.pair.unpack_from, table.encoding.tag
        while pos < end:
            key, length = pair(self._data, pos)
            tag = tag_of(key)
            pos += 8
            if tag == _ITEM:
                pos, grown = self._item(pos, length, end, table)
                growth += grown
            elif tag == _SEQUENCE_DELIMITATION and delimited:
                return pos, growth
            else:
                raise UndecodableError("a sequence holds something that is not an item")
        if delimited or pos != end:
            raise UndecodableError("a sequence does not end where it says")
        return pos, growth

    def _item(self, pos: int, length: int, end: int, table: ActionTable) -> tuple[int, int]:
        character_sets = self._values.character_sets
        if length == UNDEFINED:
            result = self._data_set(pos, end, table, delimited=True)
        elif pos + length > end:
            raise UndecodableError("an item is longer than its sequence")
        else:
            opened = self._open(pos - 4)
            result = self._data_set(pos, pos + length, table)
            self._close(opened, length, result[1], table)
        self._values.character_sets = character_sets
        return result

    def _open(self, at: int) -> tuple[int, int]:
        """Set the four bytes of a length at ``at`` apart, so that `_close` can correct them."""
        opened = len(self._out), self._run
        self._out += (self._view[self._run : at], self._view[at : at + 4])
        self._run = at + 4
        return opened

    def _close(self, opened: tuple[int, int], length: int, growth: int, table: ActionTable) -> None:
        index, run = opened
        if len(self._out) == index + 2 and not growth:
            del self._out[index:]  # nothing in between has changed: no reason to set the length apart
            self._run = run
        else:
            self._out[index + 1] = table.encoding.long.pack(length + growth)

    def _state(self) -> tuple[int, ...]:
        """Return what `_restore` needs to forget all that was walked since."""
        return len(self._out), self._run, self._depth

    def _restore(self, state: tuple[int, ...]) -> None:
        size, self._run, self._depth = state
        del self._out[size:]

    def _skipped(self, tag: int, value: int, end: int, untouched: ActionTable) -> int:
        """Return where a sequence of undefined length ends, passing nothing on."""
        state = self._state()
        behind, _ = self._sequence(tag, value, UNDEFINED, end, untouched)
        self._restore(state)
        return behind

    def _fragments(self, pos: int, end: int, table: ActionTable) -> int:
        """Return where pixel fragments end (PS3.5 A.4)."""
        pair, tag_of = table.encoding.pair.unpack_from, table.encoding.tag
        while pos < end:
            key, length = pair(self._data, pos)
            tag = tag_of(key)
            pos += 8
            if tag == _SEQUENCE_DELIMITATION:
                return pos
            if tag != _ITEM:
                break
            pos += length
        raise UndecodableError("the fragments of a pixel data element do not end where they should")

    def _tell(self, action: int, tag: int, vr: bytes, before: bytes, after: bytes | None, table: ActionTable) -> None:
        """Hear of a change, before it is written; this walk does not care."""
