"""DICOMweb (PS3.18) as the Cloud Healthcare API serves it: store, search, retrieve, delete.

Source: "DICOM conformance statement" of the Cloud Healthcare API. Everything that parses DICOM runs in the worker
processes (`tasks`), so a file that breaks a parser costs that one file, and the server itself never loads pydicom.
"""
