"""What is the same for DICOM and FHIR stores: create, list, get, patch, delete."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import invalid
from airflow_healthcare_deid.emulator.messages import check_query, convert, parse_name
from airflow_healthcare_deid.emulator.routes.common import (
    DATASET,
    check_labels,
    dataset_name,
    listing,
    new_id,
    patched,
    store_name,
    stored,
    with_body,
)
from airflow_healthcare_deid.emulator.state import state_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec
    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.resources import Resource
    from airflow_healthcare_deid.resource_names import DicomStoreName, FhirStoreName

_LABEL_FILTER = re.compile(r'\s*labels\.([a-z0-9_-]{1,63})\s*=\s*"?([a-z0-9_-]{0,63})"?\s*')


@dataclass(frozen=True)
class StoreKind:
    """What sets the stores of one kind apart.

    :param parse: reads the full name of one.
    :param collection: how the API calls them: ``dicomStores`` or ``fhirStores``.
    :param path: the path of one.
    :param message: the shape of one.
    :param mutable: the fields that may change, in camelCase.
    :param metrics: returns what a store holds, without its name.
    :param metrics_verb: custom verb that asks for it.
    :param check_new: refuses what a new one must not be.
    """

    parse: Callable[[str], DicomStoreName | FhirStoreName]
    collection: str
    path: str
    message: type[msgspec.Struct]
    mutable: tuple[str, ...]
    metrics: Callable[[Request, Resource], dict[str, Any]]
    metrics_verb: str
    check_new: Callable[[dict[str, Any]], None] = lambda _: None

    def routes(self) -> list[Route]:
        """Return the routes of the stores of this kind."""
        return [
            Route(f"{DATASET}/{self.collection}", with_body(self._create), methods=["POST"]),
            Route(f"{DATASET}/{self.collection}", self._list, methods=["GET"]),
            Route(f"{self.path}:{self.metrics_verb}", self._metrics, methods=["GET"]),
            Route(self.path, self._get, methods=["GET"]),
            Route(self.path, with_body(self._patch), methods=["PATCH"]),
            Route(self.path, self._delete, methods=["DELETE"]),
        ]

    def _create(self, request: Request, body: dict[str, Any]) -> JSONResponse:
        parameter = f"{self.collection.removesuffix('s')}Id"
        check_query(request, (parameter,))
        convert(body, self.message)
        check_labels(body.get("labels"))
        dataset = dataset_name(request)
        resources = state_of(request).resources
        resources.dataset(dataset, f"healthcare.{self.collection}.create")
        self.check_new(body)
        text = f"{dataset}/{self.collection}/{new_id(request, parameter)}"
        name = parse_name(self.parse, text, field=parameter)
        return JSONResponse(resources.create(name, stored(body)).message())

    def _list(self, request: Request) -> JSONResponse:
        check_query(request, ("filter", "pageSize", "pageToken"))
        permission = f"healthcare.{self.collection}.list"
        dataset = state_of(request).resources.dataset(dataset_name(request), permission)
        return listing(request, dataset.name, self.collection, _label_filter(request))

    def _get(self, request: Request) -> JSONResponse:
        check_query(request)
        return JSONResponse(self._find(request, "get").message())

    def _patch(self, request: Request, body: dict[str, Any]) -> JSONResponse:
        check_query(request, ("updateMask",))
        store = self._find(request, "update")
        changed = patched(request, store, body, self.message, self.mutable)
        check_labels(changed.get("labels"))
        return JSONResponse(state_of(request).resources.replace_body(store, changed).message())

    def _delete(self, request: Request) -> JSONResponse:
        check_query(request)
        state_of(request).resources.delete(self._find(request, "delete"))
        return JSONResponse({})

    def _metrics(self, request: Request) -> JSONResponse:
        check_query(request)
        store = self._find(request, "get")
        return JSONResponse({"name": store.name, **self.metrics(request, store)})

    def _find(self, request: Request, verb: str) -> Resource:
        return state_of(request).resources.store(store_name(request), f"healthcare.{self.collection}.{verb}")


def _label_filter(request: Request) -> Callable[[Resource], bool]:
    """Read a ``filter`` of the form ``labels.key=value``, joined by AND; the only one Google documents for stores."""
    text = request.query_params.get("filter", "")
    wanted: dict[str, str] = {}
    for term in re.split(r"\sAND\s", text) if text.strip() else []:
        match = _LABEL_FILTER.fullmatch(term)
        if match is None:
            raise invalid("Invalid filter: only labels.key=value terms joined by AND are supported.", field="filter")
        wanted[match[1]] = match[2]
    return lambda store: wanted.items() <= store.body.get("labels", {}).items()
