using System.Text;
using Chaperone.Clinic.Patients.Export;
using Chaperone.Clinic.Imports;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>Imports that break off, and exports.</summary>
public sealed class ImportJobTests
{
    private static readonly ColumnMapping Simple = ImportClinic.Mapping("iso", ("id", "external_id"), ("name", "family_name"), ("born", "date_of_birth"));

    [Fact]
    public async Task An_import_goes_on_exactly_after_its_last_batch()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var id = await StartAsync(clinic, 1730);
        // A process that dies after two batches.
        var dead = Guid.CreateVersion7();
        var system = new Caller(clinic.Clinic, Actor.System, new("job", "import"));
        var work = (await clinic.Run(new ClaimImport(dead), system)).Value.Work!;
        var rows = Enumerable.Range(0, 1000).Select(i => new PersonReader(work.Shape, work.Mapping, new(2026, 1, 1)).Read(i + 2, [$"{i}", $"Family{i}", "1980-01-01"])).ToArray();
        Assert.Null((await clinic.Run(new ImportPatientsBatch(id, dead, 0, rows[..500]), system)).Error);
        Assert.Null((await clinic.Run(new ImportPatientsBatch(id, dead, 500, rows[500..]), system)).Error);
        // Sent again, or from the wrong place, or by another, it is refused.
        Assert.Equal("CHP-IMPORT-0013", (await clinic.Run(new ImportPatientsBatch(id, dead, 500, rows[500..]), system)).Error?.Code);
        Assert.Equal("CHP-IMPORT-0013", (await clinic.Run(new ImportPatientsBatch(id, Guid.CreateVersion7(), 1000, rows[500..]), system)).Error?.Code);

        Assert.True(await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None));   // while the lease holds, somebody else works on it
        Assert.Equal(1000, (await clinic.Run(new WatchImport(id))).Value.Done);
        clinic.Platform.Clock.Advance(ImportLimits.Lease + TimeSpan.FromSeconds(1));
        Assert.False(await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None));

        var state = (await clinic.Run(new WatchImport(id))).Value;
        Assert.Equal(("finished", 1730, 1730), (state.State, state.Done, state.Created));
        Assert.Equal(1730, await clinic.CountAsync("patient"));
        Assert.Equal(1730, (await clinic.Events()).Where(one => one is { Action: "patient.created", Outcome: EventOutcome.Success }).Sum(one => one.Records.Count));
    }

    [Fact]
    public async Task A_running_import_can_be_stopped()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var id = await StartAsync(clinic, 600);
        Assert.Equal("running", (await clinic.Run(new CancelImport(id))).Value.State);
        await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None);
        var state = (await clinic.Run(new WatchImport(id))).Value;
        Assert.Equal(("cancelled", 0), (state.State, state.Created));
        Assert.Equal(0, await clinic.CountAsync("upload_chunk"));
    }

    [Fact]
    public async Task A_stored_file_that_was_tampered_with_stops_the_import()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var id = await StartAsync(clinic, 10);
        await clinic.Platform.Database.ExecuteAsync("UPDATE clinic.upload_chunk SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)");
        await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None);
        var state = (await clinic.Run(new WatchImport(id))).Value;
        Assert.Equal(("failed", 0), (state.State, state.Created));
    }

    [Fact]
    public async Task Another_clinics_import_is_not_there_and_without_the_permission_nothing_is_received()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        var other = await clinic.NextDoorAsync("other.localhost");
        var id = (await clinic.Upload("name,born\nA,1980-01-01\n")).Value.Id;
        foreach (var asked in new Task<Error?>[] { Of(new ViewImport(id)), Of(new WatchImport(id)), Of(new PreviewImport(id)), Of(new StartImport(id)), Of(new CancelImport(id)), Of(new ViewImportColumns(id)), Of(new MapImport(id, Simple)) })
            Assert.Equal(404, (await asked)?.Status);
        var nurse = clinic.Platform.As(clinic.Clinic, BuiltInRole.Nurse);
        Assert.Equal(403, (await clinic.Run(new UploadFile("x.csv", new MemoryStream("name,born\nA,1980-01-01\n"u8.ToArray())), nurse)).Error?.Status);

        async Task<Error?> Of<T>(IOperation<T> operation) => (await other.Run(operation)).Error;
    }

    [Fact]
    public async Task Export_then_import_elsewhere_then_export_is_the_same()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        string[] names = ["=1+1", "'=x", "''-y", "O'Neill", "Ünï, \"quoted\"", "مريم", "-", "+", " x"];
        var text = new StringBuilder("id,name,given,born,nhs,tel,mail,line1,line2,ssn,ssn2,extra\n");
        for (var i = 0; i < names.Length; i++)
            text.Append($"e{i},\"{names[i].Replace("\"", "\"\"", StringComparison.Ordinal)}\",Given{i},19{50 + i}-05-06,{(i == 0 ? "9434765919" : "")},+44 7700 90000{i},p{i}@example.org,\"{i}, Long Lane\",@home,999-11-{i:0000},111-{i},\"=cmd|x{i}\"\n");
        await clinic.Import(text.ToString(), ImportClinic.Mapping(
            "iso", ("id", "external_id"), ("name", "family_name"), ("given", "given_names"), ("born", "date_of_birth"), ("nhs", "nhs_number"), ("tel", "mobile"), ("mail", "email"), ("line1", "address_line_1"),
            ("line2", "address_line_2"), ("ssn", "identifier.ssn"), ("ssn2", "identifier.ssn"), ("extra", "other")));
        var first = await clinic.Export();
        Assert.All(Cells(first), cell => Assert.DoesNotContain(cell.TrimStart(' ')[..Math.Min(1, cell.TrimStart(' ').Length)], (string[])["=", "+", "-", "@"]));

        var elsewhere = await clinic.NextDoorAsync("elsewhere.localhost");
        var imported = await elsewhere.Import(first);
        Assert.Equal((names.Length, 0), (imported.State.Created, imported.State.Skipped));
        Assert.Equal(first, await elsewhere.Export());
        // And back home, where they are.
        Assert.Equal($"{names.Length} already there, unchanged. Nothing was imported.", (await clinic.Import(first)).State.Summary);
    }

    [Fact]
    public async Task An_export_is_announced_and_its_end_is_logged_with_rows_and_hash()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        await clinic.Import("id,name,born\n1,Ada,1980-01-01\n2,Bert,1981-01-01\n", Simple);
        var file = await clinic.Export();
        var events = (await clinic.Events()).Where(one => one.Action.StartsWith("data.", StringComparison.Ordinal)).ToList();
        Assert.Equal(["data.export_started", "data.exported"], events.Select(one => one.Action));
        Assert.Equal(events[0].Entity, events[1].Entity);
        Assert.Equal((2L, "yes", 2), (events[1].Details["rows"].Number, events[1].Details["complete"].Code, events[1].Subjects.Count));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(file))), events[1].Details["sha256"].Code);
        var stale = clinic.Platform.As(clinic.Clinic, BuiltInRole.Owner);
        stale = stale with { Actor = stale.Actor with { State = stale.Actor.State with { SteppedUpAt = null } } };
        Assert.Equal(PlatformErrors.StepUpRequired.Code, (await clinic.Run(new StartPatientExport(), stale)).Error?.Code);
    }

    [Fact]
    public async Task An_export_that_breaks_off_names_those_who_had_left()
    {
        await using var clinic = await ImportClinic.OpenAsync();
        await StartAsync(clinic, 1200);
        await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None);
        var owner = clinic.Platform.As(clinic.Clinic, BuiltInRole.Owner);
        var id = (await clinic.Run(new StartPatientExport(), owner)).Value;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => clinic.Run(new ExportPatients(id, new BrokenPipe(1)), owner));
        var failure = Assert.Single(await clinic.Events(), one => one.Action == "data.exported");
        Assert.Equal((EventOutcome.Failure, "no"), (failure.Outcome, failure.Details["complete"].Code));
        Assert.Equal(1000, failure.Subjects.Count);
    }

    private static async Task<Guid> StartAsync(ImportClinic clinic, int rows)
    {
        var text = new StringBuilder("id,name,born\n");
        for (var i = 0; i < rows; i++) text.Append($"{i},Family{i},1980-01-01\n");
        var id = (await clinic.Upload(text.ToString())).Value.Id;
        Assert.Null((await clinic.Run(new MapImport(id, Simple))).Error);
        Assert.Null((await clinic.Run(new StartImport(id))).Error);
        return id;
    }

    private static IEnumerable<string> Cells(string csv)
    {
        using var reader = CsvHelper.CsvReader.Create(new StringReader(csv.TrimStart('\uFEFF')), new() { HasHeader = false, Separator = ',' });
        while (reader.Read())
            for (var i = 0; i < reader.FieldCount; i++) yield return reader.GetString(i);
    }

    /// <summary>Takes so many pieces, then is gone.</summary>
    private sealed class BrokenPipe(int pieces) : MemoryStream
    {
        private int left = pieces;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            left-- > 0 ? ValueTask.CompletedTask : throw new OperationCanceledException("gone");
    }
}
