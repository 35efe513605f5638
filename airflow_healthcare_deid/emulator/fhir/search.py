"""Search: from query parameters to a predicate and a page request.

Unknown parameters are ignored, or refused with ``handling=strict``, as ``FhirStore.defaultSearchHandlingStrict``
describes. What would silently change the result (chains, ``_has``, ``_include``) is refused always.
https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from airflow_healthcare_deid.emulator.fhir import dates
from airflow_healthcare_deid.emulator.fhir import search_parameters as known
from airflow_healthcare_deid.emulator.fhir.codec import encode
from airflow_healthcare_deid.emulator.fhir.outcome import FhirError, bad_type, invalid
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion, resource_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEFAULT_COUNT = 100
MAX_COUNT = 1000

# Google's own query parameters may accompany any request.
_SYSTEM = frozenset(
    {"$alt", "$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser",
     "uploadType", "upload_protocol", "_format", "_pretty"}
)  # fmt: skip
_UNSUPPORTED = frozenset({"_include", "_revinclude", "_has", "_content", "_text", "_filter", "_query", "_list"})
_SORTS = {"_lastUpdated": False, "-_lastUpdated": True}
_EXACT = frozenset({"reference", "token"})
_LIST = re.compile(r"(?:[^,\\]|\\.)+")


class Criterion(msgspec.Struct, frozen=True):
    """One parameter of a search; its values are alternatives."""

    name: str
    modifier: str | None
    values: tuple[str, ...]


class SearchQuery(msgspec.Struct, frozen=True):
    """A checked search.

    :param types: resource types to look through; empty means all.
    :param criteria: all of them must hold.
    :param count: resources per page, at most 1000.
    :param token: where the page starts, from the last page's ``next`` link.
    :param newest_first: the order, by time of the last update.
    :param summary: ``count`` returns no resources, only their number.
    :param elements: names of the elements to return; empty means all.
    """

    types: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    count: int = DEFAULT_COUNT
    token: str | None = None
    newest_first: bool = True
    summary: str | None = None
    elements: tuple[str, ...] = ()

    def matches(self, resource: dict[str, Any]) -> bool:
        """Tell whether a resource satisfies all criteria."""
        return all(_holds(criterion, resource) for criterion in self.criteria)

    def needed(self) -> list[list[bytes]]:
        """Return, for criteria that allow it, the texts of which a resource's JSON must hold one to satisfy them."""
        exact = [c for c in self.criteria if c.modifier is None and known.PARAMETERS[c.name].kind in _EXACT]
        texts = [[known.needed_text(known.PARAMETERS[c.name].kind, value) for value in c.values] for c in exact]
        return [[encode(text)[1:-1] for text in alternatives] for alternatives in texts if all(alternatives or [""])]

    @property
    def ids(self) -> frozenset[str] | None:
        """The ids to which ``_id`` narrows the search, if it does."""
        narrowing = [frozenset(c.values) for c in self.criteria if c.name == "_id" and c.modifier is None]
        return functools.reduce(frozenset.intersection, narrowing) if narrowing else None


def parse_query(
    pairs: Iterable[tuple[str, str]], version: FhirVersion, resource_type: str | None = None, *, strict: bool = False
) -> SearchQuery:
    """Read a search request's parameters.

    :param pairs: the decoded query parameters, in order.
    :param version: the store's FHIR version.
    :param resource_type: the type in the path, if there is one.
    :param strict: refuse unknown parameters instead of ignoring them.
    :raises FhirError: 400 for a malformed value or something unsupported; it names the parameter only.
    """
    types: tuple[str, ...] = (resource_type,) if resource_type else ()
    criteria: list[Criterion] = []
    options: dict[str, Any] = {}
    for key, value in pairs:
        if key in _SYSTEM:
            continue
        name, _, modifier = key.partition(":")
        if name == "_type" and resource_type is None:
            types = _types(value, version)
        elif name in _OPTIONS:
            options.update(_OPTIONS[name](value))
        elif name in _UNSUPPORTED or "." in name:
            raise _unsupported("a search parameter that the emulator does not support (_include, _has, a chain, …)")
        elif name in known.PARAMETERS:
            criteria.append(_criterion(name, modifier or None, value, version))
        elif strict:
            raise _unsupported("an unknown search parameter, and handling is strict")
    return SearchQuery(types, tuple(criteria), **options)


def identifier_query(text: str, version: FhirVersion, resource_type: str) -> SearchQuery:
    """Read the criteria of a conditional interaction, which the service limits to ``identifier=``.

    :param text: the value of ``If-None-Exist``, or the query string.
    :raises FhirError: 400 when it is anything else than an identifier search.
    """
    pairs = [pair for pair in parse_qsl(text.lstrip("?"), keep_blank_values=True) if pair[0] not in _SYSTEM]
    if not pairs or any(name != "identifier" or not value.strip("|") for name, value in pairs):
        raise invalid("a conditional interaction takes identifier=[system|]value and nothing else", "invalid_query")
    return parse_query(pairs, version, resource_type)


def encode_token(sort_key: tuple[Any, ...]) -> str:
    """Return an opaque page token for the resource after which the next page starts."""
    return base64.urlsafe_b64encode(msgspec.json.encode(sort_key)).decode().rstrip("=")


def decode_token(token: str) -> tuple[int, str, str]:
    """Read a page token back.

    :raises FhirError: 400 when it is none of ours.
    """
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=tuple[int, str, str])
    except (msgspec.DecodeError, binascii.Error, UnicodeError):
        raise invalid("_page_token is not one that this store gave out", "invalid_query") from None


def _types(value: str, version: FhirVersion) -> tuple[str, ...]:
    types = tuple(dict.fromkeys(filter(None, value.split(","))))
    if not types or not resource_types(version).issuperset(types):
        raise bad_type()
    return types


def _count(value: str) -> dict[str, Any]:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise invalid("_count must be a number from 0", "invalid_query")
    number = int(value)
    return {"summary": "count"} if number == 0 else {"count": min(number, MAX_COUNT)}


def _page_token(value: str) -> dict[str, Any]:
    decode_token(value)
    return {"token": value}


def _sort(value: str) -> dict[str, Any]:
    if value not in _SORTS:
        raise _unsupported("_sort: only _lastUpdated and -_lastUpdated")
    return {"newest_first": _SORTS[value]}


def _summary(value: str) -> dict[str, Any]:
    if value not in ("count", "text", "data", "false"):
        raise invalid("_summary must be count, text, data or false", "invalid_query")
    return {"summary": None if value == "false" else value}


def _elements(value: str) -> dict[str, Any]:
    return {"elements": tuple(filter(None, value.split(",")))}


def _total(value: str) -> dict[str, Any]:
    if value not in ("none", "estimate", "accurate"):
        raise invalid("_total must be none, estimate or accurate", "invalid_query")
    return {}


_OPTIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "_count": _count,
    "_page_token": _page_token,
    "_sort": _sort,
    "_summary": _summary,
    "_elements": _elements,
    "_total": _total,
}


def _criterion(name: str, modifier: str | None, value: str, version: FhirVersion) -> Criterion:
    kind = known.PARAMETERS[name].kind
    typed = kind == "reference" and modifier in resource_types(version)
    if modifier is not None and modifier not in known.MODIFIERS[kind] and not typed:
        raise _unsupported(f"{name}: a modifier that the emulator does not support here")
    values = tuple(re.sub(r"\\(.)", r"\1", item) for item in _LIST.findall(value))
    if modifier == "missing" and values not in (("true",), ("false",)):
        raise invalid(f"{name}:missing takes true or false", "invalid_query")
    if kind == "date" and modifier is None and any(_date(item) is None for item in values):
        raise invalid(f"{name} takes a date such as ge2024-01-31", "invalid_query")
    return Criterion(name, modifier, values)


def _date(text: str) -> tuple[str, dates.Interval] | None:
    prefix = text[:2] if text[:2] in dates.PREFIXES else ""
    interval = dates.parse_interval(text[len(prefix) :])
    return (prefix or "eq", interval) if interval else None


def _holds(criterion: Criterion, resource: dict[str, Any]) -> bool:
    parameter = known.PARAMETERS[criterion.name]
    found = list(known.elements(resource, parameter.paths))
    if criterion.name in ("phone", "email"):
        found = [item for item in found if isinstance(item, dict) and item.get("system") == criterion.name]
    if criterion.modifier == "missing":
        return (not found) == (criterion.values == ("true",))
    some = any(_matches(parameter.kind, value, wanted, criterion) for value in found for wanted in criterion.values)
    return some != (criterion.modifier == "not") if criterion.values else True


def _matches(kind: str, value: Any, wanted: str, criterion: Criterion) -> bool:
    if kind == "string":
        return known.string_matches(value, wanted, criterion.modifier)
    if kind == "token":
        return known.token_matches(value, wanted)
    if kind == "reference":
        return known.reference_matches(value, wanted, criterion.modifier)
    parsed = _date(wanted)
    return parsed is not None and known.date_matches(value, parsed[1], parsed[0])


def _unsupported(diagnostics: str) -> FhirError:
    return FhirError(HTTPStatus.BAD_REQUEST, "not-supported", "invalid_query", diagnostics)
