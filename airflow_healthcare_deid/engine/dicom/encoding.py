"""How the elements of a data set are written in each transfer syntax (DICOM PS3.5, chapter 7 and annex A)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

UNDEFINED = 0xFFFFFFFF
"""The length of a value that ends at a delimiter."""

_SHORT = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"
_LONG = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"
SHORT_VRS = frozenset(_SHORT.encode().split())
"""VRs with a length of two bytes; never a sequence, never of undefined length."""
LONG_VRS = frozenset(_LONG.encode().split())
"""VRs with two reserved bytes and a length of four."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """One way to write elements.

    :param explicit: whether elements carry their VR.
    :param order: byte order, as `struct` writes it.
    :param header: reads tag, VR and two-byte length, or with implicit VR tag and four-byte length.
    :param pair: reads tag and four-byte length: item headers, and elements without a VR.
    :param long: reads a four-byte length.
    :param short: reads a two-byte length.
    """

    explicit: bool
    order: str
    header: Struct
    pair: Struct
    long: Struct
    short: Struct

    def tag(self, key: int) -> int:
        """Return the tag that a header's first four bytes, read as one number, stand for."""
        return (key & 0xFFFF) << 16 | key >> 16 if self.order == "<" else key

    def key(self, tag: int) -> int:
        """Return the first four bytes of a tag's header, read as one number."""
        return self.tag(tag)  # swapping the halves is its own inverse


def _encoding(explicit: bool, order: str) -> Encoding:
    header = Struct(f"{order}L2sH" if explicit else f"{order}LL")
    return Encoding(explicit, order, header, Struct(f"{order}LL"), Struct(f"{order}L"), Struct(f"{order}H"))


EXPLICIT_LITTLE = _encoding(explicit=True, order="<")
IMPLICIT_LITTLE = _encoding(explicit=False, order="<")
EXPLICIT_BIG = _encoding(explicit=True, order=">")

DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
"""Transfer syntaxes whose data set is deflated as a whole: Deflated Explicit VR, JPIP Referenced Deflate (two)."""
_OTHERS = {
    "1.2.840.10008.1.2": IMPLICIT_LITTLE,
    "1.2.840.10008.1.2.2": EXPLICIT_BIG,
    "1.2.840.113619.5.2": IMPLICIT_LITTLE,  # GE private: only the pixels are big endian
}


def encoding_of(transfer_syntax: str) -> Encoding:
    """Return how a transfer syntax writes elements; nearly all of them do it in explicit VR, little endian."""
    return _OTHERS.get(transfer_syntax, EXPLICIT_LITTLE)
