"""Reading a FHIR store: which patients there are, and all about one.

https://cloud.google.com/healthcare-api/docs/how-tos/fhir-search
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from airflow_healthcare_deid.errors import PermissionOrNotFoundError
from airflow_healthcare_deid.hooks._content import get_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.resource_names import FhirStoreName

FHIR_JSON = "application/fhir+json"
PAGE_SIZE = 1000
NOT_FOUND = 404

Resource = dict[str, Any]


class FhirReader:
    """Reads one store.

    :param hook: calls the service.
    :param store: what to read.
    """

    def __init__(self, hook: HealthcareHook, store: FhirStoreName) -> None:
        self._hook = hook
        self._store = store

    def patient_ids(self) -> Iterator[str]:
        """Yield the ids of all Patient resources."""
        query = {"_elements": "id", "_count": str(PAGE_SIZE)}
        for resource in self._pages("datasets.fhirStores.fhir.search", "fhir/Patient", query):
            yield str(resource["id"])

    def everything(self, patient_id: str) -> Iterator[Resource]:
        """Yield a Patient resource, what it refers to and what refers to it; nothing if there is no such patient."""
        path = f"fhir/Patient/{quote(patient_id, safe='')}/$everything"
        try:
            yield from self._pages("datasets.fhirStores.fhir.Patient-everything", path, {"_count": str(PAGE_SIZE)})
        except PermissionOrNotFoundError as error:
            if error.status != NOT_FOUND:
                raise

    def _pages(self, method: str, path: str, query: dict[str, str]) -> Iterator[Resource]:
        while True:
            content = get_content(self._hook, method, self._store, path, query, accept=FHIR_JSON)
            bundle: dict[str, Any] = msgspec.json.decode(content.body) if content else {}
            yield from (entry["resource"] for entry in bundle.get("entry", ()) if "resource" in entry)
            token = _next_page(bundle)
            if token is None:
                return
            query = {**query, "_page_token": token}


def _next_page(bundle: dict[str, Any]) -> str | None:
    """Return the token of the next page; the link's host is of no concern, requests go where all others went."""
    for link in bundle.get("link", ()):
        if link.get("relation") == "next":
            return next(iter(parse_qs(urlsplit(str(link["url"])).query).get("_page_token", ())), None)
    return None
