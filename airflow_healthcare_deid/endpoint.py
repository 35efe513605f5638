"""Where requests go, and whether credentials may go with them.

Plain http is for the emulator on this machine only, and never with credentials. A token goes to Google's hosts, or to a
host that somebody named on purpose, over https.
"""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from airflow_healthcare_deid.errors import InvalidEndpointError

if TYPE_CHECKING:
    from collections.abc import Mapping

EMULATOR_VARIABLE = "HEALTHCARE_EMULATOR_HOST"
UNIVERSE_VARIABLE = "GOOGLE_CLOUD_UNIVERSE_DOMAIN"
CONNECTION_FIELD = "healthcare_api_endpoint"


class Endpoint(msgspec.Struct, frozen=True):
    """An address of the service.

    :param url: scheme, host and port, without a trailing slash.
    :param credentials: whether requests may carry credentials.
    :param loopback: whether it is on this machine.
    """

    url: str
    credentials: bool = True
    loopback: bool = False


def resolve_endpoint(
    argument: str | None = None,
    extras: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Endpoint:
    """Return where requests go: the argument, else the connection's field, else the emulator, else Google.

    :param argument: ``api_endpoint`` as the user gave it.
    :param extras: extra fields of the connection, of which ``healthcare_api_endpoint`` counts.
    :param environ: where ``HEALTHCARE_EMULATOR_HOST`` and ``GOOGLE_CLOUD_UNIVERSE_DOMAIN`` are looked up.
    :raises InvalidEndpointError: if the address is malformed, or would send credentials in the clear.
    """
    universe = environ.get(UNIVERSE_VARIABLE) or "googleapis.com"
    if argument:
        return _check("api_endpoint", argument, universe, trusted=True)
    if extras and (field := extras.get(CONNECTION_FIELD)):
        return _check(f"connection field {CONNECTION_FIELD}", str(field), universe, trusted=True)
    if emulator := environ.get(EMULATOR_VARIABLE):
        address = emulator if "://" in emulator else f"http://{emulator}"
        return _check(EMULATOR_VARIABLE, address, universe, trusted=False)
    return Endpoint(f"https://healthcare.{universe}")


def _check(field: str, address: str, universe: str, *, trusted: bool) -> Endpoint:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, parts, port = None, None, None
    if not host or parts is None or parts.scheme not in ("http", "https"):
        raise InvalidEndpointError(field, "is no http or https address", "Write https://host, or https://host:port")
    if parts.username or parts.password:
        raise InvalidEndpointError(field, "holds a user name or password", "Credentials belong into the connection")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidEndpointError(field, "holds more than scheme, host and port", "Leave out the rest")
    loopback = _is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise InvalidEndpointError(
            field,
            f"plain http to {host}, which is not this machine, would carry patients' data in the clear",
            "Use https, or an emulator on 127.0.0.1",
        )
    netloc = f"[{host}]" if ":" in host else host
    return Endpoint(
        url=f"{parts.scheme}://{netloc}" + (f":{port}" if port else ""),
        credentials=parts.scheme == "https" and (trusted or _is_google(host, universe)),
        loopback=loopback,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_google(host: str, universe: str) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in {"googleapis.com", universe})
