"""The pages hold what they are given as text and nothing else, load nothing, and can be read with any device."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_healthcare_deid.cli.pages.render import render, visible
from airflow_healthcare_deid.cli.preview.dicom import preview_dicom
from airflow_healthcare_deid.cli.preview.fhir import preview_fhir
from airflow_healthcare_deid.cli.preview.rows import Failure, FilePreview, Values
from airflow_healthcare_deid.cli.preview.sources import Sources
from airflow_healthcare_deid.cli.preview.summary import summarize
from airflow_healthcare_deid.config import DeidentifyConfig, load_config
from airflow_healthcare_deid.engine.fhir import FhirDeidentifier
from airflow_healthcare_deid.engine.keys import KeyRing
from tests.cli.pages import Page
from tests.engine.dicom.files import deidentifier, element, part10

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTILE = (
    "</td></tr></table><script>alert(1)</script><img src=x onerror=alert(1)>\" ' onfocus=alert(1) {{ 7 * 7 }} &amp;"
)
KEEP_ALL = load_config({"fhir": {"fieldMetadataList": [{"action": "DO_NOT_TRANSFORM", "paths": ["Patient"]}]}})
FHIR = FhirDeidentifier(KEEP_ALL, KeyRing())
DICOM = deidentifier()


def page(files: Sequence[FilePreview], failures: Sequence[Failure] = (), config: str = "{}") -> Page:
    html = render(
        "preview.html",
        hidden=False,
        files=files,
        failures=failures,
        sources=Sources([]),
        limit=50,
        summary=summarize(files, DeidentifyConfig()),
        caveats=[],
        inferred=[],
        no_rule="",
        config=config,
    )
    html.encode("utf-8")
    return Page(html)


def fhir_page(text: str, name: str = "x.json") -> Page:
    resource = {"resourceType": "Patient", "maritalStatus": {"text": text}}
    return page([preview_fhir(name, json.dumps(resource).encode(), FHIR, "R4", Values(hide=False))])


def dicom_page(text: str) -> Page:
    data = part10(element(0x00080005, "CS", b"ISO_IR 192") + element(0x00104000, "LT", text.encode()))
    return page([preview_dicom("x.dcm", data, DICOM, Values(hide=False))])


def seen(text: str) -> str:
    """Return a text as a browser gives it back, whose line ends are all alike."""
    return visible(text).replace("\r\n", "\n").replace("\r", "\n")


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=60) | st.sampled_from([HOSTILE, "]]>", "<!--", "\ud800", "\u202eabc"]))
def test_any_text_of_a_resource_stays_text(text: str) -> None:
    found = fhir_page(text)
    assert found.shape == fhir_page("x").shape
    assert found.rows["Patient.maritalStatus.text"][2] == seen(text).strip()


@settings(max_examples=60)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40).filter(str.strip))
def test_any_text_of_an_instance_stays_text(text: str) -> None:
    found = dicom_page(text)
    assert found.shape == dicom_page("x").shape
    assert seen(text).strip() in found.rows["PatientComments"][2] or not found.rows["PatientComments"][2]


@pytest.mark.parametrize("make", [fhir_page, dicom_page])
def test_hostile_values_stay_text(make: object) -> None:
    assert callable(make)
    found = make(HOSTILE)
    assert HOSTILE in found.text
    assert len(found.scripts) == 1


def test_hostile_names_reasons_and_configs_stay_text() -> None:
    found = page(
        [preview_fhir(HOSTILE, b'{"resourceType": "Patient", "active": true}', FHIR, "R4", Values(hide=False))],
        [Failure(HOSTILE, HOSTILE)],
        HOSTILE,
    )
    assert found.text.count(HOSTILE) >= 4
    assert len(found.scripts) == 1
    assert not [tag for tag, attributes in found.tags if any(name.startswith("on") for name in attributes)]


def test_hostile_names_of_fields_stay_text() -> None:
    resource = {"resourceType": "Patient", HOSTILE: "x"}
    found = page([preview_fhir("x", json.dumps(resource).encode(), FHIR, "R4", Values(hide=False))])
    assert f"Patient.{HOSTILE}" in found.text
    assert len(found.scripts) == 1


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a\u202eb\x00\ud800\n\tc\u200b") == "a\\u202eb\\u0000\\ud800\n\tc\\u200b"


def test_the_page_loads_nothing() -> None:
    found = fhir_page("http://example.org/x")
    for tag, attributes in found.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not {"style", "srcset", "background", "poster", "action"} & set(attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,")), tag
    for text in (*found.scripts, *found.styles):
        assert not re.search(r"https?:|//[a-z]|@import|url\(|fetch|XMLHttp|innerHTML|eval", text.split("\n", 2)[2])


def test_the_browser_is_told_to_run_the_page_s_own_script_and_style_only() -> None:
    found = fhir_page("x")
    policy = next(str(a["content"]) for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    for kind, texts in (("script", found.scripts), ("style", found.styles)):
        assert len(texts) == 1
        digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_the_page_can_be_read_with_a_screen_reader() -> None:
    found = fhir_page("x")
    tags = [tag for tag, _ in found.tags]
    assert next(attributes for tag, attributes in found.tags if tag == "html")["lang"] == "en"
    assert {"header", "nav", "main", "footer"} <= set(tags)
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in attributes for tag, attributes in found.tags if tag == "th")
    assert all(attributes.get("alt") for tag, attributes in found.tags if tag == "img")
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [str(a[name]) for _, a in found.tags for name in ("aria-labelledby", "for") if name in a]
    targets = [str(a["href"])[1:] for _, a in found.tags if "href" in a]
    assert set(named + targets) <= set(ids)
