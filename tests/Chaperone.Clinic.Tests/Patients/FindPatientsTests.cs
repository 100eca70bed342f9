using System.Text;
using Chaperone.Clinic.Patients;
using Chaperone.Ledger;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Tests.Patients;

public sealed class FindPatientsTests : PatientsWorld
{
    [Fact]
    public async Task One_box_finds_by_every_kind_and_by_their_combinations()
    {
        await Register(Person("Zoë Marie", "O'Brien-Smith") with { NhsNumber = "9434765919", Phone = "020 7946 0000", Mobile = "07700 900123", Email = "Zoe@Example.org", PreviousName = "Łukasz" });
        await Register(Person("Christina", "Christopher", "1990-01-01"));
        await Register(Person("Ann", "Li", "1990-12-31"));
        await Register(Person("محمد", "عبد الله", "1970-07-07"));
        await Register(Person("<b>Bold</b>", "'; DROP TABLE clinic.patient;--", "1971-01-01"));

        var found = new Dictionary<string, string>
        {
            ["obrien"] = "O'Brien-Smith", ["o'brien"] = "O'Brien-Smith", ["O’BRIEN"] = "O'Brien-Smith", ["brien"] = "O'Brien-Smith", ["smith"] = "O'Brien-Smith",
            ["obriensm"] = "O'Brien-Smith", ["zoe"] = "O'Brien-Smith", ["ZOË"] = "O'Brien-Smith", ["smi zo"] = "O'Brien-Smith", ["mar obr"] = "O'Brien-Smith", ["lukasz"] = "O'Brien-Smith",
            ["1980-02-29"] = "O'Brien-Smith", ["29/02/1980"] = "O'Brien-Smith", ["29 Feb 1980"] = "O'Brien-Smith", ["29-Feb-1980"] = "O'Brien-Smith", ["29/02/80"] = "O'Brien-Smith",
            ["943 476 5919"] = "O'Brien-Smith", ["9434765919"] = "O'Brien-Smith", ["+442079460000"] = "O'Brien-Smith", ["07700900123"] = "O'Brien-Smith", ["zoe@example.org"] = "O'Brien-Smith",
            ["zoe 29/02/1980"] = "O'Brien-Smith", ["smith 943 476 5919"] = "O'Brien-Smith", ["29 feb 1980 smith 020 7946 0000"] = "O'Brien-Smith",
            ["christopher"] = "Christopher", ["christoph"] = "Christopher", ["chr"] = "Christopher", ["christi"] = "Christopher", ["li"] = "Li", ["ann li"] = "Li", ["an li 31.12.1990"] = "Li",
            ["محمد"] = "عبد الله", ["bold"] = "'; DROP TABLE clinic.patient;--", ["drop table"] = "'; DROP TABLE clinic.patient;--",
        };
        foreach (var (typed, family) in found)
        {
            var patients = (await Run(new FindPatients(typed))).Patients;
            Assert.True(patients.Count == 1 && patients[0].Details.FamilyName == family, $"'{typed}' found {string.Join(", ", patients.Select(patient => patient.Details.FamilyName))}, not {family}");
        }
        foreach (var typed in new[] { "smith ann", "zoe 01/03/1980", "christophers", "lin", "943 476 5918", "07700900124", "brown", "zoe@example.com", "' OR 1=1 --", "%", "smith 9434765919 ann" })
            Assert.True((await Try(new FindPatients(typed))) is { Error: not null } or { Value.Patients.Count: 0 }, typed);
        foreach (var typed in new[] { "", "  ", "***", "😀", new string('x', 201) })
            Assert.Equal("CHP-PATIENT-0007", (await Refused(new FindPatients(typed))).Code);
    }

    [Fact]
    public async Task Event_counts_hits_names_fields_and_people_and_never_the_words()
    {
        var ada = await Register(Person("Ada", "Lovelace"));
        await Register(Person("Ada", "Lovell", "1981-01-01"));   // proposed by the index, not what was meant

        await Run(new FindPatients("lovelac 29/02/1980"));

        var searched = await LastEvent();
        Assert.Equal(("patient.searched", EventOutcome.Success, 1L), (searched.Action, searched.Outcome, searched.Hits));
        Assert.Equal(["name", "dateOfBirth"], searched.Fields);
        Assert.Equal([ada.Id], searched.Subjects);
        Assert.DoesNotContain("lovelac", Encoding.UTF8.GetString(EventJson.Write(searched)), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("1980", Encoding.UTF8.GetString(EventJson.Write(searched)), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Whole_words_come_before_beginnings_and_results_are_ordered_by_name()
    {
        await Register(Person("Bea", "Christopher"));
        await Register(Person("Ada", "Christopher", "1970-01-01"));
        await Register(Person("Cleo", "Christophers", "1970-01-02"));

        Assert.Equal(["Ada", "Bea", "Cleo"], (await Run(new FindPatients("christopher"))).Patients.Select(patient => patient.Details.GivenNames));
    }

    [Fact]
    public async Task At_most_200_are_shown_and_more_is_said()
    {
        await Run(new BulkRegister([.. Enumerable.Range(0, 230).Select(i => Person("Twin" + i, "Smithson"))]));

        var found = await Run(new FindPatients("smithson"));

        Assert.Equal((200, true), (found.Patients.Count, found.More));
        Assert.Equal(200, (await LastEvent()).Subjects.Count);
        Assert.False((await Run(new FindPatients("twin77 smithson"))).More);
    }

    [Fact]
    public async Task Added_in_bulk_they_are_found_alike_and_external_ids_are_known()
    {
        await Run(new BulkRegister([Person("Ada", "Lovelace") with { ExternalIds = [new("synthea", "a-1")] }, Person("Grace", "Hopper") with { ExternalIds = [new("synthea", "a-2")], NhsNumber = "9434765919" }]));

        Assert.Equal("Ada", Assert.Single((await Run(new FindPatients("lovelace"))).Patients).Details.GivenNames);
        Assert.Equal(["a-1", "a-2"], (await Run(new KnownExternal(["a-1", "a-2", "a-3"]))).Order(StringComparer.Ordinal));
        Assert.Equal("CHP-PATIENT-0003", (await Refused(new BulkRegister([Person("X", "Y") with { NhsNumber = "9434765919" }]))).Code);
        Assert.Equal("CHP-PATIENT-0002", (await Refused(new RegisterPatient(Person("Ada", "Lovelace")))).Code);
    }
}
