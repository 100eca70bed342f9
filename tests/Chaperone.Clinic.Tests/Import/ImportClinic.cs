using System.Text;
using Chaperone.Clinic.Notices;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Patients.Export;
using Chaperone.Clinic.Imports;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>A clinic into which files are imported by its receptionist.</summary>
internal sealed class ImportClinic : IAsyncDisposable
{
    public const string SyntheaHeader =
        "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE";

    private ImportClinic(TestPlatform platform, Tenant clinic) => (Platform, Clinic, Caller) = (platform, clinic, platform.As(clinic, BuiltInRole.Reception));

    public TestPlatform Platform { get; }

    public Tenant Clinic { get; }

    public Caller Caller { get; }

    public static async Task<ImportClinic> OpenAsync()
    {
        var platform = await TestPlatform.CreateAsync(services => services.AddPatients().AddNotices(), typeof(PatientsFeature).Assembly);
        return new(platform, await platform.AddClinicAsync("import.localhost"));
    }

    /// <summary>The same installation, another clinic.</summary>
    public async Task<ImportClinic> NextDoorAsync(string host) => new(Platform, await Platform.AddClinicAsync(host));

    public Task<Result<T>> Run<T>(IOperation<T> operation, Caller? caller = null) => Platform.Monitor.Run(operation, caller ?? Caller, CancellationToken.None);

    public Task<Result<ImportState>> Upload(string text, Encoding? encoding = null, string name = "patients.csv") => Upload((encoding ?? new UTF8Encoding(false)).GetBytes(text), name);

    public Task<Result<ImportState>> Upload(byte[] bytes, string name = "patients.csv") => Run(new UploadFile(name, new MemoryStream(bytes)));

    /// <summary>Uploads, maps if asked, starts and carries through.</summary>
    public async Task<ImportReport> Import(string text, ColumnMapping? mapping = null) => await Import(new UTF8Encoding(false).GetBytes(text), mapping);

    public async Task<ImportReport> Import(byte[] bytes, ColumnMapping? mapping = null)
    {
        var uploaded = await Upload(bytes);
        Assert.Null(uploaded.Error);
        if (mapping is not null) Assert.Null((await Run(new MapImport(uploaded.Value.Id, mapping))).Error);
        Assert.Null((await Run(new StartImport(uploaded.Value.Id))).Error);
        await NewRunner().RunClinicAsync(Clinic, CancellationToken.None);
        var report = await Run(new ViewImport(uploaded.Value.Id, 0, 10_000));
        Assert.Null(report.Error);
        return report.Value;
    }

    /// <summary>A job runner as a process that has just started has it.</summary>
    public ImportRunner NewRunner() => ActivatorUtilities.CreateInstance<ImportRunner>(Platform.Services);

    public async Task<long> CountAsync(string table) => (long)(await Platform.Database.ExecuteAsync($"SELECT count(*) FROM clinic.{table} WHERE tenant_id = '{Clinic.Id}'"))!;

    public Task<IReadOnlyList<LedgerEvent>> Events() => Platform.EventsAsync(Clinic);

    public async Task<string> Export()
    {
        var to = new MemoryStream();
        var owner = Platform.As(Clinic, BuiltInRole.Owner);
        var id = await Run(new StartPatientExport(), owner);
        Assert.Null(id.Error);
        Assert.Null((await Run(new ExportPatients(id.Value, to), owner)).Error);
        return Encoding.UTF8.GetString(to.ToArray());
    }

    public static ColumnMapping Mapping(string dates, params (string Column, string Field)[] columns) =>
        new() { Source = "test", DateFormat = dates, Columns = columns.ToDictionary(column => column.Column, column => column.Field, StringComparer.Ordinal) };

    public ValueTask DisposeAsync() => Platform.DisposeAsync();
}
