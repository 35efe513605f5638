"""What each profile and list of `DicomConfig` does to which element."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_has_tag, repeater_has_tag

from airflow_healthcare_deid.config import ALWAYS_KEPT_TAGS, TagFilterProfile
from airflow_healthcare_deid.config.tags import parse_tag, parse_tag_pattern
from airflow_healthcare_deid.engine.dicom.actions import CONTENT, DUMMY, EMPTY, KEEP, LEAF, NOTE, REMOVE, UID
from airflow_healthcare_deid.engine.errors import MissingPartError
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_healthcare_deid.config import DicomConfig
    from airflow_healthcare_deid.engine.dicom.actions import Policy

SPECIFIC_CHARACTER_SET = 0x00080005
_PIXEL_GROUP = 0x7FE0
_CODES = {"remove": REMOVE, "empty": EMPTY, "dummy": DUMMY, "uid": UID, "keep": KEEP}


class KeepAll:
    """Keeps everything but what every policy treats: UIDs to regenerate, elements to take note of.

    :param always: the actions that hold whatever the policy.
    """

    name = "KEEP_ALL_PROFILE"

    def __init__(self, always: Mapping[int, int]) -> None:
        self.always = always

    def decide(self, tag: int) -> int:
        return self.always.get(tag, KEEP)

    def inside(self, tag: int, action: int) -> Policy:
        return self

    def rule(self, tag: int) -> str:
        return "skipIdRedaction" if self.always.get(tag) == UID else self.name


class KeepList(KeepAll):
    """Keeps what is listed and what an instance cannot do without; of a sequence that it keeps, all."""

    def __init__(self, always: Mapping[int, int], listed: Iterable[str], name: str) -> None:
        super().__init__(always)
        rules = load_rules("dicom")
        self.name = name
        self._patterns = [parse_tag_pattern(tag) for tag in listed]
        self._kept = ALWAYS_KEPT_TAGS | tags(rules["also_kept"]["keywords"]) | tags(rules["file_meta"]["kept"])
        self._inside = KeepAll(always) if rules["keep_list_sequences"]["nested"] == "keep" else self

    def decide(self, tag: int) -> int:
        if tag in self._kept or any(pattern.matches(tag) for pattern in self._patterns):
            return self.always.get(tag, KEEP)
        return REMOVE

    def inside(self, tag: int, action: int) -> Policy:
        return self._inside


class RemoveList(KeepAll):
    """Removes what is listed, at every depth, and keeps the rest."""

    name = "removeList"

    def __init__(self, always: Mapping[int, int], listed: Iterable[str]) -> None:
        super().__init__(always)
        rules = load_rules("dicom")
        self._patterns = [parse_tag_pattern(tag) for tag in (*listed, *rules["also_removed"]["keywords"])]
        self._inside = self if rules["remove_list_sequences"]["nested"] == "remove" else KeepAll(always)

    def decide(self, tag: int) -> int:
        needed = tag in self.always or tag in ALWAYS_KEPT_TAGS
        if not needed and any(pattern.matches(tag) for pattern in self._patterns):
            return REMOVE
        return self.always.get(tag, KEEP)

    def inside(self, tag: int, action: int) -> Policy:
        return self._inside


class BasicProfile(KeepAll):
    """DICOM PS3.15 annex E, Basic Application Level Confidentiality Profile.

    :param references: tags that stay, at every depth, because they name instances whose UIDs stay.
    :raises MissingPartError: when the package that carries the profile's table is not installed.
    """

    name = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"

    def __init__(self, always: Mapping[int, int], references: frozenset[int]) -> None:
        super().__init__(always)
        rules = load_rules("dicom_basic_profile")
        self._codes = basic_profile_codes()
        self._actions = {tag: _CODES[rules["codes"][code]] for tag, code in self._codes.items()}
        self._actions |= dict.fromkeys(references, NOTE)
        self._meta = tags(load_rules("dicom")["file_meta"]["kept"])
        self._groups = rules["groups"]
        self._unknown = _CODES[rules["unknown_attributes"]["action"]]
        sequences = rules["dummy_sequences"]
        self._content_sequence = parse_tag(sequences["content_sequence"])
        self._in_content = DummyLeaves(self, kept=tags(sequences["kept_in_content_sequence"]))
        self._in_dummies = DummyLeaves(self, kept=frozenset())

    def decide(self, tag: int) -> int:
        action = self.always.get(tag)
        if action is None:
            action = self._actions.get(tag)
        return self._by_group(tag) if action is None else action

    def inside(self, tag: int, action: int) -> Policy:
        if action != DUMMY:
            return self
        return self._in_content if tag == self._content_sequence else self._in_dummies

    def rule(self, tag: int) -> str:
        return f"{self.name} {self._codes[tag]}" if tag in self._codes else self.name

    def _by_group(self, tag: int) -> int:
        group = tag >> 16
        if group == 2:
            return KEEP if tag in self._meta else REMOVE
        kind = "private" if group & 1 else {0x50: "curves", 0x60: "overlays"}.get(group >> 8)
        if kind is not None:
            return _CODES[self._groups[kind]]
        return KEEP if dictionary_has_tag(tag) or repeater_has_tag(tag) else self._unknown


class DummyLeaves(KeepAll):
    """Inside a sequence to be replaced: what the profile would keep becomes a dummy if it can hold an identifier.

    :param profile: decides on all else.
    :param kept: tags that stay as the profile has them.
    """

    def __init__(self, profile: BasicProfile, kept: frozenset[int]) -> None:
        super().__init__(profile.always)
        self._profile = profile
        self._kept = kept

    def decide(self, tag: int) -> int:
        action = self._profile.decide(tag)
        return LEAF if action == KEEP and tag not in self._kept else action

    def inside(self, tag: int, action: int) -> Policy:
        # A nested sequence may have a stricter rule of its own, never a laxer one.
        return self._profile.inside(tag, action) if self._kept and action == DUMMY else self

    def rule(self, tag: int) -> str:
        return self._profile.rule(tag)


class Contents(KeepAll):
    """Inspects text wherever it is."""

    name = "DEIDENTIFY_TAG_CONTENTS"

    def decide(self, tag: int) -> int:
        return self.always.get(tag, KEEP if tag >> 16 == _PIXEL_GROUP else CONTENT)


def policy_of(config: DicomConfig) -> KeepAll:
    """Return the policy that a configuration asks for."""
    always = _always(bool(config.skip_id_redaction))
    if config.keep_list is not None:
        return KeepList(always, config.keep_list.tags or (), "keepList")
    if config.remove_list is not None:
        return RemoveList(always, config.remove_list.tags or ())
    match config.filter_profile:
        case TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE:
            return KeepList(always, (), TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE)
        case TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE:
            kept = load_rules("dicom")["skip_id_redaction"]["keywords"] if config.skip_id_redaction else ()
            return BasicProfile(always, tags(kept))
        case TagFilterProfile.DEIDENTIFY_TAG_CONTENTS:
            return Contents(always)
        case _:
            return KeepAll(always)


def tags(keywords: Iterable[str]) -> frozenset[int]:
    """Return the tags of keywords from a rule table."""
    return frozenset(parse_tag(keyword) for keyword in keywords)


def _always(skip_id_redaction: bool) -> dict[int, int]:
    ids = tags(load_rules("dicom")["regenerated"]["keywords"])
    return dict.fromkeys(ids, NOTE if skip_id_redaction else UID) | {SPECIFIC_CHARACTER_SET: NOTE}


@cache
def basic_profile_codes() -> Mapping[int, str]:
    """Return PS3.15 Table E.1-1 without the rows for groups: tag to code, such as ``X/Z``.

    :raises MissingPartError: when the package that carries the table is not installed.
    """
    try:
        from dicomanonymizer.dicom_anonymization_databases import dicomfields_2024b as table
    except ImportError:
        raise MissingPartError("emulator") from None
    lists: dict[str, Any] = {
        "D": table.D_TAGS,
        "Z": table.Z_TAGS,
        "X": table.X_TAGS,
        "U": table.U_TAGS,
        "Z/D": table.Z_D_TAGS,
        "X/Z": table.X_Z_TAGS,
        "X/D": table.X_D_TAGS,
        "X/Z/D": table.X_Z_D_TAGS,
        "X/Z/U*": table.X_Z_U_STAR_TAGS,
    }
    codes = {entry[0] << 16 | entry[1]: code for code, rows in lists.items() for entry in rows if len(entry) == 2}
    older = load_rules("dicom_basic_profile")["codes_of_2018e"]
    return codes | {parse_tag(keyword): code for keyword, code in older.items() if keyword != "source"}
