using System.Globalization;
using Chaperone.Clinic.Shell.Pdf;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>The filtered log as a report for people: staff by name, patients by id.</summary>
internal sealed class AuditReport(ClinicLog log, OperationScope scope)
{
    private static readonly PdfColumn[] Columns = [new("When", 14), new("Who", 17), new("What happened", 27), new("About", 16), new("From", 13), new("Outcome", 9), new("Index", 7)];
    private readonly ExportRows rows = new(log, scope);
    private readonly TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone);
    private readonly Dictionary<string, long> actions = new(StringComparer.Ordinal);
    private readonly Dictionary<EventOutcome, long> outcomes = [];
    private IReadOnlyDictionary<Guid, AuditMember> members = new Dictionary<Guid, AuditMember>();
    private DateTimeOffset? first, last;
    private string? address;

    public async Task<WrittenExport> WriteAsync(AuditExport export, Stream to, CancellationToken cancel)
    {
        members = await scope.OpenStaff(cancel);
        var pdf = new PdfReport(to, $"Audit log - {scope.Tenant.Name}");
        await pdf.HeadingAsync("Events, newest first", cancel);
        await pdf.BeginTableAsync(Columns, cancel);
        await rows.ForEachAsync(export.Filter, async events =>
        {
            foreach (var each in events)
            {
                Take(each);
                await pdf.RowAsync(Cells(each), cancel);
            }
        }, cancel);

        await pdf.BeginCoverAsync(cancel);
        await pdf.TitleAsync("Audit log", cancel);
        await pdf.FactAsync("Clinic", $"{scope.Tenant.Name} ({scope.Tenant.Host})", cancel);
        await pdf.FactAsync("Made", $"{AuditText.Time(scope.Now, zone)} ({scope.Tenant.Zone})", cancel);
        await pdf.FactAsync("By", scope.Actor.Id is { } me && members.GetValueOrDefault(me) is { } maker ? $"{maker.Name}, {string.Join(", ", maker.Roles)}" : AuditText.Who(new(ActorKind.User, scope.Actor.Id)), cancel);
        var filters = export.Query.Values.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => AuditText.Filter(field.Key, field.Value, members, address)).ToList();
        await pdf.FactAsync("Filter", filters.Count == 0 ? "none: the whole log" : string.Join("; ", filters), cancel);
        await pdf.FactAsync("Events", first is null ? "none" : $"{AuditText.Number(rows.Count)}, from {AuditText.Time(first.Value, zone)} to {AuditText.Time(last!.Value, zone)}", cancel);
        if (first is not null)
        {
            await pdf.FactAsync("Outcome", string.Join(", ", outcomes.OrderBy(pair => pair.Key).Select(pair => $"{AuditText.Outcome(pair.Key)} {AuditText.Number(pair.Value)}")), cancel);
            await pdf.HeadingAsync("By action", cancel);
            await pdf.BeginTableAsync([new("Action", 30), new("What it means", 60), new("Events", 10)], cancel);
            foreach (var (action, count) in actions.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal))
                await pdf.RowAsync([action, EventCatalogue.Knows(action) ? EventCatalogue.Find(action).Sentence : "", AuditText.Number(count)], cancel);
        }
        await PdfEvidence.WriteAsync(pdf, LogIntegrity.Of(log), await log.SignedHeadAsync(cancel), zone, cancel);
        await pdf.ParagraphAsync("Patients and records are named by the last digits of their ids; the table (CSV) and the JSON file have them whole. Nothing in this file proves itself: the bundle with proofs does.", cancel);
        await pdf.FinishAsync(cancel);
        return rows.Written;
    }

    private void Take(ReadEvent read)
    {
        var happened = read.Event;
        (first, last) = (happened.At, last ?? happened.At);
        actions[happened.Action] = actions.GetValueOrDefault(happened.Action) + 1;
        outcomes[happened.Outcome] = outcomes.GetValueOrDefault(happened.Outcome) + 1;
        if (read.IsReadable) address ??= happened.Source.Ip;
        if (happened.Entity is { Type: "patient" } patient) scope.Show(patient.Id);
    }

    private string[] Cells(ReadEvent read)
    {
        var happened = read.Event;
        var who = happened.Actor.Id is { } id && members.GetValueOrDefault(id) is { } member ? member.Name : read.IsReadable ? AuditText.Who(happened.Actor) : "not to be told";
        var role = read.IsReadable && AuditText.Role(happened.Actor) is { } known ? $" ({known})" : "";
        var about = happened.Entity is not { } entity ? "The clinic" : members.GetValueOrDefault(entity.Id) is { } account ? $"Account of {account.Name}" : $"{entity.Type.Replace('_', ' ')} {AuditText.Short(entity.Id)}";
        var people = happened.Subjects.Count > 1 ? $", {AuditText.Number(happened.Subjects.Count)} people" : "";
        return
        [
            AuditText.Time(happened.At, zone), who + role, read.IsReadable ? $"{AuditText.What(happened)} {happened.Action}" : $"{UnreadableEvents.Sentence} {happened.Action}", about + people,
            read.IsReadable ? happened.Source.Ip ?? "this machine" : "", AuditText.Outcome(happened.Outcome) + (happened.Severity == EventSeverity.Info ? "" : $", {EventJson.Name(happened.Severity)}"),
            read.Index?.ToString(CultureInfo.InvariantCulture) ?? "not yet",
        ];
    }
}
