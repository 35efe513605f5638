"""What to de-identify and how: the messages of the three deidentify requests, read, checked and sent.

Every field of the discovery document is a field here, and every rule it states in words is checked, so that a mistake
is found before anything is sent. Source: ``healthcare.v1.json`` of Google's API discovery service.
"""

from __future__ import annotations

from airflow_healthcare_deid.config.deidentify import DeidentifyConfig
from airflow_healthcare_deid.config.dicom import (
    ALWAYS_KEPT_TAGS,
    DicomConfig,
    DicomFilterConfig,
    TagFilterList,
    TagFilterProfile,
)
from airflow_healthcare_deid.config.documents import locate
from airflow_healthcare_deid.config.fhir import (
    FHIR_PATH_TYPES,
    FhirAction,
    FhirConfig,
    FhirFilter,
    FieldMetadata,
    Resources,
)
from airflow_healthcare_deid.config.gcs import GcsLocation, parse_gcs_uri
from airflow_healthcare_deid.config.image import CustomRegex, ImageConfig, TextRedactionMode
from airflow_healthcare_deid.config.keys import CryptoHashConfig, DateShiftConfig, KmsWrappedCryptoKey, decode_key
from airflow_healthcare_deid.config.loading import ConfigSource, find_problems, load_config, load_request
from airflow_healthcare_deid.config.message import Message, to_body
from airflow_healthcare_deid.config.requests import (
    DeidentifyDatasetRequest,
    DeidentifyDicomStoreRequest,
    DeidentifyFhirStoreRequest,
)
from airflow_healthcare_deid.config.secrets import fingerprint, has_literal_keys, secrets_of
from airflow_healthcare_deid.config.text import (
    CharacterMaskConfig,
    InfoTypeTransformation,
    RedactConfig,
    ReplaceWithInfoTypeConfig,
    TextConfig,
)

__all__ = [
    "ALWAYS_KEPT_TAGS",
    "FHIR_PATH_TYPES",
    "CharacterMaskConfig",
    "ConfigSource",
    "CryptoHashConfig",
    "CustomRegex",
    "DateShiftConfig",
    "DeidentifyConfig",
    "DeidentifyDatasetRequest",
    "DeidentifyDicomStoreRequest",
    "DeidentifyFhirStoreRequest",
    "DicomConfig",
    "DicomFilterConfig",
    "FhirAction",
    "FhirConfig",
    "FhirFilter",
    "FieldMetadata",
    "GcsLocation",
    "ImageConfig",
    "InfoTypeTransformation",
    "KmsWrappedCryptoKey",
    "Message",
    "RedactConfig",
    "ReplaceWithInfoTypeConfig",
    "Resources",
    "TagFilterList",
    "TagFilterProfile",
    "TextConfig",
    "TextRedactionMode",
    "decode_key",
    "find_problems",
    "fingerprint",
    "has_literal_keys",
    "load_config",
    "load_request",
    "locate",
    "parse_gcs_uri",
    "secrets_of",
    "to_body",
]
