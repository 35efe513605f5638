"""The methods of the API that are called, with what each needs.

Permissions: https://cloud.google.com/healthcare-api/docs/access-control. ``rpc`` is the last part of an operation's
``apiMethodName``; Google's pages show it for some methods, for the others it is inferred from the RPC reference.
"""

from __future__ import annotations

import msgspec

_DATASETS = "healthcare.datasets"
_DICOM = "healthcare.dicomStores"
_FHIR = "healthcare.fhirStores"


class Method(msgspec.Struct, frozen=True):
    """One method of the API.

    :param name: its path below ``projects.locations`` in the discovery document.
    :param permission: the IAM permissions that a caller needs, in words.
    :param parameter: the parameter that takes the resource's name.
    :param rpc: how an operation that it started names it, for methods that start one.
    """

    name: str
    permission: str
    parameter: str = "name"
    rpc: str = ""


METHODS = {
    method.name: method
    for method in (
        Method(
            "datasets.deidentify",
            f"{_DATASETS}.deidentify on the source dataset and {_DATASETS}.create on the destination's project",
            "sourceDataset",
            "DeidentifyDataset",
        ),
        Method(
            "datasets.dicomStores.deidentify",
            f"{_DICOM}.deidentify on the source store and {_DICOM}.dicomWebWrite on the destination store",
            "sourceStore",
            "DeidentifyDicomStore",
        ),
        Method(
            "datasets.fhirStores.deidentify",
            f"{_FHIR}.deidentify on the source store and healthcare.fhirResources.update on the destination store",
            "sourceStore",
            "DeidentifyFhirStore",
        ),
        Method("datasets.dicomStores.export", f"{_DICOM}.export on the store", rpc="ExportDicomData"),
        Method("datasets.dicomStores.import", f"{_DICOM}.import on the store", rpc="ImportDicomData"),
        Method("datasets.fhirStores.export", f"{_FHIR}.export on the store", rpc="ExportResources"),
        Method("datasets.fhirStores.import", f"{_FHIR}.import on the store", rpc="ImportResources"),
        Method("datasets.create", f"{_DATASETS}.create on the project", "parent", "CreateDataset"),
        Method("datasets.get", f"{_DATASETS}.get on the dataset"),
        Method("datasets.list", f"{_DATASETS}.list on the project", "parent"),
        Method("datasets.delete", f"{_DATASETS}.delete on the dataset"),
        Method("datasets.dicomStores.create", f"{_DICOM}.create on the dataset", "parent"),
        Method("datasets.dicomStores.get", f"{_DICOM}.get on the store"),
        Method("datasets.dicomStores.list", f"{_DICOM}.list on the dataset", "parent"),
        Method("datasets.dicomStores.delete", f"{_DICOM}.delete on the store"),
        Method("datasets.dicomStores.getDICOMStoreMetrics", f"{_DICOM}.get on the store"),
        Method("datasets.fhirStores.create", f"{_FHIR}.create on the dataset", "parent"),
        Method("datasets.fhirStores.get", f"{_FHIR}.get on the store"),
        Method("datasets.fhirStores.list", f"{_FHIR}.list on the dataset", "parent"),
        Method("datasets.fhirStores.delete", f"{_FHIR}.delete on the store"),
        Method("datasets.fhirStores.getFHIRStoreMetrics", f"{_FHIR}.get on the store"),
        Method("datasets.dicomStores.searchForStudies", f"{_DICOM}.dicomWebRead on the store", "parent"),
        Method("datasets.dicomStores.studies.retrieveMetadata", f"{_DICOM}.dicomWebRead on the store", "parent"),
        Method(
            "datasets.dicomStores.studies.series.instances.frames.retrieveFrames",
            f"{_DICOM}.dicomWebRead on the store",
            "parent",
        ),
        Method("datasets.fhirStores.fhir.search", f"{_FHIR}.searchResources on the store", "parent"),
        Method("datasets.fhirStores.fhir.Patient-everything", "healthcare.fhirResources.get on the store"),
        Method("datasets.operations.get", "healthcare.operations.get on the dataset"),
        Method("datasets.operations.list", "healthcare.operations.list on the dataset (roles/healthcare.datasetAdmin)"),
        Method("datasets.operations.cancel", "healthcare.operations.cancel on the dataset"),
    )
}
