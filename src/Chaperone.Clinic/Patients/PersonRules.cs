using System.Globalization;
using Chaperone.Encryption;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Patients;

/// <summary>What may stand in a patient's details. Pure: the same for forms, the API and imports.</summary>
public static class PersonRules
{
    /// <summary>Characters (UTF-16 units) of a name or place.</summary>
    public const int LongestName = 200;

    /// <summary>Years somebody can have lived.</summary>
    public const int OldestYears = 130;

    private const int LongestPostcode = 20, LongestPhone = 40, LongestEmail = 254, LongestIdentifier = 100, LongestNote = 1000, LongestOther = 2000;
    private const int MostLines = 5, MostIdentifiers = 20, MostOthers = 100;

    /// <summary>Checks details that were tidied.</summary>
    /// <param name="details">What was tidied by <see cref="PersonDetails.Tidied"/>.</param>
    /// <param name="today">Today in the clinic's zone.</param>
    /// <returns>Null, or <see cref="PatientErrors.Invalid"/> with a sentence for each field at fault, named as in the API's JSON. No sentence quotes the input.</returns>
    public static Error? Validate(this PersonDetails details, DateOnly today)
    {
        var faults = new Faults();
        faults.Text("prefix", "The title", details.Prefix, 50);
        faults.Text("givenNames", "Given names", details.GivenNames, LongestName);
        faults.Text("familyName", "The family name", details.FamilyName, LongestName);
        if (details.FamilyName.Length == 0) faults.Add("familyName", "Enter a family name. For somebody with a single name, enter it here.");
        faults.Text("suffix", "The suffix", details.Suffix, 50);
        faults.Text("previousName", "The previous name", details.PreviousName, LongestName);
        Dates(details, today, faults);
        if (!PersonCodes.Genders.Has(details.Gender)) faults.Add("gender", "Choose a gender from the list: female, male, other or unknown.");
        if (details.NhsNumber is { } nhs && NhsFault(nhs) is { } sentence) faults.Add("nhsNumber", sentence);
        Identifiers(details, faults);
        Contact(details, faults);
        if (details.MaritalStatus is { } status && !PersonCodes.MaritalStatuses.Has(status)) faults.Add("maritalStatus", "Choose a marital status from the list.");
        faults.Text("ethnicity", "The ethnicity", details.Ethnicity, LongestName);
        faults.Text("race", "The race", details.Race, LongestName);
        faults.Text("birthPlace", "The place of birth", details.BirthPlace, LongestName);
        Imported(details, faults);
        return faults.Error;
    }

    /// <summary>Checks why a record is to be archived.</summary>
    internal static Error? ValidateReason(this Archiving archiving)
    {
        var faults = new Faults();
        if (!PersonCodes.ArchiveReasons.Has(archiving.Reason)) faults.Add("reason", $"Choose a reason: {string.Join(", ", PersonCodes.ArchiveReasons.Select(reason => reason.Value))}.");
        if (archiving is { Reason: PersonCodes.OtherReason, Note: null }) faults.Add("note", "Say what the reason is.");
        faults.Text("note", "The reason", archiving.Note, LongestNote, lines: true);
        return faults.Error;
    }

    /// <summary>Whether ten digits end in the check digit of the NHS number (modulus 11, weights 10 to 2; a check of 10 belongs to no number).</summary>
    public static bool IsNhsNumber(string digits)
    {
        if (digits.Length != 10 || !digits.All(char.IsAsciiDigit) || digits.All(digit => digit == digits[0])) return false;
        var sum = 0;
        for (var i = 0; i < 9; i++) sum += (digits[i] - '0') * (10 - i);
        return (11 - sum % 11) % 11 == digits[9] - '0';
    }

    private static void Dates(PersonDetails details, DateOnly today, Faults faults)
    {
        foreach (var field in details.Unreadable) faults.Add(field, "Enter a date that exists, such as 1980-02-29 or 29/02/1980.");
        if (details.DateOfBirth is not { } born)
        {
            if (!details.DateOfBirthUnknown) faults.Add("dateOfBirth", "Enter a date of birth, or say that it is not known.");
        }
        else if (born > today) faults.Add("dateOfBirth", "The date of birth cannot be in the future.");
        else if (born < today.AddYears(-OldestYears)) faults.Add("dateOfBirth", $"The date of birth cannot be more than {OldestYears} years ago.");
        if (details.DateOfDeath is not { } died) return;
        if (died > today) faults.Add("dateOfDeath", "The date of death cannot be in the future.");
        else if (died < details.DateOfBirth) faults.Add("dateOfDeath", "The date of death cannot be before the date of birth.");
        else if (died < today.AddYears(-OldestYears)) faults.Add("dateOfDeath", $"The date of death cannot be more than {OldestYears} years ago.");
    }

    private static string? NhsFault(string number) =>
        number.Length != 10 || !number.All(char.IsAsciiDigit) ? "An NHS number has ten digits."
        : IsNhsNumber(number) ? null
        : "This is no NHS number: its check digit is wrong. Compare it with the letter or card.";

    private static void Identifiers(PersonDetails details, Faults faults)
    {
        if (details.Identifiers.Count > MostIdentifiers) faults.Add("identifiers", $"At most {MostIdentifiers} other numbers can be kept.");
        for (var i = 0; i < Math.Min(details.Identifiers.Count, MostIdentifiers); i++)
        {
            var (type, value) = details.Identifiers[i];
            if (!PersonCodes.IdentifierTypes.Has(type)) faults.Add(Name(i, "type"), "Choose what sort of number this is from the list.");
            faults.Text(Name(i, "value"), "The number", value, LongestIdentifier);
        }

        static string Name(int i, string part) => string.Create(CultureInfo.InvariantCulture, $"identifiers.{i}.{part}");
    }

    private static void Contact(PersonDetails details, Faults faults)
    {
        Phone("phone", details.Phone);
        Phone("mobile", details.Mobile);
        if (faults.Text("email", "The email address", details.Email, LongestEmail) && details.Email is { } email && !IsEmail(email))
            faults.Add("email", "Enter an email address such as name@example.org.");
        if (details.Address is not { } address) return;
        if (address.Lines.Count > MostLines) faults.Add("address.lines", $"An address has at most {MostLines} lines.");
        foreach (var line in address.Lines.Take(MostLines)) faults.Text("address.lines", "Each line of the address", line, LongestName);
        faults.Text("address.city", "The town or city", address.City, LongestName);
        faults.Text("address.county", "The county", address.County, LongestName);
        faults.Text("address.state", "The state", address.State, LongestName);
        faults.Text("address.postcode", "The postcode", address.Postcode, LongestPostcode);
        faults.Text("address.country", "The country", address.Country, LongestName);

        void Phone(string field, string? number)
        {
            if (!faults.Text(field, "The telephone number", number, LongestPhone) || number is null) return;
            var digits = Normaliser.Phone(number).Length;
            if (digits is < 5 or > 20 || !number.All(c => char.IsDigit(c) || " +-()./#".Contains(c, StringComparison.Ordinal) || "extEXT".Contains(c, StringComparison.Ordinal)))
                faults.Add(field, "Enter a telephone number, such as 020 7946 0000 or +44 7700 900123.");
        }
    }

    private static bool IsEmail(string email)
    {
        var at = email.LastIndexOf('@');
        var domain = email[(at + 1)..];
        return at > 0 && !email.Any(char.IsWhiteSpace) && !email[..at].Contains('@', StringComparison.Ordinal) && !email.AsSpan().ContainsAny("<>,;\"")
            && domain.Contains('.', StringComparison.Ordinal) && domain.Split('.').All(label => label.Length > 0);
    }

    private static void Imported(PersonDetails details, Faults faults)
    {
        if (details.Other.Count > MostOthers) faults.Add("other", $"At most {MostOthers} other details can be kept.");
        foreach (var (name, value) in details.Other.Take(MostOthers))
        {
            faults.Text("other", "The name of each other detail", name, 100);
            faults.Text("other", "Each other detail", value, LongestOther, lines: true);
        }
        foreach (var (source, value) in details.ExternalIds)
        {
            faults.Text("externalIds", "The other system's name", source, 50);
            faults.Text("externalIds", "The other system's id", value, LongestName);
        }
    }

    private sealed class Faults
    {
        private readonly Dictionary<string, string> sentences = new(StringComparer.Ordinal);

        public Error? Error => sentences.Count == 0 ? null : PatientErrors.Invalid with { Fields = sentences };

        public void Add(string field, string sentence) => sentences.TryAdd(field, sentence);

        public bool Text(string field, string what, string? text, int longest, bool lines = false)
        {
            var before = sentences.Count;
            if (text is null) return true;
            if (text.Length > longest) Add(field, $"{what} can have at most {longest} characters.");
            else if (text.Any(c => (char.IsControl(c) && !(lines && c is '\r' or '\n' or '\t')) || c is '\u2028' or '\u2029')) Add(field, $"{what} must not contain control characters such as line breaks or tabs.");
            else if (HasLoneSurrogate(text)) Add(field, $"{what} contains half a character that cannot be stored.");
            return sentences.Count == before;
        }

        private static bool HasLoneSurrogate(string text)
        {
            for (var i = 0; i < text.Length; i++)
            {
                if (!char.IsSurrogate(text[i])) continue;
                if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
                i++;
            }
            return false;
        }
    }
}
