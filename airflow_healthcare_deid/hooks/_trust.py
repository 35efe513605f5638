"""Whose certificates are trusted: the same in the worker and in the triggerer."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def ca_bundle() -> str:
    """Return the file or folder of trusted certificates, as ``requests`` chooses it and Google's libraries with it."""
    import certifi

    return next((os.environ[name] for name in CA_VARIABLES if os.environ.get(name)), certifi.where())


def tls_context() -> ssl.SSLContext:
    """Return a context for an event loop's connections; takes some milliseconds, so not to be called on the loop."""
    bundle = ca_bundle()
    if Path(bundle).is_dir():
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)
