"""QIDO-RS (PS3.18 section 10.6): what a search asks for, and its answer from the index."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_healthcare_deid.emulator.dicomweb.attributes import (
    ALL_FIELDS,
    DEFAULT_FIELDS,
    LEVELS,
    MODALITIES_IN_STUDY,
    SEARCH_KEYS,
    SERIES_RELATED_INSTANCES,
    STUDY_RELATED_INSTANCES,
    STUDY_RELATED_SERIES,
    SUMMARY_TAGS,
    Level,
)
from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.instances import words_of_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_healthcare_deid.emulator.instances import InstanceRecord
    from airflow_healthcare_deid.emulator.state import State

_MAX_OFFSET = 1_000_000
_LIMITS: dict[Level, tuple[int, int]] = {"studies": (100, 5_000), "series": (100, 5_000), "instances": (1_000, 50_000)}
_DATE = re.compile(r"\d{8}", re.ASCII)
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_COUNTS = frozenset({MODALITIES_IN_STUDY, STUDY_RELATED_SERIES, STUDY_RELATED_INSTANCES, SERIES_RELATED_INSTANCES})


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """A search as it was asked.

    :param uids: study and series UID of the path.
    :param conditions: SQL conditions on the index with their values.
    :param tags: attributes of the answer; None is everything an instance has.
    """

    level: Level
    uids: tuple[str, ...]
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    tags: frozenset[str] | None
    limit: int
    offset: int


def read_search(
    level: Level, uids: Sequence[str], parameters: Iterable[tuple[str, str]], known: frozenset[str]
) -> Search:
    """Read the parameters of a search.

    :param known: parameters that are none of the search's business.
    :raises ServiceError: 400 for a key the level has not, or a value of the wrong form.
    """
    parameters = [(name, value) for name, value in parameters if name not in known]
    options = {name: value for name, value in parameters if name in ("limit", "offset", "fuzzymatching")}
    fuzzy = options.get("fuzzymatching", "false").lower()
    if fuzzy not in ("true", "false"):
        raise invalid("fuzzymatching must be true or false.", field="fuzzymatching")
    default, maximum = _LIMITS[level]
    included = [value for name, value in parameters if name == "includefield"]
    keys = [(name, value) for name, value in parameters if name not in options and name != "includefield"]
    return Search(
        level=level,
        uids=tuple(uids),
        conditions=tuple(_condition(level, name, value, fuzzy=fuzzy == "true") for name, value in keys),
        tags=_included(level, uids, included),
        limit=_number(options, "limit", default, maximum),
        offset=_number(options, "offset", 0, _MAX_OFFSET),
    )


def run_search(state: State, store: int, search: Search, base_url: str) -> list[bytes]:
    """Return the matches as JSON texts."""
    found = state.instances.search(store, search.level, search.uids, search.conditions, search.limit, search.offset)
    return [_answer(state, store, search, record, base_url) for record in found]


def _answer(state: State, store: int, search: Search, record: InstanceRecord, base_url: str) -> bytes:
    model = record.attributes
    if search.tags is None or not search.tags <= SUMMARY_TAGS | _COUNTS:
        url = f"{base_url}/studies/{record.study}/series/{record.series}/instances/{record.sop}/bulkdata"
        text = state.reader.metadata(state.instances.path(store, *record.uids), url, search.tags)
        if isinstance(text, bytes):
            model = json.loads(text)
    answer = {tag: value for tag, value in model.items() if search.tags is None or tag in search.tags}
    if "00080056" in (search.tags or DEFAULT_FIELDS[search.level]):
        answer["00080056"] = {"vr": "CS", "Value": ["ONLINE"]}
    answer |= _counts(state, store, search.tags or frozenset(), record)
    return msgspec.json.encode(dict(sorted(answer.items())))


def _counts(state: State, store: int, tags: frozenset[str], record: InstanceRecord) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    if tags & {STUDY_RELATED_SERIES, STUDY_RELATED_INSTANCES}:
        study = state.instances.size(store, (record.study,))
        counts[STUDY_RELATED_SERIES] = {"vr": "IS", "Value": [study.series]}
        counts[STUDY_RELATED_INSTANCES] = {"vr": "IS", "Value": [study.instances]}
    if SERIES_RELATED_INSTANCES in tags:
        series = state.instances.size(store, (record.study, record.series))
        counts[SERIES_RELATED_INSTANCES] = {"vr": "IS", "Value": [series.instances]}
    if MODALITIES_IN_STUDY in tags:
        counts[MODALITIES_IN_STUDY] = {"vr": "CS", "Value": state.instances.modalities(store, record.study)}
    return {tag: value for tag, value in counts.items() if tag in tags}


def _condition(level: Level, name: str, value: str, *, fuzzy: bool) -> tuple[str, tuple[str, ...]]:
    keys = {keyword: key for above in LEVELS[: LEVELS.index(level) + 1] for keyword, key in SEARCH_KEYS[above].items()}
    by_tag = {tag: (tag, column) for tag, column in keys.values()}
    key = keys.get(name) or by_tag.get(name.upper())
    if key is None:
        raise invalid(f"unknown/unsupported QIDO attribute: {name[:64]}")
    column = key[1]
    if column == "study_date":
        return _date_condition(value)
    if column == "patient_name" and fuzzy:
        words = words_of_name(value).split()
        likes = " AND ".join(["patient_words LIKE ? ESCAPE '\\'"] * len(words)) or "1"
        return likes, tuple(f"% {_escaped(word)}%" for word in words)
    return f"{column} = ?", (value,)


def _date_condition(value: str) -> tuple[str, tuple[str, ...]]:
    first, dash, last = value.partition("-")
    if not all(_DATE.fullmatch(part) for part in (first, last) if part) or not (first or last):
        raise invalid("StudyDate must be YYYYMMDD, or a range of two dates with a hyphen.", field="StudyDate")
    if not dash:
        return "study_date = ?", (first,)
    return "study_date BETWEEN ? AND ?", (first or "00000000", last or "99999999")


def _included(level: Level, uids: Sequence[str], included: Iterable[str]) -> frozenset[str] | None:
    # The levels above the one searched answer too, unless the path has named them already.
    shown = LEVELS[len(uids) : LEVELS.index(level) + 1]
    tags = {tag for part in shown for tag in DEFAULT_FIELDS[part]}
    for name in (name.strip() for names in included for name in names.split(",")):
        if name == "all":
            if level == "instances":
                return None
            tags.update(tag for part in shown for tag in ALL_FIELDS[part])
        else:
            tags.add(_tag(name))
    return frozenset(tags)


def _tag(name: str) -> str:
    if _TAG.fullmatch(name):
        return name.upper()
    # Not needed by most searches.
    from airflow_healthcare_deid.config.tags import parse_tag

    try:
        return f"{parse_tag(name):08X}"
    except ValueError:
        raise invalid(f"unknown/unsupported QIDO attribute: {name[:64]}") from None


def _number(options: dict[str, str], name: str, default: int, maximum: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) > maximum:
        raise invalid(f"{name} must be a number from 0 to {maximum}.", field=name)
    return int(text)


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)
