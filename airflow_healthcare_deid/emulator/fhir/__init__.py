"""The FHIR half of the emulator: resources, search, bundles; nothing here knows HTTP."""
