"""Properties that hold for any resource."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any
from xml.parsers import expat

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_healthcare_deid.config import DeidentifyConfig, FhirAction, FhirConfig, FieldMetadata
from airflow_healthcare_deid.engine.errors import UndecodableError
from airflow_healthcare_deid.engine.fhir import FhirDeidentifier
from airflow_healthcare_deid.engine.fhir.narrative import narrative_of
from airflow_healthcare_deid.engine.keys import KeyRing
from airflow_healthcare_deid.engine.text import RecordIdentifiers
from tests.engine.fhir.conftest import validate

KEYS = KeyRing(b"0123456789abcdef")
SECRET = "Quetzalcoatlus"
"""A family name that nothing else contains."""
RECORD = RecordIdentifiers(names=(SECRET,))

words = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)
texts = st.sampled_from(["{}", "Mrs. {} came", "{}, {}", "see {}'s chart", "({})"]).map(
    lambda t: t.format(SECRET, SECRET)
)
dates = st.dates().map(lambda day: day.isoformat())
extensions = st.lists(
    st.one_of(
        st.fixed_dictionaries({"url": st.just("http://example.org/e"), "valueString": texts}),
        st.fixed_dictionaries({"url": st.just("http://example.org/d"), "valueDate": dates}),
    ),
    min_size=1,
    max_size=2,
)
elements = st.fixed_dictionaries({"extension": extensions})
names = st.fixed_dictionaries(
    {"family": st.just(SECRET)},
    optional={
        "given": st.lists(words, min_size=1, max_size=3),
        "text": texts,
        "use": st.sampled_from(["official", "usual"]),
        "_family": elements,
        "period": st.fixed_dictionaries({"start": dates}),
    },
)
narratives = st.builds(
    lambda body, tags: {"status": "generated", "div": _wrapped(narrative_of(body), tags)},
    texts,
    st.lists(st.sampled_from("pbi")),
)
patients = st.fixed_dictionaries(
    {"resourceType": st.just("Patient"), "name": st.lists(names, min_size=1, max_size=2)},
    optional={
        "id": st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True),
        "text": narratives,
        "extension": extensions,
        "birthDate": st.one_of(dates, dates.map(lambda day: day[:4]), dates.map(lambda day: day[:7])),
        "_birthDate": elements,
        "gender": st.sampled_from(["male", "female"]),
        "active": st.booleans(),
        "maritalStatus": st.fixed_dictionaries({"text": texts}),
        "telecom": st.lists(
            st.fixed_dictionaries({"system": st.just("phone"), "value": texts}), min_size=1, max_size=2
        ),
        "photo": st.lists(
            st.fixed_dictionaries({"title": texts, "url": st.just(f"http://x/{SECRET}")}), max_size=1, min_size=1
        ),
        "communication": st.lists(
            st.fixed_dictionaries({"language": st.fixed_dictionaries({"text": texts})}), min_size=1, max_size=1
        ),
        "contact": st.lists(st.fixed_dictionaries({"name": names}), min_size=1, max_size=1),
    },
)
observations = st.fixed_dictionaries(
    {"resourceType": st.just("Observation"), "status": st.just("final"), "code": st.just({"text": "a code"})},
    optional={
        "contained": patients.map(lambda patient: [patient | {"id": "p"}]),
        "subject": st.fixed_dictionaries({"reference": st.just("#p"), "display": st.just(SECRET)}),
        "effectiveDateTime": dates.map(lambda day: f"{day}T12:30:00+02:00"),
        "note": st.lists(st.fixed_dictionaries({"text": texts}, optional={"authorString": texts}), min_size=1),
        "valueString": texts,
        "text": narratives,
    },
)
resources = st.one_of(patients, observations)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.text(max_size=5), st.sampled_from(["name", "_given", "given", "extension", "text", "div", "id"])
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


def _wrapped(div: str, tags: list[str]) -> str:
    head, rest = div.split(">", 1)
    body = rest.removesuffix("</div>")
    return (
        head
        + ">"
        + "".join(f"<{tag}>" for tag in tags)
        + body
        + "".join(f"</{tag}>" for tag in reversed(tags))
        + "</div>"
    )


def deidentifier(*rules: tuple[FhirAction, str], keep_extensions: bool = False) -> FhirDeidentifier:
    listed = [FieldMetadata(action=action, paths=[path]) for action, path in rules] or None
    fhir = FhirConfig(field_metadata_list=listed, default_keep_extensions=keep_extensions)
    return FhirDeidentifier(DeidentifyConfig(fhir=fhir), KEYS)


DEFAULT = deidentifier()
DEFAULT_WITH_EXTENSIONS = deidentifier(keep_extensions=True)
KEEP_ALL = deidentifier((FhirAction.DO_NOT_TRANSFORM, "Patient"), keep_extensions=True)
# Walks everything, since a rule could apply, and none does.
WALK_ALL = deidentifier((FhirAction.TRANSFORM, "Practitioner.name.family"), keep_extensions=True)
REDACT_ALL = deidentifier(
    *((FhirAction.TRANSFORM, name) for name in ("String", "Date", "DateTime", "Markdown", "Xhtml", "Uri"))
)


@given(resources)
def test_keeping_everything_changes_nothing(resource: dict[str, Any]) -> None:
    assert KEEP_ALL.deidentify(resource) == resource
    assert WALK_ALL.deidentify(resource) == resource


@given(resources, st.sampled_from([DEFAULT, DEFAULT_WITH_EXTENSIONS, REDACT_ALL]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_identifier_is_left_and_the_output_is_valid(resource: dict[str, Any], rules: FhirDeidentifier) -> None:
    before = copy.deepcopy(resource)
    validate(resource, "R4")
    # A Patient gives its own name away, an Observation has to be told.
    new = rules.deidentify(resource, record=None if resource["resourceType"] == "Patient" else RECORD)
    assert resource == before
    assert SECRET not in json.dumps(new, ensure_ascii=False)
    validate(new, "R4")
    if "text" in new:
        expat.ParserCreate().Parse(new["text"]["div"], True)


@given(resources)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_fields_keep_their_order_and_nothing_is_invented(resource: dict[str, Any]) -> None:
    new = DEFAULT.deidentify(resource)
    assert [key for key in resource if key in new] == list(new)


@given(json_values, st.sampled_from(["Patient", "Bundle", "Observation"]))
def test_anything_is_deidentified_or_undecodable(value: Any, resource_type: str) -> None:
    resource = (value if isinstance(value, dict) else {"name": value}) | {"resourceType": resource_type}
    for rules in (DEFAULT, REDACT_ALL, WALK_ALL):
        with contextlib.suppress(UndecodableError):
            assert rules.deidentify(resource)["resourceType"] == resource_type
