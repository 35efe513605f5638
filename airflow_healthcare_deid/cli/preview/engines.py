"""The engine for a preview: made once, with stand-ins for what is out of reach here."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from airflow_healthcare_deid.cli.preview.images import has_image_extra
from airflow_healthcare_deid.cli.preview.rows import Failure, FilePreview, Values
from airflow_healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.cli.preview.sources import Source
    from airflow_healthcare_deid.config import DeidentifyConfig
    from airflow_healthcare_deid.engine.fhir.model import Version
    from airflow_healthcare_deid.engine.keys import KeyRing

_MAX_FILE = 1 << 30


class Engines:
    """De-identifies files as one config asks.

    :param config: what to do.
    :param version: the FHIR version of resources.
    :param values: how values are shown.
    :raises ConfigError: when the config asks for what no engine can do.
    """

    def __init__(self, config: DeidentifyConfig, version: Version, values: Values) -> None:
        from airflow_healthcare_deid.engine.keys import KeyRing

        self.without_images = config.image is not None and not has_image_extra()
        if self.without_images:
            config = msgspec.structs.replace(config, image=None)
        self.missing: list[str] = []
        """What is not installed, in words."""
        self._values = values
        self._preview: dict[str, Callable[[str, bytes], FilePreview]] = {}
        # The same stand-in for the same wrapped key, so that equal values stay equal.
        keys = KeyRing(unwrap=lambda _wrapped: secrets.token_bytes(32))
        self._make("DICOM", lambda: self._dicom(config, keys))
        self._make("FHIR", lambda: self._fhir(config, keys, version))

    def preview(self, source: Source, name: str) -> FilePreview | Failure:
        """De-identify a file and compare, or say why that cannot be done."""
        from airflow_healthcare_deid.engine.errors import EngineError

        if source.kind is None:
            return Failure(name, "it is neither a DICOM file nor FHIR JSON")
        if source.kind not in self._preview:
            return Failure(name, f"{source.kind} cannot be de-identified here: {'; '.join(self.missing)}")
        try:
            if source.path.stat().st_size > _MAX_FILE:
                return Failure(name, "it is larger than 1 GB")
            return self._preview[source.kind](name, source.path.read_bytes())
        except EngineError as error:
            return Failure(name, str(error))
        except OSError as error:
            return Failure(name, f"it cannot be read: {error.strerror}")
        except Exception as error:  # noqa: BLE001  (one odd file does not stop the others; messages may hold values)
            return Failure(name, f"it cannot be previewed ({type(error).__name__})")

    def _make(self, kind: str, make: Callable[[], Callable[[str, bytes], FilePreview]]) -> None:
        from airflow_healthcare_deid.engine.errors import EngineError, MissingPartError

        try:
            self._preview[kind] = make()
        except MissingPartError as error:
            if str(error) not in self.missing:
                self.missing.append(str(error))
        except EngineError as error:
            raise ConfigError("", str(error)) from None

    def _dicom(self, config: DeidentifyConfig, keys: KeyRing) -> Callable[[str, bytes], FilePreview]:
        from airflow_healthcare_deid.cli.preview.dicom import preview_dicom
        from airflow_healthcare_deid.engine.dicom import DicomDeidentifier

        deidentifier = DicomDeidentifier(config, keys)
        return lambda name, data: preview_dicom(name, data, deidentifier, self._values)

    def _fhir(self, config: DeidentifyConfig, keys: KeyRing, version: Version) -> Callable[[str, bytes], FilePreview]:
        from airflow_healthcare_deid.cli.preview.fhir import preview_fhir
        from airflow_healthcare_deid.engine.fhir import FhirDeidentifier

        deidentifier = FhirDeidentifier(config, keys, version)
        return lambda name, data: preview_fhir(name, data, deidentifier, version, self._values)
