using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Schedule;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Compliance;

/// <summary>Shows what Chaperone does about a framework's controls, with how many events of the clinic's log show each, and when the tests last passed.</summary>
/// <param name="Framework">Its code; null for all.</param>
internal sealed record ViewCompliance(string? Framework) : IOperation<ComplianceView>
{
    public static Policy Policy { get; } = Policy.Reads("compliance.viewed").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>The same as a PDF to hand over.</summary>
/// <param name="Framework">Its code; null for all.</param>
internal sealed record ExportCompliance(string? Framework) : IOperation<byte[]>
{
    public static Policy Policy { get; } = Policy.Reads("compliance.exported").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>Controls with what shows them here.</summary>
/// <param name="Frameworks">Those asked for.</param>
/// <param name="Counts">Events of each action since then, counted to <see cref="MostCounted"/>.</param>
/// <param name="Refusals">Events of what was refused.</param>
/// <param name="Since">The day from which events are counted.</param>
/// <param name="Tests">What is known of the tests.</param>
public sealed record ComplianceView(IReadOnlyList<Framework> Frameworks, IReadOnlyDictionary<string, long> Counts, long Refusals, DateOnly Since, TestState Tests)
{
    internal const int Days = 30, MostCounted = 1000;

    /// <summary>What the log of this clinic shows for a control, and the viewer's filter that lists it.</summary>
    internal IEnumerable<ShownEvents> ShownFor(Control control) =>
    [
        .. control.Categories.Select(category => new ShownEvents(EventJson.Name(category), AuditQuery.Category, EventJson.Name(category), EventCatalogue.ActionsOf(category).Sum(Counted), EventCatalogue.ActionsOf(category).Any(IsMore))),
        .. control.Events.Select(action => new ShownEvents(action, AuditQuery.Action, action, Counted(action), IsMore(action))),
        .. control.Refusals ? [new ShownEvents("whatever was refused", AuditQuery.Outcome, EventJson.Name(EventOutcome.Denied), Refusals, Refusals >= MostCounted)] : Array.Empty<ShownEvents>(),
    ];

    private long Counted(string action) => Counts.GetValueOrDefault(action);

    private bool IsMore(string action) => Counted(action) >= MostCounted;
}

/// <summary>Events that show a control.</summary>
/// <param name="Label">Which.</param>
/// <param name="Field">The viewer's filter.</param>
/// <param name="Value">What stands in it.</param>
/// <param name="Count">How many there are.</param>
/// <param name="OrMore">Whether counting stopped there.</param>
internal sealed record ShownEvents(string Label, string Field, string Value, long Count, bool OrMore)
{
    public string Number => AuditText.Number(Count) + (OrMore ? "+" : "");

    /// <summary>The viewer with these events.</summary>
    public string Href(DateOnly since) => AuditLogFeature.Path + new AuditQuery(new Dictionary<string, string> { [Field] = Value, [AuditQuery.From] = since.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) }).ToQueryString();
}

internal sealed class ComplianceHandler(ClinicLog log, TestPasses tests) : IHandler<ViewCompliance, ComplianceView>, IHandler<ExportCompliance, byte[]>
{
    public Task<Result<ComplianceView>> Handle(ViewCompliance request, OperationScope scope, CancellationToken cancel) => View(request.Framework, scope, cancel);

    public async Task<Result<byte[]>> Handle(ExportCompliance request, OperationScope scope, CancellationToken cancel)
    {
        var view = await View(request.Framework, scope, cancel);
        if (view.Error is { } error) return error;
        using var to = new MemoryStream();
        await ComplianceReport.WriteAsync(view.Value, scope, LogIntegrity.Of(log), await log.SignedHeadAsync(cancel), to, cancel);
        return to.ToArray();
    }

    private async Task<Result<ComplianceView>> View(string? code, OperationScope scope, CancellationToken cancel)
    {
        if (code is not null && Frameworks.Find(code) is null) return ComplianceErrors.NoSuchFramework;
        IReadOnlyList<Framework> frameworks = code is null ? Frameworks.All : [Frameworks.Find(code)!];
        scope.Note("frameworks", string.Join('.', frameworks.Select(framework => framework.Code)));
        await log.CatchUpAsync(cancel);
        var zone = ClinicTime.ZoneOf(scope.Tenant);
        var since = ClinicTime.DayOf(scope.Now, zone).AddDays(-ComplianceView.Days);
        var filter = new EventFilter { From = ClinicTime.StartOf(since, zone), Outcome = EventOutcome.Denied }.Within(scope);
        string[] actions = [.. frameworks.SelectMany(framework => framework.Controls).SelectMany(control => control.Actions).Distinct()];
        var counts = await log.CountEachAsync(actions, filter.From!.Value, ComplianceView.MostCounted, cancel);
        var refusals = await log.CountAsync(filter, ComplianceView.MostCounted, cancel);
        return new ComplianceView(frameworks, counts, refusals.Found, since, tests.Read());
    }
}
