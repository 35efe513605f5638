"""The set through the emulator, over HTTP: in, de-identified as a whole dataset, and out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import requests
from pydicom import dcmread

from airflow_healthcare_deid.emulator.sandbox import Sandbox

if TYPE_CHECKING:
    from quality.corpus import Corpus
    from quality.plants import Profile

_TIMEOUT = 300.0
_VERSIONS = ("R4", "STU3")


@dataclass(frozen=True)
class Run:
    """What came out.

    :param corpus: what went in.
    :param profile: the configuration.
    :param files: instances by their name in the set.
    :param resources: resources by their name in the set.
    :param failures: how many the operation counts as failed.
    """

    corpus: Corpus
    profile: Profile
    files: dict[str, bytes]
    resources: dict[str, dict[str, Any]]
    failures: int


def run(corpus: Corpus, profile: Profile, url: str) -> Run:
    """De-identify the set with one configuration.

    :param url: where an emulator serves.
    :raises RuntimeError: when the operation fails, or does not end in time.
    """
    with Sandbox(url) as sandbox, requests.Session() as session:
        session.trust_env = False
        sandbox.dicom_store("images", (instance.data for instance in corpus.instances.values()))
        for version in _VERSIONS:
            wanted = [body for name, body in corpus.resources.items() if name.startswith(f"{version}/")]
            sandbox.fhir_store(version, wanted, version=version)
        destination = f"{sandbox.name}-{profile}"
        body: dict[str, Any] = {"destinationDataset": destination, "config": profile.config}
        answer = session.post(f"{url}/v1/{sandbox.name}:deidentify", json=body, timeout=_TIMEOUT)
        answer.raise_for_status()
        operation = _finished(session, f"{url}/v1/{answer.json()['name']}")
        if "error" in operation:
            raise RuntimeError(f"The operation failed with code {operation['error']['code']}.")
        return Run(
            corpus,
            profile,
            _files(session, f"{url}/v1/{destination}/dicomStores/images/dicomWeb"),
            _resources(session, corpus, f"{url}/v1/{destination}/fhirStores"),
            int(operation["metadata"]["counter"].get("failure", 0)),
        )


def _finished(session: requests.Session, url: str) -> dict[str, Any]:
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline:
        operation: dict[str, Any] = session.get(url, timeout=_TIMEOUT).json()
        if operation.get("done"):
            return operation
        time.sleep(0.1)
    raise RuntimeError("The operation does not end.")


def _files(session: requests.Session, url: str) -> dict[str, bytes]:
    """Return all instances as they are stored, by their InstanceNumber."""
    files = {}
    headers = {"Accept": "application/dicom; transfer-syntax=*"}
    for row in session.get(f"{url}/instances", timeout=_TIMEOUT).json():
        study, series, sop = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
        path = f"{url}/studies/{study}/series/{series}/instances/{sop}"
        data = session.get(path, headers=headers, timeout=_TIMEOUT).content
        files[str(dcmread(BytesIO(data), stop_before_pixels=True).InstanceNumber)] = data
    return files


def _resources(session: requests.Session, corpus: Corpus, stores: str) -> dict[str, dict[str, Any]]:
    found = {}
    for name in corpus.resources:
        version, _, path = name.partition("/")
        answer = session.get(f"{stores}/{version}/fhir/{path}", timeout=_TIMEOUT)
        if answer.status_code == requests.codes.ok:
            found[name] = answer.json()
    return found
