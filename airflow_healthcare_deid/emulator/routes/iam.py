"""IAM policies of datasets and stores: kept and shown, never enforced. Every caller may do everything."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_healthcare_deid.emulator.errors import Code, ServiceError, invalid
from airflow_healthcare_deid.emulator.messages import check_query, convert
from airflow_healthcare_deid.emulator.resources import collection_of
from airflow_healthcare_deid.emulator.routes.common import (
    DATASET,
    DICOM_STORE,
    FHIR_STORE,
    dataset_name,
    store_name,
    with_body,
)
from airflow_healthcare_deid.emulator.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_healthcare_deid.emulator.resources import Resource


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``Binding``."""

    role: str | None = None
    members: list[str] | None = None
    condition: dict[str, Any] | None = None


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``Policy``."""

    version: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None
    bindings: list[Binding] | None = None
    audit_configs: list[dict[str, Any]] | None = None
    etag: str | None = None


class SetIamPolicyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``SetIamPolicyRequest``."""

    policy: Policy | None = None
    update_mask: str | None = None


class TestIamPermissionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``TestIamPermissionsRequest``."""

    permissions: list[str] = []


def _resource(request: Request, verb: str) -> Resource:
    name = (
        dataset_name(request) if set(request.path_params) <= {"project", "location", "dataset"} else store_name(request)
    )
    return state_of(request).resources.require(name, f"healthcare.{collection_of(name)}.{verb}")


def _get(request: Request) -> JSONResponse:
    check_query(request, ("options.requestedPolicyVersion",))
    return JSONResponse(_with_etag(_resource(request, "getIamPolicy").policy))


def _set(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    wanted = convert(body, SetIamPolicyRequest).policy
    if wanted is None:
        raise invalid("policy is required.", field="policy")
    resource = _resource(request, "setIamPolicy")
    if wanted.etag and wanted.etag != _with_etag(resource.policy)["etag"]:
        raise ServiceError(Code.ABORTED, "There were concurrent policy changes; read the policy and try again.")
    policy = {key: value for key, value in body["policy"].items() if key != "etag" and value}
    state_of(request).resources.replace_policy(resource, policy)
    return JSONResponse(_with_etag(policy))


def _test(request: Request, body: dict[str, Any]) -> JSONResponse:
    check_query(request)
    wanted = convert(body, TestIamPermissionsRequest).permissions
    _resource(request, "get")
    for permission in wanted:
        if "*" in permission or not permission.startswith("healthcare."):
            raise invalid(f"Permission {permission[:100]} is not valid for this resource.", field="permissions")
    return JSONResponse({"permissions": wanted} if wanted else {})


def _with_etag(policy: dict[str, Any] | None) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps(policy or {}, sort_keys=True).encode()).digest()
    return {**(policy or {}), "etag": base64.b64encode(digest[:9]).decode()}


ROUTES = [
    route
    for path in (DATASET, DICOM_STORE, FHIR_STORE)
    for route in (
        Route(path + ":getIamPolicy", _get, methods=["GET"]),
        Route(path + ":setIamPolicy", with_body(_set), methods=["POST"]),
        Route(path + ":testIamPermissions", with_body(_test), methods=["POST"]),
    )
]
