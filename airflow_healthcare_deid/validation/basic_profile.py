"""What the Basic Application Level Confidentiality Profile removes or replaces (DICOM PS3.15 Table E.1-1).

Only elements that go in the edition Google names (2018e) and in every later one, and that Google's own list for the
profile holds: whatever edition the service follows, none of these may stay as they are.
"""

from __future__ import annotations

from functools import cache

from airflow_healthcare_deid.config.tags import parse_tag


@cache
def removed_tags() -> frozenset[str]:
    """Return the tags that are removed (action X), as eight hex digits."""
    return _tags(_REMOVED)


@cache
def replaced_tags() -> frozenset[str]:
    """Return names, ids, dates and places that are removed, emptied or get another value (actions with D or Z)."""
    return _tags(_REPLACED)


def _tags(keywords: str) -> frozenset[str]:
    return frozenset(f"{parse_tag(keyword):08X}" for keyword in keywords.split())


_REPLACED = """
    AccessionNumber AcquisitionDate AcquisitionDateTime ConsultingPhysicianName ContentCreatorName ContentDate
    DeviceSerialNumber FillerOrderNumberImagingServiceRequest InstitutionName OperatorsName PatientBirthDate PatientID
    PatientName PersonName PlacerOrderNumberImagingServiceRequest ReferringPhysicianName ReviewerName SeriesDate
    StationName StudyDate StudyID StudyTime VerifyingObserverName VerifyingOrganization
"""

_REMOVED = """
    AcquisitionComments AcquisitionProtocolDescription ActualHumanPerformersSequence AdditionalPatientHistory
    AddressTrial AdmissionID AdmittingDate AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription
    AdmittingTime Allergies Arbitrary AuthorObserverSequence BeamDescription BolusDescription BranchOfService
    CassetteID CommentsOnThePerformedProcedureStep CompensatorDescription
    ConfidentialityConstraintOnPatientDataDescription ConsultingPhysicianIdentificationSequence
    ContentCreatorIdentificationCodeSequence ContributionDescription CountryOfResidence CurrentObserverTrial
    CurrentPatientLocation CurveDate CurveTime CustodialOrganizationSequence DataSetTrailingPadding
    DerivationDescription DigitalSignaturesSequence DischargeDiagnosisDescription DistributionAddress
    DistributionName DoseReferenceDescription EthnicGroup ExpectedCompletionDateTime FixationDeviceDescription
    FractionGroupDescription FrameComments GantryID GeneratorID HumanPerformerName HumanPerformerOrganization
    IconImageSequence IdentifyingComments ImageComments ImagePresentationComments
    ImagingServiceRequestComments Impressions InstanceCoercionDateTime InstitutionAddress
    InstitutionalDepartmentName InsurancePlanIdentification IntendedRecipientsOfResultsIdentificationSequence
    InterpretationApproverSequence InterpretationAuthor InterpretationDiagnosisDescription
    InterpretationIDIssuer InterpretationRecorder InterpretationText InterpretationTranscriber
    IssuerOfAdmissionID IssuerOfPatientID IssuerOfServiceEpisodeID IssuerOfServiceEpisodeIDSequence
    LastMenstrualDate MAC MedicalAlerts MedicalRecordLocator MilitaryRank ModifiedAttributesSequence
    ModifiedImageDescription ModifyingDeviceID NameOfPhysiciansReadingStudy NamesOfIntendedRecipientsOfResults
    ObservationDateTrial ObservationTimeTrial Occupation OrderCallbackPhoneNumber
    OrderCallbackTelecomInformation OrderEnteredBy OrderEntererLocation OriginalAttributesSequence
    OtherPatientIDs OtherPatientIDsSequence OtherPatientNames OverlayDate OverlayTime ParticipantSequence
    PatientAddress PatientAge PatientBirthName PatientBirthTime PatientComments PatientInstitutionResidence
    PatientInsurancePlanCodeSequence PatientMotherBirthName PatientPrimaryLanguageCodeSequence
    PatientPrimaryLanguageModifierCodeSequence PatientReligiousPreference PatientSize PatientState
    PatientTelephoneNumbers PatientTransportArrangements PatientWeight PerformedLocation
    PerformedProcedureStepDescription PerformedProcedureStepEndDate PerformedProcedureStepEndTime
    PerformedProcedureStepID PerformedProcedureStepStartDate PerformedProcedureStepStartDateTime
    PerformedProcedureStepStartTime PerformedStationAETitle PerformedStationGeographicLocationCodeSequence
    PerformedStationName PerformedStationNameCodeSequence PerformingPhysicianIdentificationSequence
    PerformingPhysicianName PersonAddress PersonTelecomInformation PersonTelephoneNumbers
    PhysicianApprovingInterpretation PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence
    PhysiciansReadingStudyIdentificationSequence PlateID PreMedication PregnancyStatus PrescriptionDescription
    ProcedureStepCancellationDateTime RTPlanDescription RTPlanName ReasonForOmissionDescription ReasonForStudy
    ReasonForTheImagingServiceRequest ReferencedDigitalSignatureSequence ReferencedPatientAliasSequence
    ReferencedPatientPhotoSequence ReferencedPatientSequence ReferencedSOPInstanceMACSequence
    ReferringPhysicianAddress ReferringPhysicianIdentificationSequence ReferringPhysicianTelephoneNumbers
    RegionOfResidence RequestAttributesSequence RequestedContrastAgent RequestedProcedureComments
    RequestedProcedureID RequestedProcedureLocation RequestingPhysician RequestingService
    RespiratoryMotionCompensationTechniqueDescription ResponsibleOrganization ResponsiblePerson
    ResultsComments ResultsDistributionListSequence ResultsIDIssuer ScheduledHumanPerformersSequence
    ScheduledPatientInstitutionResidence ScheduledPerformingPhysicianIdentificationSequence
    ScheduledPerformingPhysicianName ScheduledProcedureStepDescription ScheduledProcedureStepEndDate
    ScheduledProcedureStepEndTime ScheduledProcedureStepLocation ScheduledProcedureStepModificationDateTime
    ScheduledProcedureStepStartDate ScheduledProcedureStepStartDateTime ScheduledProcedureStepStartTime
    ScheduledStationAETitle ScheduledStationGeographicLocationCodeSequence ScheduledStationName
    ScheduledStationNameCodeSequence ScheduledStudyLocation ScheduledStudyLocationAETitle SeriesDescription
    ServiceEpisodeDescription ServiceEpisodeID SetupTechniqueDescription ShieldingDeviceDescription
    SmokingStatus SourceManufacturer SpecialNeeds StudyComments StudyDescription StudyIDIssuer
    TelephoneNumberTrial TextComments TextString TimezoneOffsetFromUTC TopicAuthor TopicKeywords TopicSubject
    TopicTitle VerbalSourceIdentifierCodeSequenceTrial VerbalSourceTrial VisitComments
"""
