"""How a DICOM UID is replaced.

``2.25.`` and the decimal value of the name-based UUID (version 3, MD5) of the UID's characters, without a namespace:
DICOM PS3.5 B.2 "UUID derived UID". Google's offline redactor derives UIDs this way; that the hosted service uses the
same derivation is inferred, so whoever compares two sides must cope with other ones.
"""

from __future__ import annotations

import uuid
from hashlib import md5


def derive_uid(uid: str) -> str:
    """Return the UID that replaces ``uid``: the same one on every machine and in every run."""
    digest = md5(uid.encode("ascii", "replace"), usedforsecurity=False).digest()
    return f"2.25.{uuid.UUID(bytes=digest, version=3).int}"
