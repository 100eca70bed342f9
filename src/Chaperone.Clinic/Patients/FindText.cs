using System.Text.RegularExpressions;
using Chaperone.Encryption;

namespace Chaperone.Clinic.Patients;

/// <summary>What somebody typed into the find box, taken apart: a date of birth, an email address, a number (NHS or telephone), and words of a name, in any order and combination.</summary>
internal sealed partial record FindText(string Names, IReadOnlyList<DateOnly> Births, string? Email, string? Number)
{
    public const int Longest = 200;

    public bool IsEmpty => Names.Length == 0 && Births.Count == 0 && Email is null && Number is null;

    /// <summary>The digits, when they can be an NHS number.</summary>
    public string? NhsNumber => Number is { } number && PersonRules.IsNhsNumber(Normaliser.Digits(number)) ? Normaliser.Digits(number) : null;

    /// <summary>Names of what was used, for the event.</summary>
    public string[] Fields =>
    [
        .. new[] { Names.Length > 0 ? "name" : null, Births.Count > 0 ? "dateOfBirth" : null, NhsNumber is null ? null : "nhsNumber", Number is null ? null : "phone", Email is null ? null : "email" }
            .OfType<string>(),
    ];

    public static FindText Parse(string text, DateOnly today)
    {
        string? email = null, number = null;
        var rest = EmailAddress().Replace(text, match => Take(ref email, match), 1);
        (var births, rest) = DateText.Take(rest, today);
        rest = LongNumber().Replace(rest, match => Take(ref number, match), 1);
        return new(Normaliser.Name(rest).Length > 0 ? rest.Trim() : "", births, email, number);

        static string Take(ref string? part, Match match)
        {
            part = match.Value;
            return " ";
        }
    }

    /// <summary>Whether an opened record is what was meant; indexes only propose.</summary>
    public bool Matches(PersonDetails details) =>
        (Names.Length == 0 || NameMatch.Matches($"{details.FamilyName} {details.GivenNames} {details.PreviousName}", Names))
        && (Births.Count == 0 || (details.DateOfBirth is { } born && Births.Contains(born)))
        && (Email is null || (details.Email is { } email && Normaliser.Email(email) == Normaliser.Email(Email)))
        && (Number is null || (NhsNumber is { } nhs && nhs == details.NhsNumber) || IsPhone(details.Phone) || IsPhone(details.Mobile));

    private bool IsPhone(string? phone) => phone is not null && Normaliser.Phone(phone) == Normaliser.Phone(Number!);

    [GeneratedRegex(@"\S+@\S+", RegexOptions.CultureInvariant)]
    private static partial Regex EmailAddress();

    [GeneratedRegex(@"(?<![\p{L}\p{Nd}])[+(]{0,2}\p{Nd}[\p{Nd}\s()./-]{3,}\p{Nd}(?![\p{L}\p{Nd}])", RegexOptions.CultureInvariant)]
    private static partial Regex LongNumber();
}
