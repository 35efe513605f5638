"""What the set knows of itself: where an identifier was planted, and what has to stay."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydicom.datadict import tag_for_keyword


class Kind(StrEnum):
    """What an identifier is."""

    NAME = "names"
    ID = "ids"
    DATE = "dates"
    PHONE = "phones"
    ADDRESS = "addresses"
    EMAIL = "e-mails"


class Place(StrEnum):
    """Where it was planted."""

    TOP_LEVEL = "top-level tags"
    NESTED = "nested sequences"
    PRIVATE = "private tags"
    META = "file meta"
    OVERLAY = "overlays"
    TEXT = "text tags"
    FIELD = "FHIR fields"
    NARRATIVE = "narratives"
    PIXELS = "pixels"


class Profile(StrEnum):
    """The configurations that the set is run through."""

    BASIC = "basic"
    CONTENTS = "contents"

    @property
    def config(self) -> dict[str, Any]:
        """The `DeidentifyConfig`, as JSON."""
        if self is Profile.BASIC:
            return {
                "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
                "image": {"textRedactionMode": "REDACT_ALL_TEXT"},
                "fhir": {},
            }
        return {
            "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
            "image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"},
            "fhir": {},
        }


BOTH = frozenset(Profile)
BASIC_ONLY = frozenset({Profile.BASIC})
CONTENTS_ONLY = frozenset({Profile.CONTENTS})

Step = str | int
"""An attribute's tag as eight digits, a FHIR property, or the number of an item."""
Path = tuple[Step, ...]


@dataclass(frozen=True)
class Plant:
    """One identifier in one place.

    :param kind: what it is.
    :param place: where it is.
    :param source: the instance (its InstanceNumber) or the resource (``R4/Patient/patient-1``).
    :param path: the element; empty where there is none, as in pixels.
    :param needles: what must not be found anywhere, each by itself; empty when only the place itself can tell.
    :param owner: the number of the patient.
    :param removed_by: the configurations that ask for its removal.
    """

    kind: Kind
    place: Place
    source: str
    path: Path
    needles: tuple[str, ...] = field(repr=False)
    owner: str
    removed_by: frozenset[Profile]


@dataclass(frozen=True)
class Kept:
    """One element that has to stay as it is.

    :param source: the instance or the resource.
    :param path: the element.
    :param kept_by: the configurations that ask for that.
    """

    source: str
    path: Path
    kept_by: frozenset[Profile] = BOTH


def tag_path(keyword: str) -> Path:
    """Return the path of a top-level attribute."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return (f"{tag:08X}",)


def written(path: Path) -> str:
    """Return a path for people: ``(0040,A730)[0].(0040,A123)`` or ``name[0].family``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = f"({step[:4]},{step[4:]})" if len(step) == 8 and step.isalnum() and step[0].isdigit() else step
            text += f".{name}" if text else name
    return text
