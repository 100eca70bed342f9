namespace Chaperone.Clinic.Imports;

/// <summary>The words and letters with which files write our codes. Null for a word nobody knows: it is never guessed.</summary>
internal static class CodeText
{
    public static string? Gender(string text) => text.Trim().ToLowerInvariant() switch
    {
        "f" or "female" or "w" or "woman" or "2" => "female",
        "m" or "male" or "man" or "1" => "male",
        "o" or "other" or "x" or "non-binary" or "nonbinary" or "indeterminate" or "9" => "other",
        "u" or "unknown" or "not known" or "unk" or "0" => "unknown",
        _ => null,
    };

    public static string? MaritalStatus(string text) => text.Trim().ToLowerInvariant() switch
    {
        "s" or "single" or "never married" => "single",
        "m" or "married" => "married",
        "civil_partnership" or "civil partnership" or "in a civil partnership" or "cp" => "civil_partnership",
        "separated" or "l" => "separated",
        "d" or "divorced" => "divorced",
        "w" or "widowed" => "widowed",
        "u" or "unknown" or "not known" => "unknown",
        _ => null,
    };
}
