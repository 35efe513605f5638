"""Valid configs and requests, and ways to damage them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any

KEYS = st.sampled_from((16, 24, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n))
BASE64_KEYS = KEYS.flatmap(
    lambda key: st.sampled_from((base64.b64encode(key), base64.urlsafe_b64encode(key))).map(bytes.decode)
)
TAGS = st.sampled_from(("PatientID", "00100010", "0010,0020", "(0008,0080)", "OverlayData", "00091001", "StudyDate"))
INFO_TYPES = st.sampled_from(("PERSON_NAME", "DATE", "US_SOCIAL_SECURITY_NUMBER", "LOCATION", "ORGANIZATION_NAME"))
REGIONAL_INFO_TYPES = st.sampled_from(("PERSON_NAME", "DATE", "AGE"))
FHIR_PATHS = st.sampled_from(("Patient", "Patient.HumanName", "Deceased.Age.unit", "Address.String", "Patient.name"))
GCS_URIS = st.sampled_from(("gs://bucket/config.json", "gs://my.bucket-1/a/b c/é.json", "gs://a_b/x"))

kms_keys = st.fixed_dictionaries(
    {
        "cryptoKey": st.just("projects/p/locations/global/keyRings/ring/cryptoKeys/key"),
        "wrappedKey": st.binary(min_size=1, max_size=40).map(lambda key: base64.b64encode(key).decode()),
    }
)
keyed: st.SearchStrategy[Json] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"cryptoKey": BASE64_KEYS}),
    st.fixed_dictionaries({"kmsWrapped": kms_keys}),
)
transformations = st.one_of(
    st.just({"redactConfig": {}}),
    st.just({"replaceWithInfoTypeConfig": {}}),
    st.fixed_dictionaries(
        {"characterMaskConfig": st.fixed_dictionaries({}, optional={"maskingCharacter": st.sampled_from("*#é")})}
    ),
    st.fixed_dictionaries({"cryptoHashConfig": keyed}),
    st.fixed_dictionaries({"dateShiftConfig": keyed}),
)


def _with_info_types(names: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    listed = st.fixed_dictionaries({}, optional={"infoTypes": st.lists(names, min_size=1, max_size=3)})
    return st.tuples(listed, transformations).map(lambda parts: parts[0] | parts[1])


def _texts(names: st.SearchStrategy[str], *, exclude: tuple[str, ...] = ()) -> st.SearchStrategy[Json]:
    excluded = st.lists(names, max_size=2).map(lambda found: [*found, *exclude])
    lists = {
        "additionalTransformations": st.lists(_with_info_types(names), max_size=3),
        "transformations": st.lists(_with_info_types(names), max_size=2),
    }
    if exclude:
        return st.fixed_dictionaries({"excludeInfoTypes": excluded}, optional=lists)
    return st.fixed_dictionaries({}, optional=lists | {"excludeInfoTypes": excluded})


_tag_filters: st.SearchStrategy[Json] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"filterProfile": st.sampled_from(("KEEP_ALL_PROFILE", "MINIMAL_KEEP_LIST_PROFILE", "DEIDENTIFY_TAG_CONTENTS"))}
    ),
    st.fixed_dictionaries({"keepList": st.fixed_dictionaries({}, optional={"tags": st.lists(TAGS, max_size=4)})}),
    st.fixed_dictionaries({"removeList": st.fixed_dictionaries({"tags": st.lists(TAGS, min_size=1, max_size=4)})}),
)
dicoms = st.tuples(_tag_filters, st.fixed_dictionaries({}, optional={"skipIdRedaction": st.booleans()})).map(
    lambda parts: parts[0] | parts[1]
)
fhirs = st.fixed_dictionaries(
    {},
    optional={
        "fieldMetadataList": st.lists(
            st.fixed_dictionaries(
                {"paths": st.lists(FHIR_PATHS, min_size=1, max_size=3)},
                optional={"action": st.sampled_from(("TRANSFORM", "INSPECT_AND_TRANSFORM", "DO_NOT_TRANSFORM"))},
            ),
            min_size=1,
            max_size=3,
        ),
        "defaultKeepExtensions": st.booleans(),
    },
)


def _images(modes: tuple[str, ...]) -> st.SearchStrategy[Json]:
    regexes = st.sampled_from(({"pattern": "a(b)(c)", "groupIndexes": [0, 2]}, {"pattern": r"\d+"}))
    return st.fixed_dictionaries(
        {}, optional={"textRedactionMode": st.sampled_from(modes), "customRegexes": st.lists(regexes, max_size=2)}
    )


_anywhere = st.fixed_dictionaries(
    {},
    optional={
        "dicom": dicoms,
        "fhir": fhirs,
        "image": _images(("REDACT_ALL_TEXT", "REDACT_SENSITIVE_TEXT", "REDACT_NO_TEXT")),
        "text": _texts(INFO_TYPES),
        "useRegionalDataProcessing": st.just(False),
    },
)
_in_region = st.fixed_dictionaries(
    {"useRegionalDataProcessing": st.just(True), "text": _texts(REGIONAL_INFO_TYPES, exclude=("LOCATION",))},
    optional={"dicom": dicoms, "fhir": fhirs, "image": _images(("REDACT_ALL_TEXT", "REDACT_NO_TEXT"))},
)
# By way of text, so that no two parts are one object and a mutation hits one spot.
configs = st.one_of(_anywhere, _in_region).map(json.dumps).map(json.loads)

_STRANGERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just(b"bytes"),
    st.lists(st.integers(), min_size=1, max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), min_size=1, max_size=2),
)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda values: (
        st.lists(values)
        | st.dictionaries(
            st.sampled_from(("dicom", "text", "keepList", "tags", "transformations")) | st.integers(), values
        )
    ),
)
"""Anything that JSON or YAML could hold."""


class Mutation(NamedTuple):
    """A damaged config: what was done, where, and the result."""

    deed: str
    path: str
    config: Json


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """Damage one spot of a valid config."""
    config = draw(configs)
    spots = list(_spots(config, ""))
    container, key, path = draw(st.sampled_from(spots or [(config, None, "")]))
    deeds = ["insert"] if key is None else ["insert", "drop", "retype"] + ["rename"] * isinstance(container, dict)
    deed = draw(st.sampled_from(deeds))
    if deed == "drop":
        del container[key]
    elif deed == "retype":
        container[key] = draw(_STRANGERS)
    elif deed == "rename":
        container[key + "X"] = container.pop(key)
        path += "X"
    elif isinstance(container, list):
        container.append(draw(_STRANGERS))
        path = f"{path.rpartition('[')[0]}[{len(container) - 1}]"
    else:
        name = draw(st.sampled_from(("filterProfile", "tags", "unknown", "cryptoKey", "text", "a b", "")))
        container.setdefault(name, draw(_STRANGERS))
        path = ".".join(filter(None, (path.rpartition(".")[0], name)))
    return Mutation(deed, path, config)


def _spots(value: Json, path: str) -> Iterator[tuple[Json, Any, str]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        spot = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}".lstrip(".")
        yield value, key, spot
        yield from _spots(item, spot)
