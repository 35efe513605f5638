"""De-identifies one DICOM instance, FHIR resource, text or image at a time, as a `DeidentifyConfig` asks.

Pure functions of what they are given: no network, no files, no clock.
"""
