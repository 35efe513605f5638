"""Multipart bodies of DICOMweb: taken apart into files as they arrive, put together as they leave."""

from __future__ import annotations

import secrets
from email.message import Message
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from airflow_healthcare_deid.emulator.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from python_multipart.multipart import MultipartCallbacks


def parse_media_type(text: str) -> tuple[str, dict[str, str]]:
    """Return a media type in lower case, and its parameters unquoted: ``multipart/related``, ``{"type": …}``."""
    message = Message()
    message["content-type"] = text.replace("\r", " ").replace("\n", " ")
    parameters = message.get_params(failobj=[], unquote=True)
    return message.get_content_type() if parameters else "", {
        name.lower(): value if isinstance(value, str) else value[2] for name, value in parameters[1:]
    }


class SingleFile:
    """Takes a body that is one DICOM file, piece by piece."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / secrets.token_hex(16)
        self._file = self.path.open("wb")

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        self._file.write(data)

    def finish(self) -> list[Path]:
        """Return the file."""
        self._file.close()
        return [self.path]

    def discard(self) -> None:
        """Remove the file if it still lies there."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class PartFiles:
    """Takes a multipart body piece by piece and writes each part to a file of its own.

    :param boundary: from the Content-Type header.
    :param folder: where the files go; each gets a random name.
    :param media_type: what each part must be, where it says what it is.
    :raises ServiceError: from `feed` and `finish`, if the body is malformed.
    """

    def __init__(self, boundary: str, folder: Path, media_type: str) -> None:
        self.paths: list[Path] = []
        self._folder = folder
        self._media_type = media_type
        self._file: BinaryIO | None = None
        self._header = b""
        self._value = b""
        self._ended = False
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._close,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary.encode("latin-1"), callbacks)
        except (ValueError, MultipartParseError):
            raise invalid("The multipart boundary is not valid.") from None

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        try:
            self._parser.write(data)
        except MultipartParseError:
            raise invalid("The body is no well-formed multipart message.") from None

    def finish(self) -> list[Path]:
        """Return the files, in the order of the parts."""
        if not self._ended:
            raise invalid("The multipart body ends before its closing boundary.")
        return self.paths

    def discard(self) -> None:
        """Remove every file that still lies there."""
        self._close()
        for path in self.paths:
            path.unlink(missing_ok=True)

    def _begin(self) -> None:
        path = self._folder / secrets.token_hex(16)
        self.paths.append(path)
        self._file = path.open("wb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        assert self._file is not None
        self._file.write(memoryview(data)[start:end])

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-type":
            kind, _ = parse_media_type(self._value.decode("latin-1"))
            if kind != self._media_type:
                raise invalid(f"Every part must be {self._media_type}.")
        self._header = self._value = b""

    def _end(self) -> None:
        self._ended = True


def new_boundary() -> str:
    """Return a boundary that no part contains."""
    return secrets.token_hex(20)


def part_head(boundary: str, headers: Mapping[str, str], *, first: bool) -> bytes:
    """Return what comes before a part's data."""
    lines: Iterable[str] = (f"{name}: {value}" for name, value in headers.items())
    return ("" if first else "\r\n").encode() + "\r\n".join([f"--{boundary}", *lines, "", ""]).encode("latin-1")


def closing(boundary: str) -> bytes:
    """Return what comes after the last part."""
    return f"\r\n--{boundary}--\r\n".encode()
