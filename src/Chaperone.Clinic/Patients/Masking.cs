using System.Globalization;

namespace Chaperone.Clinic.Patients;

/// <summary>What is left of a patient for somebody who may not know who it is.</summary>
internal static class Masking
{
    /// <summary>Initials, year of birth (as its first of January), whether they died, gender. Everything else is dropped rather than blurred, so that a field added later is masked without anybody thinking of it.</summary>
    public static Patient Mask(Patient patient)
    {
        var details = patient.Details;
        return patient with
        {
            Masked = true,
            Details = new()
            {
                GivenNames = Initial(details.GivenNames),
                FamilyName = Initial(details.FamilyName) ?? "",
                DateOfBirth = details.DateOfBirth is { } born ? new DateOnly(born.Year, 1, 1) : null,
                DateOfBirthUnknown = details.DateOfBirthUnknown,
                Gender = details.Gender,
                Archiving = details.Archiving is { } archiving ? archiving with { Note = null } : null,
            },
        };
    }

    private static string? Initial(string? name) => string.IsNullOrEmpty(name) ? null : StringInfo.GetNextTextElement(name) + ".";
}
