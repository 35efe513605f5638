"""Each rule that the discovery document states in words, broken once."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from airflow_healthcare_deid.config import find_problems, load_config

KEY = base64.b64encode(b"0123456789abcdef").decode()
KMS = {"cryptoKey": "projects/p/locations/l/keyRings/r/cryptoKeys/k", "wrappedKey": KEY}


def _text(**transformation: Any) -> dict[str, Any]:
    return {"text": {"additionalTransformations": [{"redactConfig": {}}, transformation]}}


def _hash(**key: Any) -> dict[str, Any]:
    return _text(cryptoHashConfig=key)


def _fhir(path: str) -> dict[str, Any]:
    return {"fhir": {"fieldMetadataList": [{"paths": ["Patient", path]}]}}


def _regex(pattern: str, *groups: int) -> dict[str, Any]:
    return {"image": {"customRegexes": [{"pattern": pattern, "groupIndexes": list(groups)}]}}


T1 = "text.additionalTransformations[1]"
HASH = f"{T1}.cryptoHashConfig"
FHIR = "fhir.fieldMetadataList[0].paths[1]"
REGIONAL = {"useRegionalDataProcessing": True}
EXCLUDED = REGIONAL | {"text": {"excludeInfoTypes": ["LOCATION"]}}

BROKEN: list[tuple[Any, str, str]] = [
    # structure
    (None, "", "not a mapping"),
    ([], "", "not a mapping"),
    ({"dicomm": {}}, "dicomm", "Did you mean dicom?"),
    ({"dicom": {"keeplist": {}}}, "dicom.keeplist", "Did you mean keepList?"),
    ({"dicom": {"keepList": {}, "keep_list": {}}}, "dicom.keepList", "given twice"),
    ({"dicom": {"keepList": ["PatientID"]}}, "dicom.keepList", "is a list, not a mapping"),
    ({"dicom": {"keepList": {"tags": "PatientID"}}}, "dicom.keepList.tags", "is text, not a list"),
    ({"dicom": {"keepList": {"tags": [1048592]}}}, "dicom.keepList.tags[0]", "Put it in quotes"),
    ({"dicom": {"keepList": {"tags": [None]}}}, "dicom.keepList.tags[0]", "is null, not text"),
    ({"dicom": {"skipIdRedaction": "True"}}, "dicom.skipIdRedaction", "render_template_as_native_obj"),
    ({"fhir": {4: 5}}, "fhir", "a key that is a number"),
    (
        {"text": {"transformations": [{"redactConfig": {"x": 1}}]}},
        "text.transformations[0].redactConfig.x",
        "no fields",
    ),
    # enums
    ({"dicom": {"filterProfile": "KEEP_ALL"}}, "dicom.filterProfile", "Did you mean KEEP_ALL_PROFILE?"),
    ({"dicom": {"filterProfile": "keep_all_profile"}}, "dicom.filterProfile", "Did you mean KEEP_ALL_PROFILE?"),
    ({"dicom": {"filterProfile": 3}}, "dicom.filterProfile", "is a number, not text"),
    ({"image": {"textRedactionMode": "all"}}, "image.textRedactionMode", "REDACT_ALL_TEXT"),
    (
        {"fhir": {"fieldMetadataList": [{"action": "TRANSFROM", "paths": ["A"]}]}},
        "fhir.fieldMetadataList[0].action",
        "TRANSFORM?",
    ),
    # unions
    ({"dicom": {"filterProfile": "KEEP_ALL_PROFILE", "keepList": {}}}, "dicom.keepList", "together with filterProfile"),
    ({"dicom": {"keepList": {}, "removeList": {"tags": ["PatientID"]}}}, "dicom.removeList", "together with keepList"),
    (_text(), T1, "names no transformation"),
    (_text(redactConfig={}, dateShiftConfig={}), f"{T1}.dateShiftConfig", "together with redactConfig"),
    (_hash(cryptoKey=KEY, kmsWrapped=KMS), f"{HASH}.kmsWrapped", "together with cryptoKey"),
    # keys
    (_hash(cryptoKey="c2hvcnQ="), f"{HASH}.cryptoKey", "holds 5 bytes; a key has 16, 24 or 32"),
    (_hash(cryptoKey=""), f"{HASH}.cryptoKey", "holds 0 bytes"),
    (_hash(cryptoKey="not base64!"), f"{HASH}.cryptoKey", "is not base64"),
    (_hash(cryptoKey=KEY[:5]), f"{HASH}.cryptoKey", "is cut off"),
    (_hash(cryptoKey=KEY + "\n"), f"{HASH}.cryptoKey", "white space"),
    (_text(dateShiftConfig={"cryptoKey": "c2hvcnQ="}), f"{T1}.dateShiftConfig.cryptoKey", "openssl rand"),
    (_hash(kmsWrapped={"wrappedKey": KEY}), f"{HASH}.kmsWrapped.cryptoKey", "is missing"),
    (_hash(kmsWrapped=KMS | {"cryptoKey": KEY}), f"{HASH}.kmsWrapped.cryptoKey", "no KMS key's resource name"),
    (
        _hash(kmsWrapped=KMS | {"cryptoKey": KMS["cryptoKey"] + "/cryptoKeyVersions/1"}),
        f"{HASH}.kmsWrapped.cryptoKey",
        "without a version",
    ),
    (_hash(kmsWrapped={"cryptoKey": KMS["cryptoKey"]}), f"{HASH}.kmsWrapped.wrappedKey", "is missing"),
    (_hash(kmsWrapped=KMS | {"wrappedKey": "?"}), f"{HASH}.kmsWrapped.wrappedKey", "is not base64"),
    # text
    (
        _text(characterMaskConfig={"maskingCharacter": "**"}),
        f"{T1}.characterMaskConfig.maskingCharacter",
        "has 2 characters",
    ),
    (
        _text(characterMaskConfig={"maskingCharacter": ""}),
        f"{T1}.characterMaskConfig.maskingCharacter",
        "has 0 characters",
    ),
    (
        _text(characterMaskConfig={"maskingCharacter": "\ud800"}),
        f"{T1}.characterMaskConfig.maskingCharacter",
        "surrogate",
    ),
    (_text(redactConfig={}, infoTypes=["DATE", "person name"]), f"{T1}.infoTypes[1]", "Did you mean PERSON_NAME?"),
    (_text(redactConfig={}, infoTypes=["ÄÖ"]), f"{T1}.infoTypes[0]", "PERSON_NAME"),
    (_text(redactConfig={}, infoTypes=[]), f"{T1}.infoTypes", "any infoType"),
    ({"text": {"excludeInfoTypes": ["date"]}}, "text.excludeInfoTypes[0]", "Did you mean DATE?"),
    # tags
    (
        {"dicom": {"keepList": {"tags": ["PatientID", "PatientNam"]}}},
        "dicom.keepList.tags[1]",
        "Did you mean PatientName?",
    ),
    ({"dicom": {"removeList": {"tags": ["PatientID", "PixelData"]}}}, "dicom.removeList.tags[1]", "inferred"),
    ({"dicom": {"removeList": {"tags": ["0020000D"]}}}, "dicom.removeList.tags[0]", "StudyInstanceUID"),
    ({"dicom": {"removeList": {"tags": []}}}, "dicom.removeList", "names no tag"),
    # images
    (_regex("(a", 0), "image.customRegexes[0].pattern", "does not compile"),
    (_regex("a{99999999999999999999}"), "image.customRegexes[0].pattern", "does not compile"),
    (_regex("((a))", 1, 3), "image.customRegexes[0].groupIndexes[1]", "is 3, but the pattern has 2 groups"),
    (_regex("a", -1), "image.customRegexes[0].groupIndexes[0]", "has no group"),
    (_regex("a", 2**31), "image.customRegexes[0].groupIndexes[0]", "32 bits"),
    ({"image": {"customRegexes": [{}]}}, "image.customRegexes[0].pattern", "is missing"),
    # FHIR
    ({"fhir": {"fieldMetadataList": []}}, "fhir.fieldMetadataList", "is empty"),
    ({"fhir": {"fieldMetadataList": [{"action": "TRANSFORM"}]}}, "fhir.fieldMetadataList[0].paths", "is missing"),
    ({"fhir": {"fieldMetadataList": [{"paths": []}]}}, "fhir.fieldMetadataList[0].paths", "is empty"),
    (_fhir(""), FHIR, "empty name"),
    (_fhir("Patient..name"), FHIR, "empty name"),
    (_fhir("Patient.deceased[x]"), FHIR, "Deceased.Age"),
    (_fhir("Patient.name[0]"), FHIR, "Drop the index"),
    (_fhir("Patient.name.where(use='usual')"), FHIR, "letters and digits"),
    (_fhir("Patient.Datetime"), FHIR, "Did you mean DateTime?"),
    # regional processing
    (REGIONAL, "text.excludeInfoTypes", "must list LOCATION"),
    (EXCLUDED | {"image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}}, "image.textRedactionMode", "inferred"),
    (
        REGIONAL
        | {
            "text": {
                "excludeInfoTypes": ["LOCATION"],
                "transformations": [{"redactConfig": {}, "infoTypes": ["DATE", "ORGANIZATION_NAME"]}],
            }
        },
        "text.transformations[0].infoTypes[1]",
        "ORGANIZATION_NAME does not work",
    ),
]


@pytest.mark.parametrize(("source", "path", "text"), BROKEN)
def test_a_broken_rule_is_named_by_path_with_a_way_out(source: Any, path: str, text: str) -> None:
    (problem,) = find_problems(source)
    assert problem.path == path
    assert text in str(problem)
    assert problem.way_out


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"dicom": {}, "fhir": {}, "image": {}, "text": {}},
        {"dicom": None},
        {"dicom": {"keepList": {}}},
        {"dicom": {"filterProfile": "TAG_FILTER_PROFILE_UNSPECIFIED"}},
        EXCLUDED,
        _hash(),
        _hash(cryptoKey=KEY.rstrip("=")),
        _hash(cryptoKey=base64.urlsafe_b64encode(b"\xff" * 32).decode()),
        _hash(kmsWrapped=KMS),
        _regex("[[:alpha:]]"),
        _fhir("Patient.ContactPoint"),
        {"fhir": {"fieldMetadataList": ({"paths": ("Patient",)},)}},
    ],
)
def test_what_the_service_takes_is_accepted(source: Any) -> None:
    assert find_problems(source) == []


def test_independent_problems_are_all_found() -> None:
    source = {"dicom": {"filterProfile": "X"}, "fhir": {"paths": []}, "text": {"excludeInfoTypes": ["a", "b"]}}
    assert [problem.path for problem in find_problems(source)] == [
        "dicom.filterProfile",
        "fhir.paths",
        "text.excludeInfoTypes[0]",
        "text.excludeInfoTypes[1]",
    ]


@pytest.mark.parametrize(
    "transformation", [{"cryptoHashConfig": {"cryptoKey": "S3cretS3cret"}}, {"cryptoHashConfig": "S3cretS3cret"}]
)
def test_no_error_quotes_a_key(transformation: Any) -> None:
    assert not [problem for problem in find_problems(_text(**transformation)) if "S3cret" in str(problem.args)]


def test_a_key_in_place_of_a_kms_name_is_not_quoted() -> None:
    (problem,) = find_problems(_hash(kmsWrapped=KMS | {"cryptoKey": KEY}))
    assert KEY not in str(problem)


def test_a_config_with_literal_key_hides_it_when_printed() -> None:
    assert KEY not in repr(load_config(_hash(cryptoKey=KEY)))
