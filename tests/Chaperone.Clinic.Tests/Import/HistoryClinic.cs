using System.Globalization;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Notices;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Team;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>A clinic in London whose owner brings its history in, with a doctor, Wilma Quist, who works there now.</summary>
internal sealed class HistoryClinic : IAsyncDisposable
{
    public const string Providers = """
        Id,ORGANIZATION,NAME,GENDER,SPECIALITY,ADDRESS,CITY,STATE,ZIP,LAT,LON,UTILIZATION
        pr-1,o-1,Avelina884 O'Testson698,F,GENERAL PRACTICE,1 Invented Way,NOWHERE,MA,02703,41.9,-71.2,46
        pr-2,o-1,Bó493 Noriegaword353,M,NURSE PRACTITIONER,1 Invented Way,NOWHERE,MA,02703,41.9,-71.2,5
        pr-3,o-2,Cleo <b>308</b> Bold549,M,PHYSICIAN ASSISTANT,1 Invented Way,NOWHERE,MA,02703,41.9,-71.2,5

        """;

    public const string Encounters = """
        Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION,BASE_ENCOUNTER_COST,TOTAL_CLAIM_COST,PAYER_COVERAGE,REASONCODE,REASONDESCRIPTION
        en-1,2023-01-27T16:17:47Z,2023-01-27T16:32:47Z,0b2f8a2e-0000-4000-8000-000000000001,o-1,pr-1,p-1,ambulatory,185345009,Encounter for symptom,77.49,3798.09,0.00,195662009,Pharyngitisword
        en-2,2023-06-30T23:30:00Z,2023-06-30T23:45:00Z,0b2f8a2e-0000-4000-8000-000000000002,o-1,pr-2,p-1,wellness,410620009,Well child visit,129.16,1005.08,0.00,,
        en-3,2014-09-08T14:03:55Z,2014-09-12T09:51:25Z,0b2f8a2e-0000-4000-8000-000000000001,o-1,pr-1,p-1,inpatient,185347001,Drug rehabilitationword,77.49,77.49,16.62,,
        en-4,2023-01-27T16:20:00Z,2023-01-27T16:50:00Z,0b2f8a2e-0000-4000-8000-000000000002,o-1,pr-1,p-1,emergency,185347001,Cardiac Arrestword,77.49,77.49,16.62,,
        en-5,2023-01-27T16:17:47Z,2023-01-27T16:32:47Z,nobody-1,o-1,pr-1,p-1,ambulatory,185345009,Encounter for symptom,77.49,3798.09,0.00,,
        en-6,2023-01-27T16:17:47Z,2023-01-27T16:32:47Z,0b2f8a2e-0000-4000-8000-000000000001,o-1,nobody-2,p-1,ambulatory,185345009,Encounter for symptom,77.49,3798.09,0.00,,

        """;

    /// <summary>The columns of a file of the clinic's own, as <see cref="Mapping"/> maps them.</summary>
    public const string Header = "Ref,Patient,NHS,With,Mail,Date,Time,Until,Mins,Kind,State,Why,Remark\n";

    private HistoryClinic(TestPlatform platform, Tenant clinic) => (Platform, Clinic, Owner) = (platform, clinic, platform.As(clinic, BuiltInRole.Owner));

    public TestPlatform Platform { get; }

    public Tenant Clinic { get; }

    public Caller Owner { get; }

    public static ColumnMapping Mapping { get; } = new()
    {
        Kind = "appointments",
        Source = "old",
        DateFormat = "dmy",
        Columns = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Ref"] = "external_id", ["Patient"] = "patient_external_id", ["NHS"] = "patient_nhs_number", ["With"] = "practitioner_name", ["Mail"] = "practitioner_email", ["Date"] = "date", ["Time"] = "time",
            ["Until"] = "end_time", ["Mins"] = "minutes", ["Kind"] = "type", ["State"] = "status", ["Why"] = "reason", ["Remark"] = "note",
        },
    };

    public static async Task<HistoryClinic> OpenAsync()
    {
        var platform = await TestPlatform.CreateAsync(
            services =>
            {
                services.AddDataProtection();
                services.AddSignIn();
                services.AddMail();
                services.AddSingleton(new Passwords(1000));
                services.AddPatients();
                services.AddSchedule();
                services.AddNotices();
            },
            typeof(ScheduleFeature).Assembly);
        return await new HistoryClinic(platform, await platform.AddClinicAsync("history.localhost")).WithWilmaAsync();
    }

    public Guid Wilma { get; private set; }

    /// <summary>The same installation, another clinic.</summary>
    public async Task<HistoryClinic> NextDoorAsync(string host) => await new HistoryClinic(Platform, await Platform.AddClinicAsync(host)).WithWilmaAsync();

    public Task<Result<T>> Try<T>(IOperation<T> operation, Caller? caller = null) => Platform.Monitor.Run(operation, caller ?? Owner, CancellationToken.None);

    public async Task<T> Run<T>(IOperation<T> operation, Caller? caller = null)
    {
        var result = await Try(operation, caller);
        Assert.True(result.Succeeded, $"{operation.GetType().Name}: {result.Error?.Code} {string.Join(", ", result.Error?.Fields.Values ?? [])} {string.Join(Environment.NewLine, Platform.Logs.Lines.TakeLast(3))}");
        return result.Value;
    }

    public Task<ImportState> Upload(string text, string? kind = null, Caller? caller = null) => Run(new UploadFile("history.csv", new MemoryStream(new System.Text.UTF8Encoding(false).GetBytes(text)), kind), caller);

    /// <summary>Uploads, maps if asked, starts and carries through.</summary>
    public async Task<ImportReport> Import(string text, ColumnMapping? mapping = null)
    {
        var id = (await Upload(text)).Id;
        if (mapping is not null) await Run(new MapImport(id, mapping));
        await Run(new PreviewImport(id));
        await Run(new StartImport(id));
        await NewRunner().RunClinicAsync(Clinic, CancellationToken.None);
        return await Run(new ViewImport(id, 0, 10_000));
    }

    /// <summary>One row of a file of the clinic's own.</summary>
    public Task<ImportReport> ImportRow(string row) => Import(Header + row + "\n", Mapping);

    /// <summary>Three patients: old ids p-1 (with an NHS number), p-2, and p-3, who has died.</summary>
    public async Task WithPatientsAsync() => await Import(
        "id,name,given,born,nhs,died\np-1,Oldhandword,Ada,1950-02-03,9434765919,\np-2,Newcomer,Bert,1990-04-05,,\np-3,Late,Cora,1930-04-05,,2020-01-01\n",
        new ColumnMapping { Source = "old", Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["id"] = "external_id", ["name"] = "family_name", ["given"] = "given_names", ["born"] = "date_of_birth", ["nhs"] = "nhs_number", ["died"] = "date_of_death" } });

    public ImportRunner NewRunner() => ActivatorUtilities.CreateInstance<ImportRunner>(Platform.Services);

    public async Task<long> CountAsync(string table, string where = "true") => (long)(await Platform.Database.ExecuteAsync($"SELECT count(*) FROM clinic.{table} WHERE tenant_id = '{Clinic.Id}' AND {where}"))!;

    public Task<IReadOnlyList<LedgerEvent>> Events() => Platform.EventsAsync(Clinic);

    public Task<IReadOnlyList<MemberView>> PastAsync() => Run(new ListMembers(State: MemberStates.Past));

    public Task<IReadOnlyList<Appointment>> DayAsync(string day) => Run(new ListAppointments(day));

    public static string Clock(DateTimeOffset time) => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>The file that Synthea itself wrote, where it lies beside the repository.</summary>
    public static string? Reference(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "shared/data/synthea", name) is var path && File.Exists(path)) return File.ReadAllText(path);
        return null;
    }

    public ValueTask DisposeAsync() => Platform.DisposeAsync();

    private async Task<HistoryClinic> WithWilmaAsync()
    {
        Wilma = await Run(new CreateMember("Dr Wilma Quist", $"wilma@{Clinic.Host}", [BuiltInRole.Doctor]), new(Clinic, Actor.Operator, new("cli", "test")));
        return this;
    }
}
