using System.Globalization;
using Chaperone.Clinic.Shell;

namespace Chaperone.Clinic.Tests.Shell;

public sealed class PatientTextTests
{
    [Theory]
    [InlineData("2026-11-21", "2026-11-21", "0d")]
    [InlineData("2026-10-25", "2026-11-21", "27d")]
    [InlineData("2026-10-24", "2026-11-21", "4w")]
    [InlineData("2026-01-01", "2026-11-21", "46w 2d")]
    [InlineData("2025-11-21", "2026-11-21", "12m")]
    [InlineData("2024-11-22", "2026-11-21", "23m")]
    [InlineData("2024-11-21", "2026-11-21", "2y")]
    [InlineData("2008-11-22", "2026-11-21", "17y 11m")]
    [InlineData("2008-11-21", "2026-11-21", "18y")]
    [InlineData("2004-02-29", "2026-02-28", "22y")]
    [InlineData("1987-03-04", "2026-11-21", "39y")]
    [InlineData("2026-11-22", "2026-11-21", "")]
    public void Age_is_written_as_the_nhs_writes_it(string born, string on, string expected) =>
        Assert.Equal(expected, PatientText.Age(DateOnly.Parse(born, CultureInfo.InvariantCulture), DateOnly.Parse(on, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("O'Keefe", "Damon", "Mr", "O'KEEFE, Damon (Mr)")]
    [InlineData("Müller", "Ada", null, "MÜLLER, Ada")]
    [InlineData("Plato", "", null, "PLATO")]
    [InlineData(null, "Ada", " ", "Ada")]
    public void Name_puts_the_surname_first(string? family, string? given, string? title, string expected) => Assert.Equal(expected, PatientText.Name(family, given, title));

    [Theory]
    [InlineData("9434765919", "943 476 5919")]
    [InlineData("943-476-5919", "943 476 5919")]
    [InlineData("12345", "12345")]
    public void NhsNumber_is_grouped_3_3_4(string number, string expected) => Assert.Equal(expected, PatientText.NhsNumber(number));

    [Fact]
    public void Date_names_the_month() => Assert.Equal("04-Mar-1987", PatientText.Date(new DateOnly(1987, 3, 4)));

    [Theory]
    [InlineData("Ada Okafor", "AO")]
    [InlineData("Ada", "A")]
    [InlineData("", "M")]
    [InlineData("𝒜da de la Cruz", "𝒜C")]
    public void Initials_stand_for_the_name(string name, string expected) => Assert.Equal(expected, new SignedInPerson(name, "me@example.org", []).Initials);
}
