using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.Shell.Pdf;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Witnesses;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.AccessHistory;

/// <summary>A report on who looked, as it was announced.</summary>
/// <param name="Id">The export.</param>
/// <param name="Person">Whose data.</param>
/// <param name="IsPdf">Whether as PDF; else as JSON.</param>
internal sealed record AccessReport(Guid Id, Guid Person, bool IsPdf);

/// <summary>Announces a report on who looked at a patient's data, to hand over. Durable before the first byte leaves.</summary>
internal sealed record StartAccessReport(Guid PatientId, string? Format) : IOperation<AccessReport>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("data.export_started").Needs(Permission.AccessLogView).About(PatientResource.Patient).WithStepUp();

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class StartAccessReportHandler : IHandler<StartAccessReport, AccessReport>
{
    public Task<Result<AccessReport>> Handle(StartAccessReport request, OperationScope scope, CancellationToken cancel) =>
        Task.FromResult(AccessReading.TooFar(scope, request.PatientId) ?? Start(scope, request.PatientId, request.Format));

    public static Result<AccessReport> Start(OperationScope scope, Guid person, string? format)
    {
        if (format is not (null or "" or "pdf" or "json")) return AccessErrors.BadFormat;
        var report = new AccessReport(scope.NewId(), person, format != "json");
        Describe(scope, report);
        return report;
    }

    /// <summary>What both events say of a report.</summary>
    public static void Describe(OperationScope scope, AccessReport report)
    {
        scope.Concerns("export", report.Id);
        scope.Note("what", "access_history");
        scope.Note("format", report.IsPdf ? "pdf" : "json");
        scope.Show(report.Person);
    }
}

/// <summary>The same about oneself.</summary>
internal sealed record StartOwnAccessReport(string? Format) : IOperation<AccessReport>
{
    public static Policy Policy { get; } = Policy.Reads("data.export_started").ForSelf("who looked at one's own data");
}

internal sealed class StartOwnAccessReportHandler : IHandler<StartOwnAccessReport, AccessReport>
{
    public Task<Result<AccessReport>> Handle(StartOwnAccessReport request, OperationScope scope, CancellationToken cancel) =>
        Task.FromResult(StartAccessReportHandler.Start(scope, scope.Actor.PatientId ?? scope.Actor.Id!.Value, request.Format));
}

/// <summary>Writes the report while it reads the log.</summary>
/// <param name="PatientId">Whose data.</param>
/// <param name="Report">What <see cref="StartAccessReport"/> answered.</param>
/// <param name="To">Where to; when it throws, the event says that the report broke off.</param>
internal sealed record WriteAccessReport(Guid PatientId, AccessReport Report, Stream To) : IOperation<WrittenExport>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("data.exported").Needs(Permission.AccessLogView).About(PatientResource.Patient).WithStepUp().WhileStreaming();

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class WriteAccessReportHandler(AccessReportWriter writer) : IHandler<WriteAccessReport, WrittenExport>
{
    public Task<Result<WrittenExport>> Handle(WriteAccessReport request, OperationScope scope, CancellationToken cancel) =>
        AccessReading.TooFar(scope, request.PatientId) is { } refused ? Task.FromResult<Result<WrittenExport>>(refused) : writer.WriteAsync(request.Report with { Person = request.PatientId }, request.To, cancel);
}

/// <summary>The same about oneself.</summary>
internal sealed record WriteOwnAccessReport(AccessReport Report, Stream To) : IOperation<WrittenExport>
{
    public static Policy Policy { get; } = Policy.Reads("data.exported").ForSelf("who looked at one's own data").WhileStreaming();
}

internal sealed class WriteOwnAccessReportHandler(AccessReportWriter writer) : IHandler<WriteOwnAccessReport, WrittenExport>
{
    public Task<Result<WrittenExport>> Handle(WriteOwnAccessReport request, OperationScope scope, CancellationToken cancel) =>
        writer.WriteAsync(request.Report with { Person = scope.Actor.PatientId ?? scope.Actor.Id!.Value }, request.To, cancel);
}

/// <summary>Writes the history as PDF or JSON, streaming. Says nothing of other people whom the same events showed.</summary>
internal sealed class AccessReportWriter(AccessReading reading, ClinicLog log, ClinicEvidence evidence, Guards guards, OperationScope scope)
{
    private static readonly PdfColumn[] Columns = [new("When", 16), new("Who", 18), new("Role", 12), new("Why", 18), new("What happened", 30), new("Index", 7)];
    private readonly Dictionary<string, (string? Role, long Times, DateTimeOffset Last)> people = new(StringComparer.Ordinal);
    private readonly TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone);
    private long rows;
    private DateTimeOffset? first, last;

    public async Task<Result<WrittenExport>> WriteAsync(AccessReport report, Stream output, CancellationToken cancel)
    {
        StartAccessReportHandler.Describe(scope, report);
        scope.Note("complete", "no");
        await using var to = new HashingStream(output);
        await log.CatchUpAsync(cancel, signed: true);
        await (report.IsPdf ? WritePdfAsync(report.Person, to, cancel) : WriteJsonAsync(report.Person, to, cancel));
        await to.FlushAsync(cancel);
        scope.Note("rows", rows);
        scope.Note("complete", "yes");
        scope.Note("sha256", to.FinishedHash());
        return new WrittenExport(rows, []);
    }

    private async Task WritePdfAsync(Guid person, HashingStream to, CancellationToken cancel)
    {
        var pdf = new PdfReport(to, $"Who saw or changed the data - {scope.Tenant.Name}");
        await pdf.HeadingAsync("Every time, newest first", cancel);
        await pdf.BeginTableAsync(Columns, cancel);
        await foreach (var some in reading.AllAsync(person, cancel))
        {
            foreach (var (_, look) in some)
            {
                Take(look);
                var changed = look.Changed.Count > 0 ? $" Fields: {string.Join(", ", look.Changed)}." : "";
                await pdf.RowAsync([AuditText.Time(look.At, zone), look.Who, look.Role ?? "", look.Why, look.What + changed, look.Index?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "not yet"], cancel);
            }
        }
        await pdf.BeginCoverAsync(cancel);
        await pdf.TitleAsync("Who saw or changed this person's data", cancel);
        await pdf.FactAsync("Clinic", $"{scope.Tenant.Name} ({scope.Tenant.Host})", cancel);
        foreach (var (label, value) in await PersonAsync(person, cancel)) await pdf.FactAsync(label, value, cancel);
        await pdf.FactAsync("Made", AuditText.Time(scope.Now, zone) + $" ({scope.Tenant.Zone})", cancel);
        await pdf.FactAsync("Entries", first is null ? "none" : $"{AuditText.Number(rows)}, from {AuditText.Time(first.Value, zone)} to {AuditText.Time(last!.Value, zone)}", cancel);
        await pdf.HeadingAsync("In short", cancel);
        if (people.Count == 0) await pdf.ParagraphAsync("Nobody.", cancel);
        else
        {
            await pdf.BeginTableAsync([new("Who", 40), new("Role", 25), new("Times", 12), new("Last", 25)], cancel);
            foreach (var (who, (role, times, at)) in people.OrderByDescending(pair => pair.Value.Times)) await pdf.RowAsync([who, role ?? "", AuditText.Number(times), AuditText.Time(at, zone)], cancel);
        }
        await PdfEvidence.WriteAsync(pdf, LogIntegrity.Of(log), await log.SignedHeadAsync(cancel), zone, cancel);
        await pdf.HeadingAsync("What is and is not in it", cancel);
        await pdf.ParagraphAsync("Each line is an event of the clinic's audit log in which this person's data was shown or changed: by opening a record, finding it in a search or a list, in the schedule, in an export. Events are kept for two years, exports and matters of staff for seven. Other people whom the same event showed are left out. What an investigation looked at stands here from its conclusion on.", cancel);
        await pdf.FinishAsync(cancel);
    }

    // What is proved is signed at the end too, as entries alone do not say what is said of them.
    private async Task WriteJsonAsync(Guid person, HashingStream to, CancellationToken cancel)
    {
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        using var signed = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var json = new Utf8JsonWriter(buffer, new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.Default });
        json.WriteStartObject();
        json.WriteString("format", AccessReportFile.Format);
        json.WriteString("clinic", scope.Tenant.Name);
        json.WriteString("host", scope.Tenant.Host);
        json.WriteString("person", person);
        json.WriteString("made", scope.Now);
        EntryProofs? proofs = null;
        var begun = false;
        await foreach (var some in reading.AllAsync(person, cancel))
        {
            if (!begun)
            {
                proofs = await BeginAsync(some, cancel);
                await WriteHeadAsync(json, proofs, cancel);
                begun = true;
            }
            var proven = proofs is null ? new Dictionary<Guid, ProvenEntry>() : await proofs.OfAsync([.. some.Select(each => each.Look.Id)], cancel);
            foreach (var (read, look) in some)
            {
                Take(look);
                AccessApi.Write(json, look, () => WriteProof(json, person, read.Event, proven.GetValueOrDefault(look.Id)));
                if (buffer.WrittenCount + json.BytesPending >= 32 * 1024) await SendAsync();
            }
        }
        json.WriteEndArray();
        json.WriteNumber("count", rows);
        if (proofs is null)
        {
            json.WriteEndObject();
            await SendAsync();
            return;
        }
        await SendAsync();
        await to.WriteAsync(AccessReportFile.Ending(proofs.Signer, new(signed.GetHashAndReset())), cancel);

        async Task SendAsync()
        {
            await json.FlushAsync(cancel);
            signed.AppendData(buffer.WrittenSpan);
            await to.WriteAsync(buffer.WrittenMemory, cancel);
            buffer.ResetWrittenCount();
        }
    }

    // Under a checkpoint that covers the newest that can be proved.
    private async Task<EntryProofs?> BeginAsync(IReadOnlyList<(ReadEvent Read, AccessLook Look)> newest, CancellationToken cancel)
    {
        if (newest.FirstOrDefault(each => each.Read is { IsReadable: true, Index: not null }).Look is not { } anchor) return null;
        return await evidence.BeginAsync(anchor.Id, await guards.PolicyAsync(scope, cancel), cancel);
    }

    private async Task WriteHeadAsync(Utf8JsonWriter json, EntryProofs? proofs, CancellationToken cancel)
    {
        if (proofs is not null)
        {
            json.WriteString("checkpoint", proofs.Note.ToString());
            json.WriteString("key", proofs.Signer.Key.ToString());
            json.WriteString("policy", proofs.Policy ?? WitnessPolicy.TextFor(proofs.Signer.Key));
        }
        else if (await log.SignedHeadAsync(cancel) is { } signed)
        {
            json.WriteString("checkpoint", signed.Note);
            json.WriteString("key", signed.Key);
        }
        json.WriteStartArray("events");
    }

    // The event itself names its people by id, and from where it was done: it goes to who may export the log, and only where it is about this person alone.
    private void WriteProof(Utf8JsonWriter json, Guid person, LedgerEvent happened, ProvenEntry? proven)
    {
        if (proven is null) return;
        json.WriteBase64String("entry", proven.Entry.Span);
        json.WriteStartArray("proof");
        foreach (var hash in proven.Hashes) json.WriteStringValue(hash.ToBase64());
        json.WriteEndArray();
        if (!MayGiveEvents || happened.People().Any(each => each != person)) return;
        json.WriteString("event", proven.Line.Span);
        json.WriteBase64String("salt", proven.Salt.Span);
    }

    private bool MayGiveEvents => scope.Actor.Rights.Holds(Permission.AuditExport, scope.Actor.State.Elevated, scope.Now) && AuditPlan.RefusesDownload(scope) is null;

    private void Take(AccessLook look)
    {
        scope.Note("rows", ++rows);
        (first, last) = (look.At, last ?? look.At);
        var who = people.GetValueOrDefault(look.Who);
        if (people.Count < 500 || who.Times > 0) people[look.Who] = (who.Role ?? look.Role, who.Times + 1, who.Times == 0 ? look.At : who.Last);
    }

    // The cover names the person where who makes the report may see the name; else the id must do.
    private async Task<IEnumerable<(string Label, string Value)>> PersonAsync(Guid person, CancellationToken cancel)
    {
        var (actor, id) = (scope.Actor, ("Person", person.ToString("D")));
        if (person == actor.Id)
            return await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => member.Id == person), cancel) is { } me ? [("Name", me.Payload.Name), id] : [id];
        if (actor.PatientId != person && actor.Rights.WeakestRelation(Permission.PatientView, actor.State.Elevated, scope.Now) is not Relation.SameClinic) return [id];
        if (await scope.OpenOne(scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => patient.Id == person), cancel) is not { Payload: var details }) return [id];
        return [("Name", PatientText.Name(details.FamilyName, details.GivenNames)), .. details.DateOfBirth is { } born ? new[] { ("Date of birth", PatientText.Date(born)) } : [], id];
    }
}
