using System.Security.Cryptography;
using System.Text.Json;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Shell.Pdf;
using Chaperone.Clinic.Witnesses;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Investigations;

/// <summary>
/// Makes the evidence of a case: every chosen event with its proof under one checkpoint, the report, and the case as data, in one zip that <c>chaperone-verify</c> checks. It is whole before its
/// event is written, and its event is durable before the first byte leaves: one operation is enough where nothing streams (decision 0013 is about what does).
/// </summary>
/// <param name="CaseId">Which case.</param>
internal sealed record ExportCase(Guid CaseId) : IOperation<CaseFile>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("investigation.exported").Needs(Permission.AuditExport).About(CaseResource.Case).WithStepUp();

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>The evidence.</summary>
/// <param name="Number">The case's number.</param>
/// <param name="Zip">The file; the event carries its SHA-256.</param>
internal sealed record CaseFile(int Number, byte[] Zip);

internal sealed class ExportCaseHandler(CaseReading reading, ClinicLog log, ClinicEvidence evidence, Guards guards) : IHandler<ExportCase, CaseFile>
{
    public async Task<Result<CaseFile>> Handle(ExportCase request, OperationScope scope, CancellationToken cancel)
    {
        if (AuditPlan.RefusesDownload(scope) is { } refused) return refused;
        if (!scope.Actor.Rights.Holds(Permission.InvestigationView, scope.Actor.State.Elevated, scope.Now)) return PlatformErrors.Forbidden;
        await log.CatchUpAsync(cancel, signed: true);
        if (await reading.ReadAsync(request.CaseId, cancel) is not { } view) return PlatformErrors.NotFound;
        if (view.Events.Any(each => each.IsWithheld)) return AuditErrors.NotWhole;
        // The newest event about the case itself: with it the checkpoint covers all that was done with the case.
        if (view.History.Count == 0 || await evidence.OfSelectionAsync([.. view.Events.Select(each => each.EventId)], view.History[0].Event.Id, await guards.PolicyAsync(scope, cancel), cancel) is not { } proven)
            return CaseErrors.NothingSigned;
        using var report = new MemoryStream();
        await CaseReport.WriteAsync(view, proven.Head, LogIntegrity.Of(log), await log.SignedHeadAsync(cancel), scope, report, cancel);
        var zip = CaseEvidence.Write(new()
        {
            CheckpointNote = proven.Note, Signer = proven.Signer, Policy = proven.Policy, Created = scope.Now, Events = proven.Events, Expired = proven.Expired, Expiries = proven.Expiries,
            Papers = [(CaseEvidence.Report, report.ToArray()), (CaseEvidence.Data, JsonSerializer.SerializeToUtf8Bytes(CaseApi.Shape(view), JsonSerializerOptions.Web))],
        });
        scope.Note("rows", proven.Events.Count);
        scope.Note("expired", proven.Expired.Count);
        scope.Note("size", proven.Head.Size);
        scope.Note("sha256", Convert.ToHexStringLower(SHA256.HashData(zip)));
        return new CaseFile(view.Number, zip);
    }
}

/// <summary>A case as a report for people.</summary>
internal static class CaseReport
{
    private static readonly PdfColumn[] Columns = [new("Index", 8), new("When", 15), new("Who", 17), new("What happened", 40), new("About", 20)];

    public static async Task WriteAsync(CaseView view, Checkpoint head, LogIntegrity integrity, SignedHead? signed, OperationScope scope, Stream to, CancellationToken cancel)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone);
        var pdf = new PdfReport(to, $"Investigation {view.Number} - {scope.Tenant.Name}");
        await pdf.TitleAsync($"Investigation {view.Number}", cancel);
        await pdf.FactAsync("Title", view.Title, cancel);
        await pdf.FactAsync("Clinic", $"{scope.Tenant.Name} ({scope.Tenant.Host})", cancel);
        await pdf.FactAsync("State", view.State switch { CaseRow.Open => "Open", CaseRow.Concluding => "Conclusion proposed, not confirmed", _ => "Concluded" }, cancel);
        await pdf.FactAsync("Opened", $"{At(view.OpenedAt)}, {NameOf(view.OpenedBy)}", cancel);
        if (view.ReopenedAt is { } again) await pdf.FactAsync("Opened again", At(again), cancel);
        await pdf.FactAsync("Assigned to", view.AssignedTo is { } assigned ? NameOf(assigned) : "nobody", cancel);
        await pdf.FactAsync("Team", string.Join(", ", view.Team.Select(NameOf)), cancel);
        await pdf.FactAsync("Suspected breach", view is { AwareAt: { } aware, ReportBy: { } by } ? $"known since {At(aware)}; 72 hours (GDPR Article 33) end {At(by)}" : "none", cancel);
        await pdf.FactAsync("Made", $"{At(scope.Now)} ({scope.Tenant.Zone}), {NameOf(scope.Actor.Id!.Value)}", cancel);
        await pdf.HeadingAsync("Why it was opened", cancel);
        await LinesAsync(view.Reason);
        if (view.Conclusion is { } conclusion)
        {
            await pdf.HeadingAsync($"Conclusion: {CaseOutcomes.Words(conclusion.Outcome)}", cancel);
            await LinesAsync(conclusion.Text);
            await pdf.ParagraphAsync($"Written by {NameOf(conclusion.WrittenBy)}, {At(conclusion.WrittenAt)}" + (view is { ConfirmedBy: { } second, EndedAt: { } ended } ? $"; confirmed by {NameOf(second)}, {At(ended)}." : "; not confirmed by a second person."), cancel);
        }
        await pdf.HeadingAsync($"Chosen events: {AuditText.Number(view.Events.Count)}, as they happened", cancel);
        await pdf.BeginTableAsync(Columns, cancel);
        foreach (var each in view.Events) await pdf.RowAsync(Cells(each), cancel);
        pdf.EndTable();
        if (view.People.Count + view.Records.Count > 0)
        {
            await pdf.HeadingAsync("People and records", cancel);
            foreach (var item in view.People.Concat(view.Records)) await pdf.ParagraphAsync($"{item.RefType.Replace('_', ' ')}: {item.Name ?? ""} {item.RefId:D}{(item.Why is { } why ? $": {why}" : "")}", cancel);
        }
        await pdf.HeadingAsync("Notes", cancel);
        if (view.Notes.Count == 0) await pdf.ParagraphAsync("None.", cancel);
        foreach (var note in view.Notes)
        {
            await pdf.ParagraphAsync($"{At(note.WrittenAt)}, {NameOf(note.WrittenBy)}{(note.Kind switch { CaseNoteRow.Conclusion => $": conclusion, {CaseOutcomes.Words(note.Outcome)}", CaseNoteRow.Reopened => ": opened again", _ => "" })}", cancel);
            await LinesAsync(note.Text);
        }
        if (view.Removed.Count > 0)
        {
            await pdf.HeadingAsync("Taken out", cancel);
            foreach (var item in view.Removed) await pdf.ParagraphAsync($"{item.Kind} {item.RefId:D}: {CaseRemovals.Words(item.RemovedBecause)}, {At(item.RemovedAt!.Value)}, {NameOf(item.RemovedBy!.Value)}", cancel);
        }
        await pdf.HeadingAsync("What proves it", cancel);
        await pdf.ParagraphAsync($"Beside this report lies, for each event, its exact line with its salt and a proof that it stands at its index of the log, under one signed checkpoint of {AuditText.Number(head.Size)} events. chaperone-verify checks the whole file. The report itself is what the clinic wrote: its manifest is signed by the log's key.", cancel);
        await PdfEvidence.WriteAsync(pdf, integrity, signed, zone, cancel);
        await pdf.FinishAsync(cancel);

        string At(DateTimeOffset at) => AuditText.Time(at, zone);

        string NameOf(Guid account) => view.Members.GetValueOrDefault(account)?.Name ?? $"account {account:D}";

        async Task LinesAsync(string text)
        {
            foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries)) await pdf.ParagraphAsync(line, cancel);
        }

        string[] Cells(CaseEvent each)
        {
            var index = each.Index?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "not yet";
            if (each.Read is not { } read) return [index, "", "", "Ended: the term of this event was over while the investigation was not open.", ""];
            var happened = read.Event;
            var who = view.Members.GetValueOrDefault(happened.Actor.Id ?? Guid.Empty)?.Name ?? (read.IsReadable ? AuditText.Who(happened.Actor) : "not to be told");
            var about = happened.Entity is { } entity ? $"{entity.Type.Replace('_', ' ')} {AuditText.Short(entity.Id)}" : "the clinic";
            return [index, At(happened.At), who, (read.IsReadable ? AuditText.What(happened) : UnreadableEvents.Sentence) + $" ({happened.Action}, {AuditText.Outcome(happened.Outcome)})" + (each.Item.Why is { } why ? $" Chosen: {why}" : ""), about];
        }
    }
}
