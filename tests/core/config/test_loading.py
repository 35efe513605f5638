from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from airflow_healthcare_deid.config import DeidentifyConfig, find_problems, load_config, locate
from airflow_healthcare_deid.config.dicom import DicomConfig, TagFilterList
from airflow_healthcare_deid.errors import ConfigError

YAML = """\
# what to keep
dicom:
  keep_list:
    tags:
      - PatientID
      - 00100040
      - no
text:
  additionalTransformations:
    - infoTypes: [DATE]
      dateShiftConfig: {}
"""
JSON = '{\n\t"dicom": {\n\t\t"keepList": {"tags": [\n\t\t\t"PatientID",\n\t\t\t"PatientNam"]}}}'


def test_yaml_digits_and_words_are_tags_and_not_octal_numbers_or_booleans() -> None:
    (problem,) = find_problems(YAML)
    assert problem.path == "dicom.keepList.tags[2]"
    assert load_config(YAML.replace("- no", "- 00181000")).dicom == DicomConfig(
        keep_list=TagFilterList(tags=["PatientID", "00100040", "00181000"])
    )


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (YAML, "dicom.keepList.tags[2]", 7),
        (YAML, "text.additionalTransformations[0].infoTypes[0]", 10),
        (YAML, "text.additionalTransformations[0].dateShiftConfig.cryptoKey", 11),
        (YAML, "text.excludeInfoTypes", 8),
        (YAML, "", 2),
        (JSON, "dicom.keepList.tags[1]", 5),
        (JSON, "dicom.removeList", 2),
        ("{", "dicom", None),
        ("", "dicom", None),
    ],
)
def test_a_field_is_located_in_its_text(text: str, path: str, line: int | None) -> None:
    assert locate(text, path) == line


@pytest.mark.parametrize("name", ["config.json", "config.yaml", "config.yml"])
@pytest.mark.parametrize("kind", [Path, str])
def test_a_file_is_read(tmp_path: Path, name: str, kind: type[Path] | type[str]) -> None:
    file = tmp_path / name
    file.write_text('\ufeff{"fhir": {}}', "utf-8")
    assert load_config(kind(file)).fhir is not None


def test_json_in_single_quotes_is_read() -> None:
    config = load_config("{'dicom': {'filterProfile': 'KEEP_ALL_PROFILE'}}")
    assert config == load_config('{"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}')


def test_an_alias_stands_for_its_anchor() -> None:
    config = load_config("text:\n  transformations: &all [redactConfig: {}]\n  additionalTransformations: *all\n")
    assert config.text is not None
    assert config.text.transformations == config.text.additional_transformations


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is null, not a mapping"),
        ("nonsense", "is text, not a mapping"),
        ("dicom: [\n  fhir: }", "line 2"),
        ("dicom:\n\tfhir:", "line 2"),
        ("dicom: {}\nfhir: {}\ndicom: {}", "Line 3 has the key 'dicom' a second time"),
        ('{"dicom": {}, "dicom": {}}', "twice"),
        ("dicom: {}\n---\nfhir: {}", "another document"),
        ("dicom: !!python/object:os.system {}", "tag"),
        ("dicom: !!bool maybe", "tag"),
        ("? [a]\n: b", "Line 1 has a key that is not text"),
        ("dicom: &loop {keepList: *loop}", "keepList.keepList"),
        ("dicom: \x00", "control characters"),
        ("[" * 100_000, "nests too deeply"),
        ('{"image": ' * 100_000, "nests too deeply"),
        ('{"image": ' + "9" * 5000 + "}", "not a mapping"),
    ],
)
def test_broken_text_is_refused(text: str, message: str) -> None:
    (problem,) = find_problems(text)
    assert message in str(problem)


@pytest.mark.parametrize("content", [b"\xff\xfe\xff", None])
def test_an_unreadable_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_config(file)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="yaml"):
        load_config(tmp_path / "config.txt")


def test_a_checked_config_stays_as_it_is() -> None:
    config = DeidentifyConfig(dicom=DicomConfig(skip_id_redaction=True))
    assert load_config(config) == config


def test_reading_a_config_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from airflow_healthcare_deid.config import load_config\n"
        "load_config({'dicom': {'keepList': {'tags': ['PatientID']}}})\n"
        "roots = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(roots - sys.stdlib_module_names))\n"
        "print(*sorted({'difflib', 'yaml', 'pydicom'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["airflow_healthcare_deid msgspec typing_extensions", ""]
