namespace Chaperone.Clinic.Imports;

/// <summary>What a report says about rows. Codes are stable; a row with a fault is skipped.</summary>
internal static class FindingCodes
{
    public const string TooManyCells = "too-many-cells", TooFewCells = "too-few-cells", Missing = "missing", Date = "date-invalid", DateRange = "date-impossible", UnknownWord = "word-unknown",
        NhsNumber = "nhs-number-invalid", NhsNumberTaken = "nhs-number-taken", Phone = "phone-invalid", Email = "email-invalid", TooLong = "too-long", Characters = "characters-invalid",
        Repeated = "repeated-id", AlreadyHere = "already-here", Differs = "already-here-differs", LikelyDuplicate = "likely-duplicate", LikelyDuplicateImported = "likely-duplicate-imported",
        Namesake = "namesake", NamesakeLinked = "namesake-linked", NamesakeImported = "namesake-imported",
        PatientUnknown = "patient-unknown", PatientUnclear = "patient-unclear", PatientGone = "patient-not-bookable", PractitionerUnknown = "practitioner-unknown", PractitionerUnclear = "practitioner-unclear",
        PractitionerGone = "practitioner-not-bookable", PractitionerAway = "practitioner-on-leave", Time = "time-invalid", TimeSkipped = "time-skipped", TimeTwice = "time-twice", TimeRange = "time-impossible", StatusAndTime = "status-and-time-disagree", TimeTaken = "time-taken";

    private static readonly Dictionary<string, string> Sentences = new(StringComparer.Ordinal)
    {
        [TooManyCells] = "The row has more cells than there are columns. Skipped.",
        [TooFewCells] = "The row has fewer cells than there are columns. Skipped.",
        [Missing] = "A value that is needed is missing. Skipped.",
        [Date] = "This is no date in the format chosen, or no such day exists. Skipped.",
        [DateRange] = "The date cannot be: it is in the future, too long ago, or death comes before birth. Skipped.",
        [UnknownWord] = "This word or letter has no meaning here. Skipped.",
        [NhsNumber] = "This is no NHS number: it has not ten digits, or its check digit is wrong. Skipped.",
        [NhsNumberTaken] = "Another patient has this NHS number. Skipped.",
        [Phone] = "This is no telephone number. Skipped.",
        [Email] = "This is no email address. Skipped.",
        [TooLong] = "The value is too long, or there are too many of them. Skipped.",
        [Characters] = "The value contains characters that cannot be stored. Skipped.",
        [Repeated] = "An earlier row of this file has the same id. Skipped.",
        [AlreadyHere] = "Already there, unchanged.",
        [Differs] = "Already there, and the file says something else. The record here was left as it is.",
        [LikelyDuplicate] = "Somebody with the same name and date of birth is registered. Skipped.",
        [Namesake] = "Somebody on the team has this name. Skipped.",
        [NamesakeLinked] = "Somebody on the team has this name and was taken for this person: appointments in the other system are theirs. Nothing else was changed.",
        [NamesakeImported] = "Imported, though somebody on the team has this name.",
        [PatientUnknown] = "No patient here is known by this. Import the patients first. Skipped.",
        [PatientUnclear] = "The row names two different patients. Skipped.",
        [PatientGone] = "The time is still to come, and the patient is archived or has died. Skipped.",
        [PractitionerUnknown] = "No practitioner here is known by this. Import the practitioners first. Skipped.",
        [PractitionerUnclear] = "More than one practitioner could be meant. Skipped.",
        [PractitionerGone] = "The time is still to come, and nobody can be booked with this practitioner. Skipped.",
        [PractitionerAway] = "The time is still to come, and the practitioner is on leave then. Skipped.",
        [Time] = "This is no time in the format chosen. Skipped.",
        [TimeSkipped] = "The clocks went forward over this time: it does not exist. Skipped.",
        [TimeTwice] = "The clocks went back: this time comes twice, and the file does not say which is meant. Skipped.",
        [TimeRange] = "The time cannot be: the end is not after the beginning, it is too long, or it is in another century. Skipped.",
        [StatusAndTime] = "The status does not go with the time: what is past cannot be still to come, and the other way round. Skipped.",
        [TimeTaken] = "The time is still to come, and the practitioner has another appointment then. Skipped.",
        [LikelyDuplicateImported] = "Imported, though somebody with the same name and date of birth is registered.",
    };

    /// <summary>The sentence for a code.</summary>
    public static string Sentence(string code) => Sentences.GetValueOrDefault(code, code);

    /// <summary>Whether a row with this finding is a fault that somebody may want to correct in the file.</summary>
    public static bool IsFault(string code) => code is not (AlreadyHere or Differs or LikelyDuplicate or LikelyDuplicateImported or Namesake or NamesakeLinked or NamesakeImported);
}
