"""What became of the data: one instance before and after, and a search for everything that identifies a person."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import Counter
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_description, keyword_dict
from pydicom.multival import MultiValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom import DataElement, Dataset

SHOWN = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "AccessionNumber",
    "InstitutionName",
    "ReferringPhysicianName",
    "StudyDescription",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "Modality",
    "PixelData",
)
IDENTIFIERS = frozenset(
    {
        "AccessionNumber",
        "InstitutionAddress",
        "InstitutionName",
        "OtherPatientIDs",
        "PatientAddress",
        "PatientID",
        "PatientTelephoneNumbers",
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    }
)
# Shorter values, such as an id of "1", are also found where they mean something else.
SHORTEST = 5


def pixel_digest(instance: Dataset) -> str | None:
    """A digest of the pixels, which de-identification leaves alone here: it tells which instance became which."""
    return hashlib.sha256(instance.PixelData).hexdigest() if instance.get("PixelData") else None


def showcase(before: Sequence[Dataset], after: Sequence[Dataset]) -> tuple[Dataset, Dataset]:
    """The instance with the most of the tags in :data:`SHOWN`, and what became of it.

    :raises LookupError: no instance can be recognized by its pixels.
    """
    pixels = Counter(map(pixel_digest, before))
    became = {pixel_digest(instance): instance for instance in after}
    candidates = [
        instance
        for instance in before
        if (digest := pixel_digest(instance)) and digest in became and pixels[digest] == 1
    ]
    if not candidates:
        raise LookupError("no instance of the destination has the pixels of an instance of the source")
    chosen = max(candidates, key=lambda instance: sum(bool(instance.get(keyword)) for keyword in SHOWN))
    return chosen, became[pixel_digest(chosen)]


def rows(before: Dataset, after: Dataset) -> Iterator[tuple[str, str, str]]:
    """Tag, value before and value after."""
    for keyword in SHOWN:
        yield keyword, _shown(before, keyword), _shown(after, keyword)


def _shown(instance: Dataset, keyword: str) -> str:
    if keyword not in instance:
        return "(absent)"
    value = instance.get(keyword)
    if isinstance(value, bytes):
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()[:8]}"
    return str(value) or "(empty)"


def identifiers(instances: Iterable[Dataset]) -> set[str]:
    """What identifies the people in these instances: names, ids, addresses, institutions and UIDs, in lower case."""
    found: set[str] = set()
    harmless = _words_of_the_standard()
    for element in _elements(instances):
        if element.VR == "PN":
            for name in _texts(element):
                found.update(re.split(r"[\^=\s]+", name))
        elif element.keyword in IDENTIFIERS:
            found.update(_texts(element))
        elif element.keyword == "Manufacturer":
            harmless.update(_texts(element))  # Some of the samples also name it as the institution.
    return {text for text in found - harmless if len(text) >= SHORTEST}


def leaks(sought: set[str], instances: Iterable[Dataset]) -> Counter[str]:
    """Keyword -> how many values of that tag, at any depth, hold one of the identifiers as a word or phrase."""
    leaking: Counter[str] = Counter()
    verdicts: dict[str, bool] = {}
    for element in _elements(instances):
        for text in _texts(element):
            if text not in verdicts:
                verdicts[text] = any(holds(text, identifier) for identifier in sought)
            leaking[element.keyword or str(element.tag)] += verdicts[text]
    return +leaking


def _words_of_the_standard() -> set[str]:
    """The words of DICOM's own tag names: a sample's "Observer^Verifying" is found in "Verifying Observer Name" too."""
    names = map(dictionary_description, keyword_dict.values())
    return {word for name in names for word in re.findall(r"\w+", name.lower())}


def holds(text: str, identifier: str) -> bool:
    """Whether the identifier is in the text, and no mere part of a word there."""
    return identifier in text and re.search(rf"(?<!\w){re.escape(identifier)}(?!\w)", text) is not None


def _elements(instances: Iterable[Dataset]) -> list[DataElement]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Some of the samples break a rule of the standard on purpose.
        return [element for instance in instances for element in (*instance.file_meta, *instance.iterall())]


def _texts(element: DataElement) -> list[str]:
    if element.VR == "SQ" or element.value is None:
        return []
    values = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    return [
        (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip().lower()
        for value in values
        if not isinstance(value, bytes) or element.keyword != "PixelData"
    ]
