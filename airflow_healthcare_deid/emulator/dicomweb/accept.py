"""What representation a DICOMweb client asks for (PS3.18 section 8.7: Accept header, transfer syntax)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.emulator.dicomweb.multipart import parse_media_type
from airflow_healthcare_deid.emulator.errors import Code, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.requests import Request


class Wanted(msgspec.Struct, frozen=True):
    """One representation that a client takes.

    :param media_type: type of each part, or of the whole, for example ``application/dicom``.
    :param multipart: whether as multipart/related.
    :param transfer_syntax: a UID, ``*`` for as stored, or None for the service's default.
    """

    media_type: str
    multipart: bool
    transfer_syntax: str | None


def wanted(request: Request, default: Wanted) -> Iterator[Wanted]:
    """Yield what the client takes, what it likes most first; ``*/*`` and no header mean the default."""
    ranges = []
    for part in _split(request.headers.get("accept", "*/*")):
        media_type, parameters = parse_media_type(part)
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        ranges.append((quality, media_type, parameters))
    for quality, media_type, parameters in sorted(ranges, key=lambda item: -item[0]):
        if quality <= 0:
            continue
        syntax = parameters.get("transfer-syntax")
        if media_type in ("*/*", "multipart/*"):
            yield Wanted(default.media_type, default.multipart, syntax or default.transfer_syntax)
        elif media_type == "multipart/related":
            part = parameters.get("type", "*/*").lower()
            yield Wanted(default.media_type if part == "*/*" else part, True, syntax)
        else:
            yield Wanted(media_type, False, syntax)


def chosen(request: Request, default: Wanted, offered: Iterable[tuple[str, bool]]) -> Wanted:
    """Return the first thing wanted that is on offer.

    :param offered: media types, each with whether it is multipart.
    :raises ServiceError: 406 if there is none.
    """
    offers = set(offered)
    for want in wanted(request, default):
        if (want.media_type, want.multipart) in offers:
            return want
    raise not_acceptable("None of the media types in the Accept header can be served here.")


def not_acceptable(message: str) -> ServiceError:
    """Return a 406."""
    return ServiceError(Code.INVALID_ARGUMENT, message, http_status=406)


def _split(header: str) -> Iterator[str]:
    """Split an Accept header at its commas, those inside quotes excepted."""
    quoted = False
    part = ""
    for character in header:
        quoted ^= character == '"'
        if character == "," and not quoted:
            yield part
            part = ""
        else:
            part += character
    yield part
