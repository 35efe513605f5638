"""The files to look at: those named, and those in the folders named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DICOM_AT = slice(128, 132)
_HEAD = 512
_SUFFIXES = {".dcm": "DICOM", ".dicom": "DICOM", ".json": "FHIR"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file.

    :param kind: ``DICOM``, ``FHIR`` or None for neither.
    """

    path: Path
    kind: str | None


@dataclass(slots=True)
class Sources:
    """What was found.

    :param files: at most as many as were asked for.
    :param others: how many files in folders are neither DICOM nor JSON.
    :param more: whether there are more files than that.
    """

    files: list[Source]
    others: int = 0
    more: bool = False


def find_sources(paths: Iterable[Path], limit: int) -> Sources:
    """Return the files among some paths, each once, folders in order of name.

    Of a folder, hidden files, links to folders and what is neither DICOM nor JSON are left out.

    :param limit: when to stop.
    """
    found = Sources([])
    seen: set[Path] = set()
    for path, named in _paths(paths):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        kind = kind_of(path)
        if kind is None and not named:
            found.others += 1
        elif len(found.files) == limit:
            found.more = True
            break
        else:
            found.files.append(Source(path, kind))
    return found


def kind_of(path: Path) -> str | None:
    """Tell what a file is by how it starts, or else by its name."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        head = b""
    if head[_DICOM_AT] == b"DICM":
        return "DICOM"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return "FHIR"
    return _SUFFIXES.get(path.suffix.lower())


def _paths(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if not name.startswith(".") and file.is_file():
                    yield file, False
