"""One FHIR store's interactions, without HTTP: each takes decoded input and gives an `Answer`, or raises `FhirError`.

https://hl7.org/fhir/R4/http.html and the ``fhirStores.fhir`` methods of the discovery document.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from airflow_healthcare_deid.emulator.fhir import search
from airflow_healthcare_deid.emulator.fhir.dates import parse_instant, parse_interval
from airflow_healthcare_deid.emulator.fhir.json_patch import apply_patch
from airflow_healthcare_deid.emulator.fhir.outcome import (
    FhirError,
    gone,
    integrity,
    invalid,
    multiple_matches,
    not_found,
)
from airflow_healthcare_deid.emulator.fhir.references import local_references
from airflow_healthcare_deid.emulator.fhir.repository import micros
from airflow_healthcare_deid.emulator.fhir.validation import check_resource, valid_id
from airflow_healthcare_deid.emulator.fhir.versions import FhirVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_healthcare_deid.emulator.fhir.repository import FhirRepository, Version
    from airflow_healthcare_deid.emulator.storage import Storage


class Settings(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of a ``FhirStore`` that decide how it answers; defaults are Google's."""

    version: FhirVersion
    enable_update_create: bool = False
    disable_referential_integrity: bool = False
    disable_resource_versioning: bool = False
    default_search_handling_strict: bool = False


class Answer(NamedTuple):
    """What an interaction gives.

    :param status: the HTTP status.
    :param version: the version read or written, for the body and the headers.
    :param location: whether the ``Location`` header is due.
    """

    status: int
    version: Version | None = None
    location: bool = False


class FhirStore:
    """A store, its settings and its resources.

    :param key: the store's key in `Resources`.
    :param base: URL of its ``…/fhir``, without a slash at the end.
    """

    def __init__(self, storage: Storage, repository: FhirRepository, key: int, settings: Settings, base: str) -> None:
        self.storage = storage
        self.repository = repository
        self.key = key
        self.settings = settings
        self.base = base

    def without_integrity(self) -> FhirStore:
        """Return the same store without its checks of references, for a transaction that checks at its end."""
        settings = msgspec.structs.replace(self.settings, disable_referential_integrity=True)
        return FhirStore(self.storage, self.repository, self.key, settings, self.base)

    def read(self, kind: str, key: str) -> Version:
        """Return the current version.

        :raises FhirError: 404 if there was never one, 410 if it is deleted.
        """
        version = self.repository.get(self.key, kind, key)
        if version is None:
            raise not_found()
        if version.body is None:
            raise gone()
        return version

    def vread(self, kind: str, key: str, version_id: str) -> Version:
        """Return one version.

        :raises FhirError: 404 if there is none, 410 if it is a deletion, 405 if the store keeps no versions.
        """
        self._needs_versions()
        version = self.repository.version(self.key, kind, key, version_id)
        if version is None:
            raise not_found()
        if version.body is None:
            raise gone()
        return version

    def history(self, kind: str, key: str) -> list[Version]:
        """Return all versions, newest first.

        :raises FhirError: 404 if there was never one, 405 if the store keeps no versions.
        """
        self._needs_versions()
        versions = self.repository.history(self.key, kind, key)
        if not versions:
            raise not_found()
        return versions

    def create(self, kind: str, body: Any, if_none_exist: str | None = None, *, key: str | None = None) -> Answer:
        """Create a resource under an id of the server's.

        :param if_none_exist: an identifier search; when one resource matches, that one is the answer.
        :param key: the id to give it, when a transaction has promised one.
        """
        resource = check_resource(body, self.settings.version, kind)
        with self.storage.write():
            if if_none_exist:
                found = self.one_match(kind, if_none_exist)
                if found is not None:
                    return Answer(HTTPStatus.OK, found, location=True)
            return Answer(HTTPStatus.CREATED, self._put({**resource, "id": key or str(uuid.uuid4())}, "POST"), True)

    def update(
        self, kind: str, key: str, body: Any, if_match: str | None = None, if_none_match: str | None = None
    ) -> Answer:
        """Replace a resource, or create it under the client's id where the store allows that.

        :param if_none_match: from R4 on: the version that must not be there, or ``*`` for any.
        :raises FhirError: 400 if the body's id differs; 405 if it is not there and ``enableUpdateCreate`` is not set
            (the FHIR specification's status; Google's is not documented); 412 if ``if_match`` is not its version, or
            ``if_none_match`` is.
        """
        resource = check_resource(body, self.settings.version, kind)
        if resource.get("id") != key or not valid_id(key):
            raise invalid("the resource must have an id that equals the id in the path")
        with self.storage.write():
            current = self.repository.get(self.key, kind, key)
            _check_match(current, if_match)
            if self.settings.version in (FhirVersion.R4, FhirVersion.R5):
                _check_none_match(current, if_none_match)
            if current is None or current.body is None:
                if not self.settings.enable_update_create:
                    raise FhirError(
                        HTTPStatus.METHOD_NOT_ALLOWED,
                        "not-supported",
                        "update_create_disabled",
                        "the resource does not exist, and the store does not set enableUpdateCreate",
                    )
                return Answer(HTTPStatus.CREATED, self._put(resource, "PUT"), location=True)
            return Answer(HTTPStatus.OK, self._put(resource, "PUT"), location=True)

    def patch(self, kind: str, key: str, patch: Any, if_match: str | None = None) -> Answer:
        """Apply a JSON Patch; the id and type of the resource cannot change."""
        with self.storage.write():
            current = self.read(kind, key)
            _check_match(current, if_match)
            resource = check_resource(apply_patch(current.resource(), patch), self.settings.version, kind)
            if resource.get("id") != key:
                raise invalid("a patch may not change the id", "invalid_patch")
            return Answer(HTTPStatus.OK, self._put(resource, "PUT"))

    def delete(self, kind: str, key: str) -> None:
        """Delete a resource; one that is not there is deleted already.

        :raises FhirError: 409 if others refer to it, in a store that keeps referential integrity.
        """
        with self.storage.write():
            current = self.repository.get(self.key, kind, key)
            if current is None or current.body is None:
                return
            versioned = not self.settings.disable_resource_versioning
            self.repository.delete(self.key, kind, key, versioned=versioned)
            self.check_deletion(kind, key)

    def purge(self, kind: str, key: str) -> None:
        """Forget the historical versions.

        :raises FhirError: 404 if there was never such a resource.
        """
        if self.repository.get(self.key, kind, key) is None:
            raise not_found()
        self.repository.purge(self.key, kind, key)

    def conditional_update(self, kind: str, body: Any, criteria: str, *, key: str | None = None) -> Answer:
        """Update the one resource that the identifier search finds, or create it.

        :param key: the id for a new resource that brings none, when a transaction has promised one.
        """
        resource = check_resource(body, self.settings.version, kind)
        with self.storage.write():
            found = self.one_match(kind, criteria)
            if found is not None:
                if resource.get("id", found.id) != found.id:
                    raise invalid("the resource's id is not that of the resource found")
                return Answer(HTTPStatus.OK, self._put({**resource, "id": found.id}, "PUT"), location=True)
            if "id" in resource:
                return self.update(kind, resource["id"], resource)
            return self.create(kind, resource, key=key)

    def one_match(self, kind: str, criteria: str) -> Version | None:
        """Return the one resource that an identifier search finds, or None.

        :raises FhirError: 412 if there are several.
        """
        query = search.identifier_query(criteria, self.settings.version, kind)
        found = list(self.matching(query))
        if len(found) > 1:
            raise multiple_matches(len(found))
        return found[0] if found else None

    def matching(self, query: search.SearchQuery) -> Iterator[Version]:
        """Yield all resources a search finds, in its order."""
        needed = query.needed()
        for version in self._candidates(query):
            body = version.body
            # Most can be told by their bytes, which takes a fraction of the time that reading the JSON does.
            if body is None or not all(any(text in body for text in texts) for texts in needed):
                continue
            if query.matches(version.resource()):
                yield version

    def _candidates(self, query: search.SearchQuery) -> Iterable[Version]:
        if query.ids is None or not query.types:
            return self.repository.scan(self.key, query.types, newest_first=query.newest_first)
        found = (self.repository.get(self.key, kind, key) for kind in query.types for key in query.ids)
        order = [version for version in found if version is not None]
        return sorted(order, key=lambda each: (each.updated, each.type, each.id), reverse=query.newest_first)

    def check_references(self, resource: Mapping[str, Any]) -> None:
        """Refuse a resource that refers to something that is not in the store.

        :raises FhirError: 409 with the number of broken references.
        """
        if self.settings.disable_referential_integrity:
            return
        missing = sum(not self.repository.exists(self.key, target) for target in local_references(resource))
        if missing:
            kind = resource["resourceType"]
            raise integrity(f"{kind}: {missing} references point to resources that do not exist in the store")

    def check_deletion(self, kind: str, key: str) -> None:
        """Refuse a deletion that leaves others pointing at nothing."""
        if self.settings.disable_referential_integrity:
            return
        others = [other for other in self.repository.referring(self.key, f"{kind}/{key}") if other != (kind, key)]
        if others:
            raise integrity(f"{len(others)} resources refer to the resource to delete")

    def _put(self, resource: Mapping[str, Any], method: str) -> Version:
        versioned = not self.settings.disable_resource_versioning
        version = self.repository.put(self.key, resource, method, versioned=versioned)
        self.check_references(resource)
        return version

    def _needs_versions(self) -> None:
        if self.settings.disable_resource_versioning:
            raise FhirError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "not-supported",
                "versioning_disabled",
                "the store sets disableResourceVersioning and keeps no historical versions",
            )


def since_filter(versions: Iterable[Version], since: str | None) -> list[Version]:
    """Keep the versions written after a time.

    :raises FhirError: 400 if ``since`` is no time with seconds and a zone.
    """
    if since is None:
        return list(versions)
    time = parse_instant(since)
    if time is None:
        raise invalid("_since must be a time with seconds and a zone", "invalid_query")
    return [version for version in versions if version.updated > micros(time)]


def at_filter(versions: Sequence[Version], at: str | None) -> list[Version]:
    """Keep the versions that were current at some point of a span of time.

    :param versions: all versions of a resource, newest first.
    :param at: a date or time of any precision; None keeps all.
    :raises FhirError: 400 if it is none.
    """
    if at is None:
        return list(versions)
    span = parse_interval(at)
    if span is None:
        raise invalid("_at must be a date such as 2024-01-31, or a time", "invalid_query")
    start, end = micros(span.start), micros(span.end)
    replaced = [end + 1, *(version.updated for version in versions)]
    return [
        version for version, until in zip(versions, replaced, strict=False) if version.updated < end and until > start
    ]


def _check_match(current: Version | None, if_match: str | None) -> None:
    if if_match is not None and (current is None or _etag(if_match) != current.version_id):
        raise _version_conflict("If-Match names another version")


def _check_none_match(current: Version | None, if_none_match: str | None) -> None:
    if if_none_match is not None and current is not None and current.body is not None:
        etags = {_etag(etag) for etag in if_none_match.split(",")}
        if not etags.isdisjoint({"*", current.version_id}):
            raise _version_conflict("If-None-Match names the version that is there")


def _etag(text: str) -> str:
    return text.strip().removeprefix("W/").strip('"')


def _version_conflict(diagnostics: str) -> FhirError:
    return FhirError(HTTPStatus.PRECONDITION_FAILED, "conflict", "version_conflict", diagnostics)
