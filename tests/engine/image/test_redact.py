"""Which text is covered, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.uid import MPEG2MPML, ExplicitVRLittleEndian, JPEGExtended12Bit, RLELossless

from airflow_healthcare_deid.config import CustomRegex, ImageConfig, TextRedactionMode
from airflow_healthcare_deid.engine.errors import MissingPartError, UndecodableError
from airflow_healthcare_deid.engine.image import Box, redact_image
from airflow_healthcare_deid.engine.image import redact as redact_module
from airflow_healthcare_deid.engine.image.sensitive import sensitive_spans
from airflow_healthcare_deid.engine.rules import load_rules
from airflow_healthcare_deid.engine.text import RecordIdentifiers
from tests.engine.image.conftest import COLUMNS, ScriptedOcr, instance, line, texture

if TYPE_CHECKING:
    from airflow_healthcare_deid.engine.changes import Change
    from airflow_healthcare_deid.engine.image.ocr import TextLine
    from airflow_healthcare_deid.engine.text import TextDeidentifier

MODES = TextRedactionMode
RECORD = RecordIdentifiers.of(names=["Doe^Jane"], ids=["4471-2298"], dates=["19470312"])


def _config(mode: TextRedactionMode | None = None, *patterns: tuple[str, list[int] | None]) -> ImageConfig:
    regexes = [CustomRegex(pattern=pattern, group_indexes=groups) for pattern, groups in patterns]
    return ImageConfig(text_redaction_mode=mode, custom_regexes=regexes or None)


def _covered(config: ImageConfig, text: TextDeidentifier, *lines: TextLine) -> list[tuple[object, str | None]]:
    changes: list[Change] = []
    redact_image(instance(texture()), config, text, RECORD, changes.append, engine=ScriptedOcr(list(lines)))
    return [(change.before, change.info_type) for change in changes]


@pytest.mark.parametrize(
    "config", [_config(), _config(MODES.REDACT_NO_TEXT), _config(MODES.TEXT_REDACTION_MODE_UNSPECIFIED)]
)
def test_without_a_mode_nothing_is_even_decoded(config: ImageConfig, text: TextDeidentifier) -> None:
    dataset = instance(texture())
    dataset.PixelData = b"\0"
    assert redact_image(dataset, config, text, RECORD) == []


def test_an_instance_without_pixels_is_left_alone(text: TextDeidentifier) -> None:
    dataset = instance(texture())
    del dataset.PixelData
    assert redact_image(dataset, _config(MODES.REDACT_ALL_TEXT), text, RECORD) == []


def test_all_text_is_covered_with_a_margin(text: TextDeidentifier) -> None:
    lines = [line("kV 120", left=20, top=20, width=40, height=10)]
    [box] = redact_image(instance(texture()), _config(MODES.REDACT_ALL_TEXT), text, RECORD, engine=ScriptedOcr(lines))
    assert box == Box(0, 18, 18, 62, 32)


def test_boxes_end_at_the_edges_of_the_frame(text: TextDeidentifier) -> None:
    lines = [line("kV 120", left=COLUMNS - 10, top=0, width=30)]
    [box] = redact_image(instance(texture()), _config(MODES.REDACT_ALL_TEXT), text, RECORD, engine=ScriptedOcr(lines))
    assert (box.top, box.right) == (0, COLUMNS)


@pytest.mark.parametrize(
    ("written", "covered"),
    [
        ("DOE, JANE", [("DOE, JANE", "PERSON_NAME")]),
        ("D0E^JANE", [("D0E^JANE", "PERSON_NAME")]),
        ("Acq 2021-0409 kV", [("2021-0409", "DATE")]),
        ("0312/I947", [("0312/I947", "DATE")]),
        ("Acc 1234-5678", []),
        ("DOEnJANE", [("DOEnJANE", "PERSON_NAME")]),
        ("MR 44712298", [("44712298", "MEDICAL_RECORD_NUMBER")]),
        ("DOB l2.03.1947", [("l2.03.1947", "DATE")]),
        ("Acq 5/25/2011", [("5/25/2011", "DATE")]),
        ("Dr. Smith", [("Smith", "PERSON_NAME")]),
        ("kV 120 mA 35", []),
        ("Tel555-123-4567", [("555-123-4567", "PHONE_NUMBER")]),
        ("Acq5/25/2011", [("5/25/2011", "DATE")]),
        ("NameJANE", [("JANE", "PERSON_NAME")]),
        ("TE12 TR500 SE2", []),
    ],
)
def test_sensitive_text_is_covered_and_other_text_is_not(
    written: str, covered: list[tuple[str, str]], text: TextDeidentifier
) -> None:
    assert _covered(_config(MODES.REDACT_SENSITIVE_TEXT), text, line(written)) == covered


@pytest.mark.parametrize(
    ("written", "covered"),
    [
        ("IDZX-778812", "ZX-778812"),
        ("ID Z\u00d7778812", "Z\u00d7778812"),
        ("ZX-778812SUPINE", "ZX-778812"),
        ("KOWALSKJDWIGA", "KOWALSKJDWIGA"),
        ("JADWGAKOWALSKA", "JADWGAKOWALSKA"),
    ],
)
def test_the_patient_is_recognized_without_spaces_separators_and_some_letters(
    written: str, covered: str, text: TextDeidentifier
) -> None:
    record = RecordIdentifiers.of(names=["Kowalska^Jadwiga"], ids=["ZX-778812"])
    assert [written[one.start : one.end] for one in sensitive_spans(written, text, record)] == [covered]


def test_an_id_of_marks_alone_is_looked_for_as_it_is(text: TextDeidentifier) -> None:
    record = RecordIdentifiers.of(ids=["---"])
    assert sensitive_spans("kV120 Thorax", text, record) == []


def test_only_the_sensitive_part_of_a_line_is_covered(text: TextDeidentifier) -> None:
    lines = [line("kV 120 JANE", left=0, width=88, height=8)]
    [box] = redact_image(
        instance(texture()), _config(MODES.REDACT_SENSITIVE_TEXT), text, RECORD, engine=ScriptedOcr(lines)
    )
    assert 50 <= box.left <= 7 * 8 - 2
    assert box.right >= 88
    assert box.info_type == "PERSON_NAME"


def test_a_cue_and_its_name_may_stand_in_separate_boxes(text: TextDeidentifier) -> None:
    cue, name = line("Referred by:", left=0, width=40), line("Anna Kowalski", left=50, width=40)
    assert _covered(_config(MODES.REDACT_SENSITIVE_TEXT), text, name, cue) == [("Anna Kowalski", "PERSON_NAME")]


def test_text_config_does_not_narrow_what_is_sensitive_in_images(text: TextDeidentifier) -> None:
    from airflow_healthcare_deid.config import TextConfig
    from airflow_healthcare_deid.engine.keys import KeyRing
    from airflow_healthcare_deid.engine.text import TextDeidentifier as Deidentifier

    narrow = Deidentifier(TextConfig(exclude_info_types=["DATE"]), KeyRing(b"k" * 32))
    assert _covered(_config(MODES.REDACT_SENSITIVE_TEXT), narrow, line("5/25/2011")) == [("5/25/2011", "DATE")]


@pytest.mark.parametrize(
    ("pattern", "groups", "covered"),
    [
        (r"Room \d+", None, ["Room 12"]),
        (r"Room (\d+)", [1], ["12"]),
        (r"Room (\d+)", [0], ["Room 12"]),
        (r"(Room) (\d+)", [1, 2], ["Room", "12"]),
        (r"^Ward \w+$", None, ["Ward B"]),
        (r"12 Ward", None, ["12", "Ward"]),
        (r"(x)?Room", [1], []),
        (r"Theatre", None, []),
    ],
)
def test_custom_patterns(pattern: str, groups: list[int] | None, covered: list[str], text: TextDeidentifier) -> None:
    lines = line("Room 12", left=0, width=40), line("Ward B", left=50, width=40)
    found = _covered(_config(None, (pattern, groups)), text, *lines)
    assert [before for before, _ in found] == covered


def test_a_pattern_that_explodes_fails_the_instance(text: TextDeidentifier, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {**load_rules("image"), "custom_regexes": {"seconds": 0.05}}
    monkeypatch.setattr(redact_module, "load_rules", lambda _name: rules)
    with pytest.raises(UndecodableError, match="customRegexes"):
        _covered(_config(None, (r"^(?:\w|\w\w|a)+$", None)), text, line("a" * 60 + "!"))


def test_equal_frames_are_read_once(text: TextDeidentifier) -> None:
    pixels = np.stack([texture(), texture(), texture(seed=2)])
    engine = ScriptedOcr([line("TEXT")])
    boxes = redact_image(instance(pixels, frames=3), _config(MODES.REDACT_ALL_TEXT), text, RECORD, engine=engine)
    assert [box.frame for box in boxes] == [0, 1, 2]
    assert engine.looks == 2 * load_rules("image")["text"]["rounds"]


def test_the_bars_that_cover_text_are_not_read_as_a_letter(text: TextDeidentifier) -> None:
    lines = [line("JANE", top=10), line("DOE", top=30)]
    engine = ScriptedOcr(lines)

    class SeesBars:
        def read(self, image: Any) -> list[TextLine]:
            if not engine.looks:
                return engine.read(image)
            engine.lines = [line("二", left=0, top=0, width=COLUMNS, height=60), line("JANE DOE", top=10, width=60)]
            return engine.read(image)

    boxes = redact_image(instance(texture()), _config(MODES.REDACT_ALL_TEXT), text, RECORD, engine=SeesBars())
    assert [box.bottom - box.top for box in boxes] == [16, 16, 16]
    assert max(box.right for box in boxes) == 82


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        (MODES.REDACT_ALL_TEXT, "YES", "NO"),
        (MODES.REDACT_ALL_TEXT, None, None),
        (MODES.REDACT_SENSITIVE_TEXT, "YES", "YES"),
    ],
)
def test_burned_in_annotation(
    mode: TextRedactionMode, before: str | None, after: str | None, text: TextDeidentifier
) -> None:
    dataset = instance(texture())
    if before is not None:
        dataset.BurnedInAnnotation = before
    redact_image(dataset, _config(mode), text, RECORD, engine=ScriptedOcr([line("TEXT")]))
    assert dataset.get("BurnedInAnnotation") == after


@pytest.mark.parametrize("syntax", [MPEG2MPML, JPEGExtended12Bit], ids=lambda syntax: syntax.name)
def test_a_syntax_that_cannot_be_decoded_fails_the_instance(syntax: Any, text: TextDeidentifier) -> None:
    dataset = instance(texture(), syntax=RLELossless)
    dataset.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(UndecodableError):
        redact_image(dataset, _config(MODES.REDACT_ALL_TEXT), text, RECORD, engine=ScriptedOcr([]))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Rows", 6400),
        ("Rows", None),
        ("Columns", 0),
        ("BitsAllocated", 13),
        ("NumberOfFrames", 3),
        ("SamplesPerPixel", 4),
    ],
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless], ids=lambda syntax: syntax.name)
def test_pixels_that_contradict_their_description_fail_the_instance(
    syntax: Any, keyword: str, value: object, text: TextDeidentifier
) -> None:
    dataset = instance(texture(), syntax=syntax)
    setattr(dataset, keyword, value)
    with pytest.raises(UndecodableError) as caught:
        redact_image(dataset, _config(MODES.REDACT_ALL_TEXT), text, RECORD, engine=ScriptedOcr([]))
    assert "Doe" not in str(caught.value)


def test_pixels_beyond_the_limit_fail_before_they_are_decoded(text: TextDeidentifier) -> None:
    dataset = instance(texture(), syntax=RLELossless)
    dataset.Rows = dataset.Columns = 65535
    with pytest.raises(UndecodableError, match="2 GB"):
        redact_image(dataset, _config(MODES.REDACT_ALL_TEXT), text, RECORD, engine=ScriptedOcr([]))


def test_the_missing_extra_is_named(text: TextDeidentifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact_module, "find_spec", lambda _name: None)
    with pytest.raises(MissingPartError, match=r"airflow-healthcare-deid\[image\]"):
        redact_image(instance(texture()), _config(MODES.REDACT_ALL_TEXT), text, RECORD)
