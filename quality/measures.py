"""Ten measures of a run, named after those of the MIDI-B challenge (arXiv 2507.23608) and written from their names."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from quality.dicom_set import REFERENCES, REPLACED_UIDS
from quality.elements import FileElements, ResourceElements
from quality.fhir_set import in_extension
from quality.pictures import Picture
from quality.plants import Kind, Place, Plant, Profile, tag_path, written
from quality.search import Haystack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import timedelta

    from quality.plants import Kept
    from quality.runs import Run

_NEEDED = (*REPLACED_UIDS, "SOPClassUID", "Modality")
"""Tags that no instance may have empty (PS3.3: Type 1)."""
_CONTENT_PERSON = "0040A123"
_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
_Elements = FileElements | ResourceElements


@dataclass(frozen=True)
class Measure:
    """How often something was done right.

    :param name: what.
    :param correct: how often.
    :param required: of how many times.
    :param faults: where it was not, without any value.
    """

    name: str
    correct: int
    required: int
    faults: tuple[str, ...]


class Comparison:
    """A run, ready to be measured."""

    def __init__(self, run: Run) -> None:
        self.run = run
        corpus = run.corpus
        self.before: dict[str, _Elements] = {
            **{name: FileElements(one.data) for name, one in corpus.instances.items()},
            **{name: ResourceElements(one) for name, one in corpus.resources.items()},
        }
        self.after: dict[str, _Elements] = {
            **{name: FileElements(data) for name, data in run.files.items()},
            **{name: ResourceElements(one) for name, one in run.resources.items()},
        }
        self.owners = {plant.source: plant.owner for plant in corpus.plants}
        self._found: dict[tuple[str, str | None], bool] = {}

    @property
    def kept(self) -> list[Kept]:
        """What this configuration has to keep."""
        return [one for one in self.run.corpus.kept if self.run.profile in one.kept_by]

    @property
    def removed(self) -> list[Plant]:
        """What this configuration has to remove."""
        return [one for one in self.run.corpus.plants if self.run.profile in one.removed_by]

    @cached_property
    def haystacks(self) -> dict[str, Haystack]:
        """All outputs, for a search."""
        outputs: dict[str, bytes | dict[str, Any]] = {**self.run.files, **self.run.resources}
        return {name: Haystack(one) for name, one in outputs.items()}

    @cached_property
    def pictures(self) -> list[Picture]:
        """The images with text burnt in, before and after."""
        return [
            Picture(one, self.run.files[name])
            for name, one in self.run.corpus.instances.items()
            if one.burnt_in is not None and name in self.run.files
        ]

    def value(self, side: dict[str, _Elements], source: str, path: tuple[str | int, ...]) -> bytes | None:
        """Return the value of an element, None when it, or all that it was in, is not there."""
        return side[source].value(path) if source in side else None

    def is_left(self, plant: Plant) -> bool:
        """Tell whether any part of an identifier is still anywhere: a date, in the patient's own data."""
        scope = plant.owner if plant.kind is Kind.DATE else None
        return any(self._is_found(needle, scope) for needle in plant.needles)

    def _is_found(self, needle: str, owner: str | None) -> bool:
        key = (needle, owner)
        if key not in self._found:
            self._found[key] = any(
                haystack.holds(needle)
                for name, haystack in self.haystacks.items()
                if owner is None or self.owners.get(name) == owner
            )
        return self._found[key]


def measure(run: Run) -> list[Measure]:
    """Return the ten measures of a run."""
    compared = Comparison(run)
    return [_measured(one.__name__.lstrip("_"), one(compared)) for one in _MEASURES]


def _measured(name: str, results: Iterable[tuple[str, bool]]) -> Measure:
    judged = list(results)
    faults = tuple(where for where, is_right in judged if not is_right)
    return Measure(name, len(judged) - len(faults), len(judged), faults)


def _where(one: Plant | Kept) -> str:
    what = f" {one.kind} in {one.place}" if isinstance(one, Plant) else ""
    return f"{one.source} {written(one.path)}{what}"


def _tag_retained(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """What has to stay is there."""
    for one in compared.kept:
        yield _where(one), compared.value(compared.after, one.source, one.path) is not None


def _text_notnull(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """What must have a value has one: what is kept, what every instance needs, and what is replaced by a dummy."""
    paths = {(one.source, one.path) for one in compared.kept if compared.value(compared.before, one.source, one.path)}
    paths |= {(name, tag_path(keyword)) for name in compared.run.corpus.instances for keyword in _NEEDED}
    paths |= {(one.source, one.path) for one in compared.removed if one.path[-1:] == (_CONTENT_PERSON,)}
    for source, path in sorted(paths, key=str):
        yield f"{source} {written(path)}", bool(compared.value(compared.after, source, path))


def _text_retained(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """What has to stay is the same, byte by byte."""
    for one in compared.kept:
        before = compared.value(compared.before, one.source, one.path)
        yield _where(one), before == compared.value(compared.after, one.source, one.path)


def _text_removed(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """An identifier that has to go is nowhere in what came out."""
    for one in compared.removed:
        if one.kind is not Kind.DATE and one.place is not Place.PIXELS:
            yield _where(one), not compared.is_left(one)


def _date_shifted(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """A date that has to go is nowhere; where dates move, all of a patient's have moved by the same days."""
    shifts: dict[str, timedelta] = {}
    for one in compared.removed:
        if one.kind is Kind.DATE and one.place is not Place.PIXELS:
            yield _where(one), not compared.is_left(one) and _has_moved(compared, one, shifts)


def _has_moved(compared: Comparison, plant: Plant, shifts: dict[str, timedelta]) -> bool:
    is_file = plant.source in compared.run.corpus.instances
    before = _day(compared.value(compared.before, plant.source, plant.path))
    goes = compared.run.profile is Profile.BASIC if is_file else in_extension(plant.path)
    if before is None or goes:
        return True  # in the middle of a text, or not to be moved but to go
    after = _day(compared.value(compared.after, plant.source, plant.path))
    if after is None:
        return False
    return bool(after - before) and shifts.setdefault(plant.owner, after - before) == after - before


def _day(value: bytes | None) -> datetime | None:
    match = _DAY.match((value or b"").decode("latin-1"))
    return datetime(*map(int, match.groups())) if match else None  # type: ignore[arg-type]


def _uid_changed(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """A UID that has to be replaced is another, and a UID."""
    for source, path, before, after in _uids(compared):
        yield f"{source} {written(path)}", bool(re.fullmatch(rb"[0-9.]{3,64}", after)) and before != after


def _uid_consistent(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """Equal UIDs have become equal ones, in all instances, and different ones have stayed different."""
    became: defaultdict[bytes, set[bytes]] = defaultdict(set)
    was: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for _, _, before, after in _uids(compared):
        became[before].add(after)
        was[after].add(before)
    for source, path, before, after in _uids(compared):
        yield f"{source} {written(path)}", len(became[before]) == len(was[after]) == 1


def _uids(compared: Comparison) -> Iterator[tuple[str, tuple[str | int, ...], bytes, bytes]]:
    paths = [tag_path(keyword) for keyword in REPLACED_UIDS]
    paths.append(("00020003",))
    if compared.run.profile is Profile.BASIC:
        paths += [tag_path(REFERENCES[0]), (*tag_path("SourceImageSequence"), 0, *tag_path(REFERENCES[1]))]
    for source in compared.run.corpus.instances:
        for path in paths:
            before = compared.value(compared.before, source, path) or b""
            yield source, path, before, compared.value(compared.after, source, path) or b""


def _patid_consistent(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """All instances of a patient have one PatientID; references to a patient still find one."""
    ids: defaultdict[str, set[bytes | None]] = defaultdict(set)
    path = tag_path("PatientID")
    for source, one in compared.run.corpus.instances.items():
        ids[one.owner].add(compared.value(compared.after, source, path))
    for source, one in compared.run.corpus.instances.items():
        yield f"{source} {written(path)}", source in compared.after and len(ids[one.owner]) == 1
    for name, resource in compared.run.resources.items():
        subject = resource.get("subject")
        if subject is not None:
            yield f"{name} subject", f"{name.partition('/')[0]}/{subject.get('reference')}" in compared.run.resources


def _pixels_hidden(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """Text that has to go is covered, and cannot be read."""
    for picture in compared.pictures:
        for text in picture.texts:
            if text.identifies or compared.run.profile is Profile.BASIC:
                yield f"{picture.name} line {picture.texts.index(text) + 1}", picture.hides(text)


def _pixels_retained(compared: Comparison) -> Iterator[tuple[str, bool]]:
    """Pixels away from text, and text that may stay, are the same."""
    for picture in compared.pictures:
        yield f"{picture.name} away from text", picture.keeps_elsewhere()
        for text in picture.texts:
            if not text.identifies and compared.run.profile is Profile.CONTENTS:
                yield f"{picture.name} line {picture.texts.index(text) + 1}", picture.keeps(text)


_MEASURES: tuple[Callable[[Comparison], Iterator[tuple[str, bool]]], ...] = (
    _tag_retained,
    _text_notnull,
    _text_retained,
    _text_removed,
    _date_shifted,
    _uid_changed,
    _uid_consistent,
    _patid_consistent,
    _pixels_hidden,
    _pixels_retained,
)
