using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Patients;

/// <summary>What stands in the form for a patient's details: the same members under the same names as in the API, read from and shown as texts.</summary>
public sealed record PatientForm
{
    /// <summary>Rows for other numbers that a form offers beyond those filled in.</summary>
    private const int SpareIdentifiers = 1;

    private const int MostRows = 100;

    /// <summary>Field to text.</summary>
    public required IReadOnlyDictionary<string, string> Values { get; init; }

    /// <summary>What is typed in a field; empty when nothing is.</summary>
    public string this[string field] => Values.GetValueOrDefault(field, "");

    /// <summary>How many rows for other numbers to show.</summary>
    public int IdentifierRows => Math.Min(20, Rows("identifiers", "value") + SpareIdentifiers);

    /// <summary>How many details without a field of their own there are.</summary>
    public int OtherRows => Rows("other", "name");

    /// <summary>An empty form.</summary>
    public static PatientForm Empty { get; } = new() { Values = new Dictionary<string, string>() };

    /// <summary>A form of what is stored.</summary>
    public static PatientForm Of(PersonDetails details)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["prefix"] = details.Prefix, ["givenNames"] = details.GivenNames, ["familyName"] = details.FamilyName, ["suffix"] = details.Suffix, ["previousName"] = details.PreviousName,
            ["dateOfBirth"] = Iso(details.DateOfBirth), ["dateOfBirthUnknown"] = details.DateOfBirthUnknown ? "true" : null, ["dateOfDeath"] = Iso(details.DateOfDeath), ["gender"] = details.Gender,
            ["nhsNumber"] = details.NhsNumber is { } number ? PatientText.NhsNumber(number) : null, ["phone"] = details.Phone, ["mobile"] = details.Mobile, ["email"] = details.Email,
            ["address.lines"] = details.Address is { } lines ? string.Join('\n', lines.Lines) : null, ["address.city"] = details.Address?.City, ["address.county"] = details.Address?.County,
            ["address.state"] = details.Address?.State, ["address.postcode"] = details.Address?.Postcode, ["address.country"] = details.Address?.Country,
            ["maritalStatus"] = details.MaritalStatus, ["ethnicity"] = details.Ethnicity, ["race"] = details.Race, ["birthPlace"] = details.BirthPlace,
        };
        foreach (var (i, identifier) in details.Identifiers.Index()) (values[Row("identifiers", i, "type")], values[Row("identifiers", i, "value")]) = (identifier.Type, identifier.Value);
        foreach (var (i, other) in details.Other.Index()) (values[Row("other", i, "name")], values[Row("other", i, "value")]) = (other.Key, other.Value);
        return new() { Values = values.Where(value => !string.IsNullOrEmpty(value.Value)).ToDictionary(value => value.Key, value => value.Value!, StringComparer.Ordinal) };
    }

    /// <summary>The details as typed.</summary>
    public PersonDetails ToDetails()
    {
        var other = new Dictionary<string, string?>(StringComparer.Ordinal);
        for (var i = 0; i < OtherRows; i++) other[this[Row("other", i, "name")]] = this[Row("other", i, "value")];
        return new PatientBody
        {
            Prefix = this["prefix"], GivenNames = this["givenNames"], FamilyName = this["familyName"], Suffix = this["suffix"], PreviousName = this["previousName"],
            DateOfBirth = this["dateOfBirth"], DateOfBirthUnknown = this["dateOfBirthUnknown"] == "true", DateOfDeath = this["dateOfDeath"], Gender = this["gender"] is { Length: > 0 } gender ? gender : null,
            NhsNumber = this["nhsNumber"], Phone = this["phone"], Mobile = this["mobile"], Email = this["email"],
            Identifiers = [.. Enumerable.Range(0, Rows("identifiers", "value")).Select(i => new PersonIdentifier(this[Row("identifiers", i, "type")], this[Row("identifiers", i, "value")]))],
            Address = new()
            {
                Lines = this["address.lines"].Split('\n'), City = this["address.city"], County = this["address.county"], State = this["address.state"],
                Postcode = this["address.postcode"], Country = this["address.country"],
            },
            MaritalStatus = this["maritalStatus"], Ethnicity = this["ethnicity"], Race = this["race"], BirthPlace = this["birthPlace"], Other = other,
        }.ToDetails();
    }

    /// <summary>Where a stored record says something else than what was typed: the field's label, and what is stored.</summary>
    public IReadOnlyList<(string Label, string Stored)> DifferencesFrom(PersonDetails stored)
    {
        var (typed, now) = (Of(ToDetails().Tidied()), Of(stored));
        return [.. Labels.Where(label => typed[label.Key] != now[label.Key]).Select(label => (label.Value, now[label.Key]))];
    }

    internal static string Row(string list, int row, string part) => string.Create(CultureInfo.InvariantCulture, $"{list}.{row}.{part}");

    internal static FormErrors? Errors(Error error)
    {
        var errors = new FormErrors();
        foreach (var (field, sentence) in error.Fields) errors.Add(field, sentence);
        if (error.Fields.Count == 0) errors.Add("", $"{error.Title} {error.Next}");
        return errors;
    }

    private static readonly IReadOnlyList<KeyValuePair<string, string>> Labels =
    [
        new("prefix", "Title"), new("givenNames", "Given names"), new("familyName", "Family name"), new("suffix", "Suffix"), new("previousName", "Previous family name"),
        new("dateOfBirth", "Date of birth"), new("dateOfDeath", "Date of death"), new("gender", "Gender"), new("nhsNumber", "NHS number"), new("phone", "Telephone"), new("mobile", "Mobile"),
        new("email", "Email"), new("address.lines", "Address"), new("address.city", "Town or city"), new("address.county", "County"), new("address.state", "State"),
        new("address.postcode", "Postcode"), new("address.country", "Country"), new("maritalStatus", "Marital status"), new("ethnicity", "Ethnicity"), new("race", "Race"), new("birthPlace", "Place of birth"),
    ];

    private int Rows(string list, string part) => Enumerable.Range(0, MostRows).LastOrDefault(i => this[Row(list, i, part)].Length > 0, -1) + 1;

    private static string? Iso(DateOnly? date) => date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
