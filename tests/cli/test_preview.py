"""``healthcare-deid preview``: what it shows, what it keeps to itself, and how it ends."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from demo.fhir_samples import make_sample
from tests.cli.pages import Page
from tests.engine.dicom.files import element, item, part10, sequence

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="
PROFILE = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
BASIC: dict[str, object] = {"dicom": {"filterProfile": PROFILE}, "fhir": {}}

DICOM = part10(
    element(0x00080060, "CS", b"MR")
    + element(0x00081030, "LO", b"Knee of Jane Doe")
    + element(0x00091001, "LO", b"private word")
    + element(0x00100010, "PN", b"Doe^Jane")
    + element(0x00100020, "LO", b"MRN-4471-0032 ")
    + element(0x00181030, "LO", b"T1 sagittal ")
    + sequence(0x00400275, item(element(0x00401001, "SH", b"RP-88 "))),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one DICOM file, one FHIR Bundle and a config."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "knee.dcm").write_bytes(DICOM)
    (tmp_path / "data" / "bundle.json").write_text(json.dumps(make_sample(3).bundle()))
    write_config(tmp_path, BASIC)
    return tmp_path


def write_config(folder: Path, config: dict[str, object]) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def page_of(folder: Path, name: str = "preview.html") -> Page:
    return Page((folder / name).read_text("utf-8"))


def test_every_field_is_shown_before_and_after_with_its_rule(run: Run, folder: Path) -> None:
    result = run("preview", "--config", "config.json", "data")
    assert result.code == 0
    page = page_of(folder)
    assert page.rows["PatientName"] == ["PatientName (0010,0010)", "Emptied", "Doe^Jane", "empty", f"{PROFILE} Z"]
    assert page.rows["ProtocolName"][1:4] == ["Changed dummy", "T1 sagittal", "DEIDENTIFIED"]
    assert page.rows["RequestAttributesSequence[0].RequestedProcedureID"][1:4] == ["Removed", "RP-88", "not there"]
    assert page.rows["00091001"][1] == "Removed"
    assert page.rows["Modality"][1:] == ["Kept", "MR", "MR", "no rule names it"]
    name = page.rows["Bundle.entry[0].resource.name[0].family"]
    assert name[1] == "Removed redact"
    assert name[4] == "rules/fhir_default.yaml rows[1] PERSON_NAME"
    assert "Default profile (inferred): TRANSFORM HumanName.text" in page.text


def test_the_page_is_for_its_owner_only(run: Run, folder: Path) -> None:
    target = folder / "preview.html"
    target.write_text("an earlier page")
    target.chmod(0o644)
    before = set(folder.iterdir())
    mask = os.umask(0)
    try:
        assert run("preview", "--config", "config.json", "data").code == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert set(folder.iterdir()) == before
    assert "This page holds patient data." in page_of(folder).text


def test_a_link_is_replaced_and_not_followed(run: Run, folder: Path) -> None:
    (folder / "open.html").write_text("not ours")
    (folder / "preview.html").symlink_to(folder / "open.html")
    assert run("preview", "--config", "config.json", "data").code == 0
    assert (folder / "open.html").read_text() == "not ours"
    assert not (folder / "preview.html").is_symlink()


def test_hidden_values_are_nowhere(run: Run, folder: Path) -> None:
    sample = make_sample(3)
    odd = {"resourceType": "Patient", "Marguerite Duras": "x", "name": [{"family": "Duras", "Ottilie": 1}]}
    (folder / "data" / "Duras^Marguerite.json").write_text(json.dumps(odd))
    (folder / "data" / "Marguerite-broken.json").write_text(json.dumps({"resourceType": "Patient", "name": "Duras"}))
    config = BASIC | {
        "fhir": {"fieldMetadataList": [{"action": "DO_NOT_TRANSFORM", "paths": ["Patient"]}]},
        "image": {"textRedactionMode": "REDACT_NO_TEXT", "customRegexes": [{"pattern": "Duras"}]},
    }
    write_config(folder, config)
    result = run("preview", "--config", "config.json", "--hide-values", "data")
    assert result.code == 1
    html = (folder / "preview.html").read_text("utf-8")
    person = sample.person
    own = {word for one in person.identifiers() for word in one.split()} - {person.state}
    for canary in [
        *own,
        "Duras",
        "Marguerite",
        "Ottilie",
        "Jane",
        "4471",
        "RP-88",
        "T1 sag",
        "private word",
        "knee.dcm",
    ]:
        assert canary not in html, canary
    page = Page(html)
    assert page.rows["PatientName"][2:4] == ["name, 8 characters", "empty"]
    assert "data:image" not in html
    assert "patient data" not in page.text
    assert "File 2" in page.text


def test_keys_are_never_shown(run: Run, folder: Path) -> None:
    wrapped = {"cryptoKey": "projects/p/locations/l/keyRings/r/cryptoKeys/k", "wrappedKey": KEY[::-1].strip("=") + "=="}
    hashing = [
        {"infoTypes": ["PERSON_NAME"], "cryptoHashConfig": {"cryptoKey": KEY}},
        {"infoTypes": ["DATE"], "dateShiftConfig": {"kmsWrapped": {**wrapped, "wrappedKey": KEY}}},
    ]
    write_config(folder, {**BASIC, "text": {"additionalTransformations": hashing}})
    assert run("preview", "--config", "config.json", "data").code == 0
    page = page_of(folder)
    assert KEY not in page.source
    assert "KMS keys cannot be unwrapped here" in page.text
    assert "cryptoKeys/k" in page.text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"dicom": {}}, "The config has no fhir"),
        ({"fhir": {}}, "The config has no dicom"),
        (
            {"text": {"additionalTransformations": [{"infoTypes": ["BLOOD_TYPE"], "redactConfig": {}}]}},
            "Google's service finds them, the local engine does not: BLOOD_TYPE.",
        ),
        ({"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}, "still hold an identifier"),
        (BASIC, "This is not Google's service"),
        (BASIC, "Random keys"),
    ],
)
def test_what_to_know_is_said(run: Run, folder: Path, config: dict[str, object], said: str) -> None:
    write_config(folder, config)
    assert run("preview", "--config", "config.json", "data").code == 0
    assert said in page_of(folder).text


def test_what_repeats_an_identifier_is_marked(run: Run, folder: Path) -> None:
    write_config(folder, {"dicom": {"removeList": {"tags": ["PatientName"]}}})
    assert run("preview", "--config", "config.json", "data/knee.dcm").code == 0
    rows = page_of(folder).rows
    assert rows["StudyDescription"][1] == "Kept Repeats an identifier"
    assert rows["PatientID"][1] == "Kept Repeats an identifier"
    assert rows["Modality"][1] == "Kept"


def test_files_that_cannot_be_decoded_are_listed_and_stop_nothing(run: Run, folder: Path) -> None:
    (folder / "data" / "a.dcm").write_bytes(DICOM[:-3])
    (folder / "data" / "b.json").write_text("{not json")
    (folder / "data" / "c.json").write_text("{}")
    (folder / "data" / "notes.txt").write_text("neither")
    result = run("preview", "--config", "config.json", "data")
    assert result.code == 1
    assert "2 files previewed, 3 not" in result.err
    page = page_of(folder)
    assert page.rows["data/b.json"] == ["data/b.json", "this is no JSON"]
    assert {"data/a.dcm", "data/c.json"} <= set(page.rows)
    assert "1 other files in the folders are neither" in page.text


def test_a_named_file_that_is_neither_is_a_failure(run: Run, folder: Path) -> None:
    (folder / "notes.txt").write_text("neither")
    assert run("preview", "--config", "config.json", "notes.txt").code == 1
    assert page_of(folder).rows["notes.txt"][1] == "it is neither a DICOM file nor FHIR JSON"


def test_a_big_folder_is_bounded(run: Run, folder: Path) -> None:
    for number in range(5):
        (folder / "data" / f"x{number}.dcm").write_bytes(DICOM)
    result = run("preview", "--config", "config.json", "--limit", "3", "data")
    assert result.code == 0
    assert "3 files previewed" in result.err
    assert "There are more files." in page_of(folder).text


def test_a_missing_part_is_named(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_healthcare_deid.engine.errors import MissingPartError

    def missing() -> None:
        raise MissingPartError("text")

    monkeypatch.setattr("airflow_healthcare_deid.engine.text.deidentifier.require_regex", missing)
    assert run("preview", "--config", "config.json", "data").code == 1
    page = page_of(folder)
    assert "An optional part is not installed" in page.text
    assert "airflow-healthcare-deid[text]" in page.rows["data/bundle.json"][1]
    assert "PatientName" in page.rows


def test_without_the_image_part_pixels_are_said_not_to_be_searched(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_healthcare_deid.cli.preview.engines.has_image_extra", lambda: False)
    write_config(folder, {**BASIC, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}})
    assert run("preview", "--config", "config.json", "data").code == 0
    assert "Pixels were not searched" in page_of(folder).text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "PATHS"),
        (("nowhere",), "nowhere"),
        (("empty",), "neither a DICOM file nor FHIR JSON"),
        (("data", "-o", "-"), "a file, which only you can read"),
        (("data", "-o", "missing/preview.html"), "cannot be written"),
        (("empty", "-o", "missing/preview.html"), "cannot be written"),
        (("data", "-o", "empty"), "cannot be written"),
        (("data/knee.dcm", "-o", "data/knee.dcm"), "one of the files"),
        (("data", "-o", "config.json"), "one of the files"),
        (("data", "--limit", "0"), "--limit"),
    ],
)
def test_bad_input_is_refused(run: Run, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    (folder / "empty").mkdir()
    result = run("preview", "--config", "config.json", *arguments)
    assert result.code == 2
    assert said in result.err
    assert not (folder / "preview.html").exists()


def test_problems_of_the_config_are_named_with_their_lines(run: Run, folder: Path) -> None:
    (folder / "config.yaml").write_text("dicom:\n  filterProfile: NO_SUCH\ntext:\n  excludeInfoTypes: [location]\n")
    result = run("preview", "--config", "config.yaml", "data")
    assert result.code == 2
    assert "config.yaml:2: dicom.filterProfile" in result.err
    assert "config.yaml:4: text.excludeInfoTypes[0]" in result.err


@pytest.mark.parametrize("config", ["nowhere.json", "."])
def test_an_unreadable_config_is_named(run: Run, folder: Path, config: str) -> None:
    result = run("preview", "--config", config, "data")
    assert result.code == 2
    assert "cannot be read" in result.err


def test_an_info_type_that_does_not_exist_is_refused(run: Run, folder: Path) -> None:
    write_config(folder, {"fhir": {}, "text": {"excludeInfoTypes": ["NO_SUCH_TYPE"]}})
    result = run("preview", "--config", "config.json", "data")
    assert result.code == 2
    assert "NO_SUCH_TYPE" in result.err
