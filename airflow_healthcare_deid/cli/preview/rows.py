"""What the page says of one file: its fields, before and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_healthcare_deid.cli.preview.images import Picture
    from airflow_healthcare_deid.engine.changes import Change

MAX_ROWS = 1000
"""Fields of a file that the page lists; it counts them all."""

_MAX_TEXT = 400


class Fate(StrEnum):
    """What became of a field."""

    REMOVED = "removed"
    EMPTIED = "emptied"
    CHANGED = "changed"
    COVERED = "covered"
    ADDED = "added"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Row:
    """One field.

    :param path: where it is, in keywords.
    :param number: the tag of a DICOM element.
    :param how: what the engine did, in its own word: ``uid``, ``date_shift``, …
    :param rule: what asked for it; empty when it follows from something else.
    :param before: its value in the source, or the length and kind of that; None when it was not there.
    :param after: the same of the output.
    :param info_types: what was recognized in it.
    :param repeats: whether what is left of it holds an identifier of the patient.
    """

    path: str
    fate: Fate
    number: str = ""
    how: str = ""
    rule: str = ""
    before: str | None = None
    after: str | None = None
    info_types: tuple[str, ...] = ()
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class FilePreview:
    """One file.

    :param name: its path, or its number where values are hidden.
    :param kind: ``DICOM`` or ``FHIR``.
    :param about: what it is, such as its modality or resource type.
    :param rows: its fields, at most `MAX_ROWS`.
    :param counts: how many fields there are of each fate, listed or not.
    :param pictures: its pixels.
    :param notes: what is not shown, and why.
    :param has_pixels: whether it holds an image.
    """

    name: str
    kind: str
    about: str
    rows: Sequence[Row]
    counts: Mapping[Fate, int]
    pictures: Picture | None = None
    notes: tuple[str, ...] = ()
    has_pixels: bool = False

    @property
    def kept(self) -> list[Row]:
        """The fields that are as they were."""
        return [row for row in self.rows if row.fate is Fate.KEPT]

    @property
    def treated(self) -> list[Row]:
        """The fields that are not."""
        return [row for row in self.rows if row.fate is not Fate.KEPT]

    @property
    def unlisted(self) -> int:
        """How many fields are counted and not listed."""
        return sum(self.counts.values()) - len(self.rows)

    @property
    def repeating(self) -> int:
        """How many fields still hold an identifier of the patient."""
        return sum(row.repeats for row in self.rows)

    @property
    def kept_repeating(self) -> int:
        """How many of these are as they were."""
        return sum(row.repeats for row in self.kept)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be de-identified.

    :param name: as of `FilePreview`.
    :param reason: why, in words that hold no value.
    """

    name: str
    reason: str


class Values:
    """Shows values, or only how long they are and of what kind.

    :param hide: never show a value.
    """

    def __init__(self, *, hide: bool) -> None:
        self.hide = hide

    def show(self, value: object, kind: str = "text") -> str | None:
        """Return a value as the page has it, None for None.

        :param kind: what it is, where its type does not tell.
        """
        if value is None:
            return None
        if isinstance(value, Opaque):
            return str(value)
        if isinstance(value, bool):
            return "true or false" if self.hide else str(value).lower()
        if isinstance(value, (int, float)):
            return "number" if self.hide else repr(value)
        text = str(value)
        if not text:
            return "empty"
        if self.hide:
            return f"{kind}, {len(text):,} character{'' if len(text) == 1 else 's'}"
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… ({len(text):,} characters)"


class Opaque(str):
    """Says what there is instead of showing it: ``512 bytes``, ``2 items``. Holds no value."""

    __slots__ = ()


@dataclass(slots=True)
class Told:
    """The changes that the engine told of, by path."""

    changes: list[Change] = field(default_factory=list)
    _by_path: dict[str, Change] = field(default_factory=dict)

    def __call__(self, change: Change) -> None:
        self.changes.append(change)
        self._by_path[change.path] = change

    def of(self, path: str) -> Change | None:
        """Return the change of a field, or that of the nearest field above it that went with all it held."""
        while path:
            change = self._by_path.get(path)
            if change is not None:
                return change
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None

    def inside(self, path: str) -> Change | None:
        """Return the first change of something inside a field: an item of a sequence, a frame."""
        return next((change for change in self.changes if change.path.startswith(f"{path}[")), None)


def split_info_types(change: Change | None) -> tuple[str, ...]:
    """Return the infoTypes of a change, which may name several."""
    return tuple(change.info_type.split(", ")) if change is not None and change.info_type else ()


def listed(rows: Iterable[Row]) -> tuple[list[Row], dict[Fate, int]]:
    """Return the rows to list, the least telling left out where there are too many, and the count of all by fate."""
    found = list(rows)
    counts = {fate: sum(row.fate is fate for row in found) for fate in Fate}
    if len(found) > MAX_ROWS:
        first = sorted(range(len(found)), key=lambda i: (not found[i].repeats, found[i].fate is Fate.KEPT, i))
        found = [found[index] for index in sorted(first[:MAX_ROWS])]
    return found, counts
