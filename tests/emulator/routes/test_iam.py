"""IAM policies: kept, shown, guarded by their etag, never enforced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.emulator.client import Client

POLICY = {"bindings": [{"role": "roles/healthcare.datasetAdmin", "members": ["user:a@example.com"]}]}


@pytest.mark.parametrize("of_store", [False, True])
def test_a_policy_is_kept(client: Client, dicom_store: str, of_store: bool) -> None:
    name = dicom_store if of_store else dicom_store.rpartition("/dicomStores")[0]
    before = client.call("GET", f"{name}:getIamPolicy")
    assert set(before) == {"etag"}
    changed = client.call("POST", f"{name}:setIamPolicy", {"policy": {**POLICY, "etag": before["etag"]}})
    assert changed["bindings"] == POLICY["bindings"]
    assert client.call("GET", f"{name}:getIamPolicy") == changed
    client.error("POST", f"{name}:setIamPolicy", {"policy": {**POLICY, "etag": before["etag"]}}, status=409)


def test_every_permission_asked_for_is_granted(client: Client, dataset: str) -> None:
    body = {"permissions": ["healthcare.datasets.get", "healthcare.datasets.deidentify"]}
    assert client.call("POST", f"{dataset}:testIamPermissions", body) == body
    client.error("POST", f"{dataset}:testIamPermissions", {"permissions": ["storage.*"]}, status=400)


def test_a_missing_resource_has_no_policy(client: Client, dataset: str) -> None:
    client.error("GET", f"{dataset}x:getIamPolicy", status=403)
    client.error("GET", f"{dataset}/dicomStores/none:getIamPolicy", status=404)
    client.error("POST", f"{dataset}:setIamPolicy", {}, status=400)
