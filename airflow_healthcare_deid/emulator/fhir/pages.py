"""The bundles that searches, histories and ``$everything`` answer, page by page.

https://hl7.org/fhir/R4/bundle.html#searchset
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow_healthcare_deid.emulator.fhir.repository import instant
from airflow_healthcare_deid.emulator.fhir.search import decode_token, encode_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_healthcare_deid.emulator.fhir.repository import Version
    from airflow_healthcare_deid.emulator.fhir.search import SearchQuery
    from airflow_healthcare_deid.emulator.fhir.store import FhirStore

# What ``_summary=text`` keeps, and ``_summary=data`` drops, https://hl7.org/fhir/R4/search.html#summary.
_TEXT_SUMMARY = ("text", "meta")
_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


def search(store: FhirStore, query: SearchQuery, url: str, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Build the page of a searchset that a query asks for.

    :param url: where the search was sent, without its parameters.
    :param pairs: the search's parameters, for the links.
    """
    if query.criteria:
        return searchset(store, store.matching(query), query, url, pairs)
    # Whoever reads a whole store page by page is to read each resource once.
    after = decode_token(query.token) if query.token else None
    versions = store.repository.scan(store.key, query.types, newest_first=query.newest_first, after=after)
    page = list(islice(versions, query.count + 1))
    total, more = store.repository.count(store.key, query.types), len(page) > query.count
    return _searchset(store, (page[: query.count], total, more), query, url, pairs)


def searchset(
    store: FhirStore, versions: Iterable[Version], query: SearchQuery, url: str, pairs: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Build a page of a searchset.

    :param versions: everything that matches, in the query's order.
    """
    return _searchset(store, _page(versions, query), query, url, pairs)


def _searchset(
    store: FhirStore,
    found: tuple[list[Version], int, bool],
    query: SearchQuery,
    url: str,
    pairs: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    page, total, more = found
    if query.summary == "count":
        return _bundle("searchset", total, [], [_link("self", url, pairs)])
    entries = [
        {
            "fullUrl": f"{store.base}/{version.type}/{version.id}",
            "resource": _subset(version.resource(), query),
            "search": {"mode": "match"},
        }
        for version in page
    ]
    return _bundle("searchset", total, entries, _links(url, pairs, page, more=more))


def history(
    store: FhirStore, versions: Sequence[Version], query: SearchQuery, url: str, pairs: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Build a page of a resource's history, newest first."""
    page, total, more = _page(versions, query)
    entries = []
    for version in page:
        path = f"{version.type}/{version.id}"
        entry: dict[str, Any] = {
            "fullUrl": f"{store.base}/{path}",
            "request": {"method": version.method, "url": version.type if version.method == "POST" else path},
            "response": {
                "etag": f'W/"{version.version_id}"',
                "lastModified": instant(version.updated),
                "status": {"POST": "201 Created"}.get(version.method, "200 OK"),
            },
        }
        if version.body is not None:
            entry["resource"] = version.resource()
        entries.append(entry)
    return _bundle("history", total, entries, _links(url, pairs, page, more=more))


def _page(versions: Iterable[Version], query: SearchQuery) -> tuple[list[Version], int, bool]:
    """Return the page, the number of all matches, and whether there are more after the page."""
    after = decode_token(query.token) if query.token else None
    page: list[Version] = []
    total = passed = 0
    for version in versions:
        total += 1
        if after is not None and not _is_beyond(_sort_key(version), after, newest_first=query.newest_first):
            passed += 1
        elif len(page) < query.count:
            page.append(version)
    return page, total, total > passed + len(page)


def _sort_key(version: Version) -> tuple[int, str, str]:
    return version.updated, version.type, version.id


def _is_beyond(key: tuple[int, str, str], after: tuple[int, str, str], *, newest_first: bool) -> bool:
    return key < after if newest_first else key > after


def _bundle(kind: str, total: int, entries: list[dict[str, Any]], links: list[dict[str, str]]) -> dict[str, Any]:
    bundle: dict[str, Any] = {"entry": entries} if entries else {}
    return {**bundle, "link": links, "resourceType": "Bundle", "total": total, "type": kind}


def _links(url: str, pairs: Sequence[tuple[str, str]], page: Sequence[Version], *, more: bool) -> list[dict[str, str]]:
    first = [pair for pair in pairs if pair[0] != "_page_token"]
    links = [_link("self", url, pairs), _link("first", url, first)]
    if more and page:
        links.append(_link("next", url, [*first, ("_page_token", encode_token(_sort_key(page[-1])))]))
    return links


def _link(relation: str, url: str, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {"relation": relation, "url": f"{url}?{urlencode(pairs)}" if pairs else url}


def _subset(resource: dict[str, Any], query: SearchQuery) -> dict[str, Any]:
    if query.summary == "data":
        kept = {name: value for name, value in resource.items() if name != "text"}
    elif query.summary == "text" or query.elements:
        wanted = {"resourceType", "id", "meta", *(query.elements or _TEXT_SUMMARY)}
        kept = {name: value for name, value in resource.items() if name.removeprefix("_") in wanted}
    else:
        return resource
    meta = kept.get("meta", {})
    return {**kept, "meta": {**meta, "tag": [*meta.get("tag", []), _SUBSETTED]}}
