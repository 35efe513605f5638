"""What a reader has to know before trusting a preview: all that was not looked at, stood in for, or inferred."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_healthcare_deid.config import TextRedactionMode, to_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_healthcare_deid.cli.preview.engines import Engines
    from airflow_healthcare_deid.cli.preview.rows import FilePreview
    from airflow_healthcare_deid.config import DeidentifyConfig

_REDACTING = (TextRedactionMode.REDACT_ALL_TEXT, TextRedactionMode.REDACT_SENSITIVE_TEXT)
_WITH_KEYS = frozenset({"crypto_hash", "date_shift", "id", "inspect", "reference", "transform"})
"""What the engine does that may take a key."""

_HIDDEN_KEY = "(a key, not shown)"


@dataclass(frozen=True, slots=True)
class Caveat:
    """One thing to know.

    :param title: in a few words.
    :param text: what it means here.
    :param serious: whether an identifier may be left because of it.
    """

    title: str
    text: str
    serious: bool = False


def caveats(config: DeidentifyConfig, engines: Engines, files: Sequence[FilePreview]) -> list[Caveat]:
    """Return what to know, what is serious first."""
    found = [*_left(files), *_parts(engines), *_text(config), *_images(config, files), *_keys(config, files)]
    found += _scope(config, files)
    found.append(
        Caveat(
            "This is not Google's service",
            "A local engine made this preview. It finds less in free text than the service, and where Google documents "
            "no default it follows the inferred rows listed at the end. Try the config on a copy before you trust it.",
        )
    )
    return sorted(found, key=lambda caveat: not caveat.serious)


def shown_config(config: DeidentifyConfig, *, hide: bool) -> dict[str, Any]:
    """Return a config to print: without keys, and without patterns where values are hidden."""
    shown: dict[str, Any] = _masked(to_body(config), hide=hide)
    return shown


def _masked(value: Any, *, hide: bool) -> Any:
    if isinstance(value, list):
        return [_masked(one, hide=hide) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _masked_field(name, one, hide=hide) for name, one in value.items()}


def _masked_field(name: str, value: Any, *, hide: bool) -> Any:
    if name == "kmsWrapped" and isinstance(value, dict):
        return value | {"wrappedKey": _HIDDEN_KEY}  # the name of the KMS key is no secret
    if name == "cryptoKey":
        return _HIDDEN_KEY
    if name == "pattern" and hide:
        return "(a pattern, not shown)"
    return _masked(value, hide=hide)


def _left(files: Sequence[FilePreview]) -> Iterator[Caveat]:
    repeating = sum(file.repeating for file in files)
    if repeating:
        yield Caveat(
            f"{_count(repeating, 'field')} of the output still hold{'s' if repeating == 1 else ''} an identifier",
            "The record itself gives a name, number, date or address of the patient that stands in the output too. "
            "These fields are marked “repeats an identifier”.",
            serious=True,
        )


def _parts(engines: Engines) -> Iterator[Caveat]:
    for said in engines.missing:
        yield Caveat("An optional part is not installed", said, serious=True)
    if engines.without_images:
        yield Caveat(
            "Pixels were not searched",
            "The config asks for it, and the optional part for images is not installed. "
            "Install it with: pip install 'airflow-healthcare-deid[image]'",
            serious=True,
        )


def _text(config: DeidentifyConfig) -> Iterator[Caveat]:
    from airflow_healthcare_deid.engine.text.info_types import default_info_types, select, supported_info_types

    names = select(config.text).not_looked_for
    if names:
        yield Caveat(
            "InfoTypes that were not looked for",
            f"Google's service finds them, the local engine does not: {', '.join(names)}.",
            serious=True,
        )
    others = sorted(default_info_types() - supported_info_types())
    if others:
        yield Caveat("Default infoTypes that were not looked for", f"{', '.join(others)}.", serious=True)


def _images(config: DeidentifyConfig, files: Sequence[FilePreview]) -> Iterator[Caveat]:
    pixels = sum(file.has_pixels for file in files)
    image = config.image
    if pixels and not (image and (image.text_redaction_mode in _REDACTING or image.custom_regexes)):
        yield Caveat(
            f"Pixels of {_count(pixels, 'file')} were not searched",
            "The config has no image.textRedactionMode that redacts, so text burnt into pixels stays, as do faces.",
            serious=True,
        )
    elif pixels:
        yield Caveat(
            "Text that could not be read was not covered",
            "Recognition of text misses what is faint, tiny, turned or written by hand. Look at the images.",
        )


def _keys(config: DeidentifyConfig, files: Sequence[FilePreview]) -> Iterator[Caveat]:
    rows = list(_transformations(to_body(config)))
    if any("kmsWrapped" in row for row in rows):
        yield Caveat(
            "KMS keys cannot be unwrapped here",
            "A random key stood in for each, so hashes and date shifts are not those that the service will make.",
        )
    used = any(row.how in _WITH_KEYS for file in files for row in file.treated)
    if used and (not rows or any("cryptoKey" not in row and "kmsWrapped" not in row for row in rows)):
        yield Caveat(
            "Random keys",
            "Where the config names no key, each run takes a random one: hashes and date shifts differ every time.",
        )


def _transformations(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    text = body.get("text", {})
    for row in (*text.get("additionalTransformations", ()), *text.get("transformations", ())):
        for name in ("cryptoHashConfig", "dateShiftConfig"):
            if name in row:
                yield row[name]


def _scope(config: DeidentifyConfig, files: Sequence[FilePreview]) -> Iterator[Caveat]:
    kinds = [file.kind for file in files]
    for kind, part, default in (
        ("DICOM", config.dicom, "all tags kept and UIDs regenerated"),
        ("FHIR", config.fhir, "the default profile"),
    ):
        if kind in kinds and part is None:
            yield Caveat(
                f"The config has no {kind.lower()}",
                f"A whole dataset's {kind} stores are then skipped by the service. Shown is {default}.",
            )
    if kinds.count("FHIR") > 1:
        yield Caveat(
            "Each resource was read by itself",
            "The service and the emulator know a patient across a store; here, names from one file are not looked for "
            "in another. Put a patient's resources into one Bundle to see that.",
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
