using System.Text;
using Chaperone.Clinic.Patients;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Patients;

public sealed class PatientOperationsTests : PatientsWorld
{
    [Fact]
    public async Task Register_stores_sealed_and_leaves_an_event_that_names_the_patient_and_no_words()
    {
        var patient = await Register(Person("Ada", "Lovelace") with { NhsNumber = "943 476 5919", Phone = "020 7946 0000" });

        var created = await LastEvent();
        Assert.Equal(("patient.created", EventOutcome.Success, "role:doctor/patient.edit"), (created.Action, created.Outcome, created.Decision));
        Assert.Equal(new EventEntity("patient", patient.Id), created.Entity);
        Assert.Equal([patient.Id], created.Subjects);
        Assert.Equal(("clinic.patient", patient.Id, 1L), Assert.Single(created.Records) is var record ? (record.Type, record.Id, record.Version) : default);
        Assert.DoesNotContain("Lovelace", Encoding.UTF8.GetString(EventJson.Write(created)), StringComparison.Ordinal);

        var seen = await Run(new ViewPatient(patient.Id));
        Assert.Equal(("Ada", "Lovelace", "9434765919", 1L, "active"), (seen.Details.GivenNames, seen.Details.FamilyName, seen.Details.NhsNumber, seen.Version, seen.Status));
        var viewed = await LastEvent();
        Assert.Equal(("patient.viewed", new EventEntity("patient", patient.Id)), (viewed.Action, viewed.Entity));
        Assert.Equal([patient.Id], viewed.Subjects);
    }

    [Fact]
    public async Task Register_refuses_faults_stores_nothing_and_logs_the_failure()
    {
        var error = await Refused(new RegisterPatient(Person("Ada", new string('x', 10_000))));

        Assert.Equal(("CHP-PATIENT-0001", 422), (error.Code, error.Status));
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.patient"));
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.blind_index"));
        Assert.Equal(("patient.created", EventOutcome.Failure, "CHP-PATIENT-0001"), await LastEvent() is var failed ? (failed.Action, failed.Outcome, failed.Reason) : default);
    }

    [Fact]
    public async Task Likely_duplicate_is_told_with_its_id_shown_in_the_event_and_registered_once_confirmed()
    {
        var first = await Register(Person("Zoë Anne", "O'Brien-Smith"));

        var error = await Refused(new RegisterPatient(Person("ZOE", "obrien smith".Replace(" ", "-", StringComparison.Ordinal))));

        Assert.Equal(("CHP-PATIENT-0002", 409), (error.Code, error.Status));
        Assert.Equal([first.Id], Assert.IsType<Guid[]>(error.Facts["twins"]));
        Assert.Equal([first.Id], (await LastEvent()).Subjects);
        var second = await Run(new RegisterPatient(Person("Zoe", "OBrien-Smith"), ConfirmedNotDuplicate: true));
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task Likely_duplicate_is_found_by_the_name_before_and_not_by_another_birthday()
    {
        var first = await Register(Person("Ada", "King") with { PreviousName = "Byron" });

        Assert.Equal([first.Id], (Guid[])(await Refused(new RegisterPatient(Person("Ada", "Byron")))).Facts["twins"]);
        await Register(Person("Ada", "Byron", "1981-02-28"));
        await Register(Person("Ada", "Byron") with { DateOfBirth = null, DateOfBirthUnknown = true });
    }

    [Fact]
    public async Task NHS_number_belongs_to_one_patient_even_when_confirmed_or_archived()
    {
        var first = await Register(Person("Ada", "Lovelace") with { NhsNumber = "9434765919" });
        await Run(new ArchivePatient(first.Id, "duplicate", null, 1));

        var error = await Refused(new RegisterPatient(Person("Grace", "Hopper", "1906-12-09") with { NhsNumber = "943-476-5919" }, ConfirmedNotDuplicate: true));

        Assert.Equal(("CHP-PATIENT-0003", 409), (error.Code, error.Status));
        Assert.Equal([first.Id], (Guid[])error.Facts["twins"]);
        await Register(Person("Grace", "Hopper", "1906-12-09") with { NhsNumber = "9434765919" }, Platform.As(OtherClinic, BuiltInRole.Doctor));
    }

    [Fact]
    public async Task Two_at_once_with_one_NHS_number_give_one_patient()
    {
        var both = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Try(new RegisterPatient(Person("Ada", "Lovelace" + i) with { NhsNumber = "9434765919" }))));

        Assert.Single(both, result => result.Succeeded);
        Assert.All(both.Where(result => !result.Succeeded), result => Assert.Equal("CHP-PATIENT-0003", result.Error!.Code));
        Assert.Equal(1L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.patient"));
    }

    [Fact]
    public async Task Another_clinics_patient_is_not_there_for_any_operation_and_each_try_is_logged()
    {
        var patient = await Register(Person("Ada", "Lovelace"));
        var stranger = Platform.As(OtherClinic, BuiltInRole.Doctor);

        Assert.Equal(404, (await Refused(new ViewPatient(patient.Id), stranger)).Status);
        Assert.Equal(404, (await Refused(new ChangePatient(patient.Id, Person("X", "Y"), 1), stranger)).Status);
        Assert.Equal(404, (await Refused(new ArchivePatient(patient.Id, "duplicate", null, 1), stranger)).Status);
        Assert.Equal(404, (await Refused(new RestorePatient(patient.Id), stranger)).Status);
        Assert.Empty((await Run(new FindPatients("lovelace"), stranger)).Patients);
        Assert.Empty((await Run(new ListPatients(), stranger)).Items);

        var tries = (await Platform.EventsAsync(OtherClinic)).Where(tried => tried.Outcome == EventOutcome.Denied).ToArray();
        Assert.Equal(["patient.viewed", "patient.updated", "patient.archived", "patient.restored"], tries.Select(tried => tried.Action));
        Assert.All(tries, tried => Assert.Equal((new EventEntity("patient", patient.Id), "relation:none"), (tried.Entity, tried.Decision)));
        Assert.All(tries, tried => Assert.Empty(tried.Subjects));
    }

    [Fact]
    public async Task Change_names_the_fields_keeps_external_ids_and_refuses_a_stale_version()
    {
        var patient = await Register(Person("Ada", "Lovelace") with { ExternalIds = [new("synthea", "abc")], Other = new Dictionary<string, string> { ["LAT"] = "1" } });

        var changed = await Run(new ChangePatient(patient.Id, Person("Ada", "King") with { Phone = "020 7946 0000" }, 1));

        Assert.Equal((2L, "King"), (changed.Version, changed.Details.FamilyName));
        Assert.Equal([new("synthea", "abc")], changed.Details.ExternalIds);
        var updated = await LastEvent();
        Assert.Equal("patient.updated", updated.Action);
        Assert.Equal([new("familyName", "changed"), new("other", "changed"), new("phone", "set")], updated.Changes.OrderBy(change => change.Field, StringComparer.Ordinal));
        Assert.Equal(428, (await Refused(new ChangePatient(patient.Id, Person("A", "B"), null))).Status);
        Assert.Equal(412, (await Refused(new ChangePatient(patient.Id, Person("A", "B"), 1))).Status);
        Assert.Equal("King", (await Run(new ViewPatient(patient.Id))).Details.FamilyName);
    }

    [Fact]
    public async Task Change_moves_the_tokens_and_the_warning_asks_only_when_the_person_changes()
    {
        var other = await Register(Person("Grace", "Hopper"));
        var patient = await Run(new RegisterPatient(Person("Grace", "Murray")));

        Assert.Equal([other.Id], (Guid[])(await Refused(new ChangePatient(patient.Id, Person("Grace", "Hopper"), 1))).Facts["twins"]);
        await Run(new ChangePatient(patient.Id, Person("Grace", "Hopper") with { NhsNumber = "9434765919" }, 1, ConfirmedNotDuplicate: true));
        await Run(new ChangePatient(patient.Id, Person("Grace", "Hopper") with { NhsNumber = "9434765919", Email = "grace@example.org" }, 2));

        Assert.Empty((await Run(new FindPatients("murray"))).Patients);
        Assert.Equal(patient.Id, Assert.Single((await Run(new FindPatients("9434765919"))).Patients).Id);
        Assert.Equal("CHP-PATIENT-0003", (await Refused(new ChangePatient(other.Id, Person("Grace", "Hopper") with { NhsNumber = "9434765919" }, 1, true))).Code);
        await Run(new ChangePatient(patient.Id, Person("Grace", "Hopper"), 3));
        await Run(new ChangePatient(other.Id, Person("Grace", "Hopper") with { NhsNumber = "9434765919" }, 1, true));
    }

    [Fact]
    public async Task Archive_needs_a_reason_stays_viewable_and_is_undone()
    {
        var patient = await Register(Person("Ada", "Lovelace"));
        Assert.Equal(422, (await Refused(new ArchivePatient(patient.Id, null, null, 1))).Status);
        Assert.Equal(422, (await Refused(new ArchivePatient(patient.Id, "because", null, 1))).Status);
        Assert.Equal("note", Assert.Single((await Refused(new ArchivePatient(patient.Id, "other", " ", 1))).Fields).Key);
        Assert.Equal(428, (await Refused(new ArchivePatient(patient.Id, "other", "x", null))).Status);
        Assert.Equal(412, (await Refused(new ArchivePatient(patient.Id, "other", "x", 7))).Status);

        await Run(new ArchivePatient(patient.Id, "other", "Moved to Mars", 1));

        var archived = await LastEvent();
        Assert.Equal(("patient.archived", "other"), (archived.Action, archived.Reason));
        Assert.Contains(new FieldChange("status", null, "active", "archived"), archived.Changes);
        Assert.DoesNotContain("Mars", Encoding.UTF8.GetString(EventJson.Write(archived)), StringComparison.Ordinal);
        var seen = await Run(new ViewPatient(patient.Id));
        Assert.Equal((true, new Archiving("other", "Moved to Mars"), 2L), (seen.IsArchived, seen.Details.Archiving, seen.Version));
        Assert.Equal("CHP-PATIENT-0004", (await Refused(new ChangePatient(patient.Id, Person("A", "B"), 2))).Code);
        Assert.Empty((await Run(new ListPatients())).Items);
        Assert.Single((await Run(new ListPatients("archived"))).Items);
        Assert.True(Assert.Single((await Run(new FindPatients("lovelace"))).Patients).IsArchived);

        var restored = await Run(new RestorePatient(patient.Id));

        Assert.Equal(("active", null, 3L), (restored.Status, restored.Details.Archiving, restored.Version));
        Assert.Equal("patient.restored", (await LastEvent()).Action);
        Assert.Equal("CHP-PATIENT-0005", (await Refused(new RestorePatient(patient.Id))).Code);
    }

    [Fact]
    public async Task Patients_own_account_sees_their_own_record_and_nobody_elses()
    {
        var own = await Register(Person("Ada", "Lovelace"));
        var other = await Register(Person("Ada", "Byron"));
        var account = Platform.As(Clinic, BuiltInRole.Patient, own.Id);

        Assert.Equal(own.Id, (await Run(new ViewPatient(own.Id), account)).Id);
        Assert.Equal(404, (await Refused(new ViewPatient(other.Id), account)).Status);
        Assert.Equal([own.Id], (await Run(new ListPatients(), account)).Items.Select(patient => patient.Id));
        Assert.Equal([own.Id], (await Run(new FindPatients("ada"), account)).Patients.Select(patient => patient.Id));
        Assert.Equal([own.Id], (await LastEvent()).Subjects);
        Assert.Equal(403, (await Refused(new ChangePatient(own.Id, Person("A", "B"), 1), account)).Status);
    }

    [Fact]
    public async Task Roles_do_what_they_hold_and_nothing_else()
    {
        var patient = await Register(Person("Ada", "Lovelace"));
        foreach (var role in BuiltInRole.All)
        {
            var caller = Platform.As(Clinic, role);
            var clinicWide = role.Rights.Where(right => right.Needs <= Relation.SameClinic).Select(right => right.Permission).ToHashSet();
            Assert.Equal((role, clinicWide.Contains(Permission.PatientView)), (role, (await Try(new ViewPatient(patient.Id), caller)).Succeeded));
            Assert.Equal((role, clinicWide.Contains(Permission.PatientViewMasked)), (role, (await Try(new ViewPatientMasked(patient.Id), caller)).Succeeded));
            Assert.Equal((role, clinicWide.Contains(Permission.PatientEdit) ? 428 : 400), (role, (await Refused(new ChangePatient(patient.Id, Person("A", "B"), null), caller)).Status is 403 or 404 ? 400 : 428));
            Assert.Equal((role, clinicWide.Contains(Permission.PatientDelete) ? 428 : 400), (role, (await Refused(new ArchivePatient(patient.Id, "other", "x", null), caller)).Status is 403 or 404 ? 400 : 428));
            if (!clinicWide.Contains(Permission.PatientView) && role != BuiltInRole.Clinical && role != BuiltInRole.Patient)
                Assert.Equal((role, 403), (role, (await Refused(new FindPatients("ada"), caller)).Status));
            else Assert.Equal((role, clinicWide.Contains(Permission.PatientView) ? 1 : 0), (role, (await Run(new FindPatients("ada"), caller)).Patients.Count));
        }
    }

    [Fact]
    public async Task Masked_view_has_initials_and_year_only()
    {
        var patient = await Register(Person("Ada", "Lovelace") with { NhsNumber = "9434765919", Phone = "020 7946 0000", Email = "ada@example.org", Address = new() { Postcode = "SW1A 1AA" } });
        var reviewer = Platform.As(Clinic, BuiltInRole.ReadOnly);

        var seen = await Run(new ViewPatientMasked(patient.Id), reviewer);

        Assert.True(seen.Masked);
        Assert.Equal(new PersonDetails { GivenNames = "A.", FamilyName = "L.", DateOfBirth = new(1980, 1, 1), Gender = "female" }.ToString(), seen.Details.ToString());
        Assert.Equal("L.", Assert.Single((await Run(new ListPatientsMasked(), reviewer)).Items).Details.FamilyName);
        Assert.Equal([patient.Id], (await LastEvent()).Subjects);
    }

    [Fact]
    public async Task List_pages_newest_first_and_its_event_names_who_was_shown()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++) ids.Add((await Register(Person("P" + i, "Person"))).Id);

        var first = await Run(new ListPatients(Limit: 2));
        var second = await Run(new ListPatients(Limit: 2, Cursor: first.Next));
        var third = await Run(new ListPatients(Limit: 2, Cursor: second.Next));

        Assert.Equal(ids.AsEnumerable().Reverse(), first.Items.Concat(second.Items).Concat(third.Items).Select(patient => patient.Id));
        Assert.Null(third.Next);
        Assert.Equal([ids[0]], (await LastEvent()).Subjects);
        Assert.Equal("patient.listed", (await LastEvent()).Action);
        Assert.Equal(422, (await Refused(new ListPatients(Cursor: "' OR 1=1"))).Status);
        Assert.Equal(422, (await Refused(new ListPatients(Limit: 0))).Status);
        Assert.Equal(422, (await Refused(new ListPatients("gone"))).Status);
    }
}
