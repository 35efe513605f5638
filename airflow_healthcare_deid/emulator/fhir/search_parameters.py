"""The search parameters the emulator knows: a small table, and how one value of a resource matches.

Names, kinds and elements: https://hl7.org/fhir/R4/searchparameter-registry.html. The capability statement is generated
from the same table, so what is announced is what is there.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_healthcare_deid.emulator.fhir import dates

if TYPE_CHECKING:
    from collections.abc import Iterator


class Parameter(NamedTuple):
    """One search parameter.

    :param kind: ``string``, ``token``, ``date`` or ``reference``.
    :param paths: element paths within a resource; the first name of each decides which types have the parameter.
    """

    kind: str
    paths: tuple[str, ...]


PARAMETERS: dict[str, Parameter] = {
    "_id": Parameter("token", ("id",)),
    "_lastUpdated": Parameter("date", ("meta.lastUpdated",)),
    "_tag": Parameter("token", ("meta.tag",)),
    "_security": Parameter("token", ("meta.security",)),
    "_profile": Parameter("token", ("meta.profile",)),
    "identifier": Parameter("token", ("identifier",)),
    "active": Parameter("token", ("active",)),
    "gender": Parameter("token", ("gender",)),
    "status": Parameter("token", ("status",)),
    "code": Parameter("token", ("code",)),
    "category": Parameter("token", ("category",)),
    "type": Parameter("token", ("type",)),
    "phone": Parameter("token", ("telecom",)),
    "email": Parameter("token", ("telecom",)),
    "telecom": Parameter("token", ("telecom",)),
    "name": Parameter("string", ("name",)),
    "family": Parameter("string", ("name.family",)),
    "given": Parameter("string", ("name.given",)),
    "address": Parameter("string", ("address",)),
    "address-city": Parameter("string", ("address.city",)),
    "address-state": Parameter("string", ("address.state",)),
    "address-postalcode": Parameter("string", ("address.postalCode",)),
    "address-country": Parameter("string", ("address.country",)),
    "birthdate": Parameter("date", ("birthDate",)),
    "death-date": Parameter("date", ("deceasedDateTime",)),
    "date": Parameter(
        "date",
        ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "date", "period", "performedDateTime",
         "performedPeriod", "occurrenceDateTime", "occurrencePeriod"),
    ),
    "subject": Parameter("reference", ("subject",)),
    "patient": Parameter("reference", ("patient", "subject", "beneficiary")),
    "encounter": Parameter("reference", ("encounter", "context")),
    "performer": Parameter("reference", ("performer", "performer.actor")),
    "organization": Parameter("reference", ("organization", "managingOrganization")),
    "general-practitioner": Parameter("reference", ("generalPractitioner",)),
    "author": Parameter("reference", ("author",)),
}  # fmt: skip

MODIFIERS: dict[str, frozenset[str]] = {
    "string": frozenset({"exact", "contains", "missing"}),
    "token": frozenset({"not", "missing"}),
    "date": frozenset({"missing"}),
    "reference": frozenset({"missing"}),
}
"""Modifiers per kind; a reference takes a resource type as well."""


def elements(resource: dict[str, Any], paths: tuple[str, ...]) -> Iterator[Any]:
    """Yield every element that one of the paths leads to, through arrays."""
    for path in paths:
        yield from _walk(resource, path.split("."))


def _walk(node: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, names)
    elif not names:
        if node is not None:
            yield node
    elif isinstance(node, dict) and names[0] in node:
        yield from _walk(node[names[0]], names[1:])


def fold(text: str) -> str:
    """Lower the case and drop the accents, as string search asks for."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def string_matches(value: Any, wanted: str, modifier: str | None) -> bool:
    """A string starts with the wanted text; a name or address does when one of its parts does."""
    if isinstance(value, dict):
        return any(string_matches(part, wanted, modifier) for part in value.values() if not isinstance(part, bool))
    if isinstance(value, list):
        return any(string_matches(part, wanted, modifier) for part in value)
    if not isinstance(value, str):
        return False
    if modifier == "exact":
        return value == wanted
    folded = fold(value)
    return fold(wanted) in folded if modifier == "contains" else folded.startswith(fold(wanted))


def token_matches(value: Any, wanted: str) -> bool:
    """``code``, ``system|code``, ``|code`` or ``system|`` over codes, codings, identifiers and contact points."""
    system, bar, code = wanted.rpartition("|")
    for found_system, found_code in _tokens(value):
        if bar and found_system != (system or None):
            continue
        if (bar and not code) or found_code == code:
            return True
    return False


def _tokens(value: Any) -> Iterator[tuple[str | None, str]]:
    if isinstance(value, bool):
        yield None, "true" if value else "false"
    elif isinstance(value, str | int | float):
        yield None, str(value)
    elif isinstance(value, dict):
        for coding in value["coding"] if isinstance(value.get("coding"), list) else ():
            yield from _tokens(coding)
        for member in ("value", "code"):
            if isinstance(value.get(member), str):
                system = value.get("system")
                yield system if isinstance(system, str) else None, value[member]


def date_matches(value: Any, wanted: dates.Interval, prefix: str) -> bool:
    """Compare a date, dateTime, instant or Period."""
    interval: dates.Interval | None = None
    if isinstance(value, str):
        interval = dates.parse_interval(value)
    elif isinstance(value, dict):
        ends = [text if isinstance(text, str) else None for text in (value.get("start"), value.get("end"))]
        interval = dates.period(*ends)
    return interval is not None and dates.matches(prefix, wanted, interval)


def reference_matches(value: Any, wanted: str, kind: str | None) -> bool:
    """``Patient/1``, ``1`` or an absolute URL, over a Reference; ``kind`` is the ``:Type`` modifier."""
    target = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(target, str):
        return False
    relative, sought = _relative(target), _relative(wanted)
    if "/" in sought:
        return relative == sought
    return relative.endswith(f"/{wanted}") and kind in (None, relative.split("/")[0])


def needed_text(kind: str, wanted: str) -> str:
    """Return a text that a token or reference must hold to match; empty when there is none."""
    return _relative(wanted) if kind == "reference" else wanted.rpartition("|")[2]


def _relative(reference: str) -> str:
    return "/".join(reference.split("/_history/")[0].split("/")[-2:])
