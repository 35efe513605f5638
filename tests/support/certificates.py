"""A certificate for this machine, and the authority that vouches for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Certificate(NamedTuple):
    """Files: what the server shows, its key, and what clients are to trust."""

    chain: Path
    key: Path
    trusted: Path


def certify(folder: Path, host: str = "127.0.0.1") -> Certificate:
    """Write a certificate and its authority into a folder."""
    made = Certificate(folder / "chain.pem", folder / "key.pem", folder / "ca.pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(made.trusted)
    certificate = authority.issue_cert(host)
    made.chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(made.key)
    return made
