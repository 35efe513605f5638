"""Google's client and FHIR stores, for every test here."""

from __future__ import annotations

from tests.support.google_api import dataset, fhir_stores, http, make_store, service, store, wait

__all__ = ["dataset", "fhir_stores", "http", "make_store", "service", "store", "wait"]
