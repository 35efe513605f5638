"""Proof, through the API alone, that a destination holds what a de-identification should have left.

``checks/`` holds one small pure function per question, each over two sides of plain DICOM JSON and FHIR JSON;
``runner`` asks them all and makes the report. Nothing here talks to a network: ``sides`` names what a side offers,
and the operator provides it. The report carries resource names, tag keywords, FHIR paths and counts, never a value.
"""
