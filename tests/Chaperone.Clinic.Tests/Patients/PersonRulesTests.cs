using System.Text.Json;
using Chaperone.Clinic.Patients;

namespace Chaperone.Clinic.Tests.Patients;

public sealed class PersonRulesTests
{
    private static readonly DateOnly Today = new(2026, 11, 21);
    private static readonly PersonDetails Ada = new() { GivenNames = "Ada", FamilyName = "Lovelace", DateOfBirth = new(1980, 2, 29), Gender = "female" };

    [Theory]
    [InlineData("9434765919", true)]
    [InlineData("4010232137", true)]
    [InlineData("943 476 5919", true)]
    [InlineData("943-476-5919", true)]
    [InlineData("9434765918", false)]    // wrong check digit
    [InlineData("4010232138", false)]
    [InlineData("1234567890", false)]
    [InlineData("0000000000", false)]    // adds up, yet nobody has it
    [InlineData("943476591", false)]
    [InlineData("94347659190", false)]
    [InlineData("943476591X", false)]
    [InlineData("'; DROP TABLE patient", false)]
    public void NHS_number_needs_ten_digits_and_its_check_digit(string number, bool valid) =>
        Assert.Equal(valid ? null : "nhsNumber", FaultOf(Ada with { NhsNumber = number }));

    [Fact]
    public void NHS_number_whose_check_would_be_ten_is_refused()
    {
        // 9 digits whose weighted sum leaves 1 have no check digit: every ending must be refused.
        var stem = Enumerable.Range(0, 1000).Select(n => $"400000{n:000}").First(digits => digits.Select((digit, i) => (digit - '0') * (10 - i)).Sum() % 11 == 1);
        Assert.All(Enumerable.Range(0, 10), digit => Assert.False(PersonRules.IsNhsNumber($"{stem}{digit}")));
    }

    [Theory]
    [InlineData("2026-11-21", null, null)]
    [InlineData("2026-11-22", null, "dateOfBirth")]
    [InlineData("1896-11-21", null, null)]
    [InlineData("1896-11-20", null, "dateOfBirth")]
    [InlineData("0001-01-01", null, "dateOfBirth")]
    [InlineData("9999-12-31", null, "dateOfBirth")]
    [InlineData("1980-02-29", "1980-02-29", null)]
    [InlineData("1980-02-29", "1980-02-28", "dateOfDeath")]
    [InlineData("1980-02-29", "2026-11-22", "dateOfDeath")]
    [InlineData(null, null, "dateOfBirth")]
    public void Dates_must_be_possible(string? born, string? died, string? fault) =>
        Assert.Equal(fault, FaultOf(Ada with { DateOfBirth = Date(born), DateOfDeath = Date(died) }));

    [Fact]
    public void Date_of_birth_may_be_missing_only_when_somebody_says_it_is_not_known() =>
        Assert.Null(FaultOf(Ada with { DateOfBirth = null, DateOfBirthUnknown = true }));

    [Theory]
    [InlineData("👩🏽‍🔬 Ada")]
    [InlineData("مُحَمَّد")]
    [InlineData("שָׂרָה")]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("Robert'); DROP TABLE clinic.patient;--")]
    [InlineData("=HYPERLINK(\"http://x\")")]
    [InlineData("Zoë Łukasz-O’Neill")]
    [InlineData("\u202Emirror")]
    [InlineData("李小龍")]
    public void Names_are_text_whatever_they_look_like(string name)
    {
        Assert.Null(FaultOf(Ada with { FamilyName = name, GivenNames = name, PreviousName = name }));
        var stored = JsonSerializer.Deserialize(JsonSerializer.Serialize((Ada with { FamilyName = name }).Tidied(), PersonDetails.Json), PersonDetails.Json)!;
        Assert.Equal(name.Trim(), stored.FamilyName);
    }

    public static TheoryData<string, PersonDetails> Faults => new()
    {
        { "familyName", Ada with { FamilyName = new string('x', 10_000) } },
        { "familyName", Ada with { FamilyName = "   " } },
        { "familyName", Ada with { FamilyName = "line\nbreak" } },
        { "familyName", Ada with { FamilyName = "nul\0" } },
        { "familyName", Ada with { FamilyName = "half \ud83d" } },
        { "givenNames", Ada with { GivenNames = new string('é', 201) } },
        { "givenNames", Ada with { GivenNames = "tab\tbed" } },
        { "previousName", Ada with { PreviousName = "para\u2029graph" } },
        { "prefix", Ada with { Prefix = new string('x', 51) } },
        { "gender", Ada with { Gender = "F" } },
        { "maritalStatus", Ada with { MaritalStatus = "it is complicated" } },
        { "email", Ada with { Email = "ada" } },
        { "email", Ada with { Email = "ada@localhost" } },
        { "email", Ada with { Email = "a da@example.org" } },
        { "email", Ada with { Email = "a@b@example.org" } },
        { "email", Ada with { Email = "ada@example..org" } },
        { "email", Ada with { Email = "ada@" + new string('x', 300) + ".org" } },
        { "phone", Ada with { Phone = "ring the bell" } },
        { "phone", Ada with { Phone = "1234" } },
        { "mobile", Ada with { Mobile = new string('1', 41) } },
        { "address.postcode", Ada with { Address = new() { Postcode = new string('x', 21) } } },
        { "address.lines", Ada with { Address = new() { Lines = ["1", "2", "3", "4", "5", "6"] } } },
        { "address.lines", Ada with { Address = new() { Lines = [new string('x', 201)] } } },
        { "identifiers.0.type", Ada with { Identifiers = [new("library card", "1")] } },
        { "identifiers.1.value", Ada with { Identifiers = [new("passport", "1"), new("passport", new string('x', 101))] } },
        { "other", Ada with { Other = new Dictionary<string, string> { ["INCOME"] = new('x', 2001) } } },
        { "dateOfBirth", Ada with { DateOfBirth = null, Unreadable = ["dateOfBirth"] } },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Fault_is_named_by_its_field_and_its_sentence_quotes_nothing(string field, PersonDetails details)
    {
        var error = details.Tidied().Validate(Today);

        Assert.NotNull(error);
        Assert.Equal(("CHP-PATIENT-0001", 422), (error.Code, error.Status));
        Assert.Equal(field, Assert.Single(error.Fields).Key);
        Assert.InRange(error.Fields[field].Length, 10, 160);
        Assert.DoesNotContain("complicated", error.Fields[field], StringComparison.Ordinal);
        Assert.DoesNotContain("library", error.Fields[field], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_is_told_at_once()
    {
        var error = (Ada with { FamilyName = "", Gender = "x", NhsNumber = "1", Email = "x" }).Tidied().Validate(Today);
        Assert.Equal(["email", "familyName", "gender", "nhsNumber"], error!.Fields.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Tidied_removes_empty_texts_and_repeated_identifiers()
    {
        var tidy = (Ada with { Prefix = " ", Phone = "", Email = " ada@example.org ", Address = new() { Lines = ["", " "] }, Identifiers = [new("passport", " 1 "), new("passport", "1"), new("ssn", "")] }).Tidied();
        Assert.Equal((null, null, "ada@example.org", null), (tidy.Prefix, tidy.Phone, tidy.Email, tidy.Address));
        Assert.Equal([new("passport", "1")], tidy.Identifiers);
    }

    [Fact]
    public void Payload_of_an_older_shape_opens_with_what_it_lacks_left_empty()
    {
        var old = JsonSerializer.Deserialize("""{"schema":1,"familyName":"Lovelace","someday":"more"}"""u8, PersonDetails.Json)!;
        Assert.Equal(("Lovelace", "unknown"), (old.FamilyName, old.Gender));
        Assert.Empty(old.Identifiers);
        Assert.Empty(old.Other);
        Assert.Empty(old.ExternalIds);
    }

    [Theory]
    [InlineData("1980-02-29")]
    [InlineData("1980/2/29")]
    [InlineData("29/02/1980")]
    [InlineData("29.2.1980")]
    [InlineData("29 02 1980")]
    [InlineData("29 Feb 1980")]
    [InlineData("29-Feb-1980")]
    [InlineData("29 february, 1980")]
    [InlineData("29th Feb 1980")]
    [InlineData("February 29, 1980")]
    [InlineData("  29/02/1980 ")]
    public void Date_is_read_as_people_write_it(string text) => Assert.Equal(new DateOnly(1980, 2, 29), DateText.Parse(text));

    [Theory]
    [InlineData("30/02/1980")]
    [InlineData("29/02/1981")]
    [InlineData("02/29/1980")]
    [InlineData("29/02/80")]
    [InlineData("1980")]
    [InlineData("29 Foo 1980")]
    [InlineData("29/02/1980 or so")]
    [InlineData("0000-01-01")]
    [InlineData("")]
    public void Text_that_is_no_date_is_none(string text) => Assert.Null(DateText.Parse(text));

    [Theory]
    [InlineData("ann smith", "ann smith", null, null, null)]
    [InlineData("smith 29/02/80", "smith", "1980-02-29", null, null)]
    [InlineData("29 Feb 1980", "", "1980-02-29", null, null)]
    [InlineData("smith 943 476 5919", "smith", null, "9434765919", null)]
    [InlineData("+44 20 7946 0000", "", null, null, "442079460000")]
    [InlineData("(020) 7946-0000 o'brien", "o'brien", null, null, "442079460000")]
    [InlineData("Maynard46 Mosciski958", "Maynard46 Mosciski958", null, null, null)]
    [InlineData("*** ???", "", null, null, null)]
    public void Find_text_is_taken_apart(string typed, string names, string? born, string? nhs, string? phone)
    {
        var text = FindText.Parse(typed, Today);
        Assert.Equal(names, text.Names);
        Assert.Equal(born is null ? [] : new[] { DateOnly.Parse(born) }, text.Births);
        Assert.Equal(nhs, text.NhsNumber);
        if (phone is not null) Assert.Equal(phone, Chaperone.Encryption.Normaliser.Phone(text.Number!));
        Assert.Equal(names.Length == 0 && born is null && nhs is null && phone is null, text.IsEmpty);
    }

    private static DateOnly? Date(string? text) => text is null ? null : DateOnly.Parse(text);

    private static string? FaultOf(PersonDetails details) => details.Tidied().Validate(Today) is { } error ? Assert.Single(error.Fields).Key : null;
}
