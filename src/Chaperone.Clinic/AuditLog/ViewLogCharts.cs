using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>Shows the filtered log in numbers. Nothing is opened but the names of staff.</summary>
internal sealed record ViewLogCharts(AuditQuery Query) : IOperation<LogCharts>
{
    public static Policy Policy { get; } = Policy.Reads("audit.viewed").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>A number of events with what they have in common.</summary>
/// <param name="Label">What that is.</param>
/// <param name="Count">How many.</param>
public sealed record LogBar(string Label, long Count);

/// <summary>The filtered log in numbers. Its cost does not grow with the log.</summary>
/// <param name="ByDay">The last days of the filter's time, oldest first; a day counts to <see cref="MostADay"/>.</param>
/// <param name="FailedByDay">Failed sign-ins and codes on the same days, whatever else the filter says.</param>
/// <param name="ByHour">Of the newest events, by the hour of the clinic's day.</param>
/// <param name="ByAction">Of the newest events, the most frequent first.</param>
/// <param name="ByUser">Of the newest events, the most frequent first.</param>
/// <param name="Newest">How many the newest are.</param>
/// <param name="Since">The oldest of them.</param>
public sealed record LogCharts(
    IReadOnlyList<LogBar> ByDay, IReadOnlyList<LogBar> FailedByDay, IReadOnlyList<LogBar> ByHour, IReadOnlyList<LogBar> ByAction, IReadOnlyList<LogBar> ByUser, int Newest, DateTimeOffset? Since)
{
    internal const int MostADay = 10_000, MostNewest = 10_000, Days = 14, MostBars = 12;

    /// <summary>Staff by account.</summary>
    public required IReadOnlyDictionary<Guid, AuditMember> Members { get; init; }
}

internal sealed class ViewLogChartsHandler(ClinicLog log) : IHandler<ViewLogCharts, LogCharts>
{
    private static readonly string[] Failures = ["auth.login.failure", "auth.2fa_failed", "auth.locked"];

    public async Task<Result<LogCharts>> Handle(ViewLogCharts request, OperationScope scope, CancellationToken cancel)
    {
        var read = request.Query.Read(scope.Tenant.Zone);
        if (read.Error is { } wrong) return wrong;
        await log.CatchUpAsync(cancel);
        var zone = ClinicTime.ZoneOf(scope.Tenant);
        var filter = read.Value.ToEvents().Within(scope);
        var members = await scope.OpenStaff(cancel);
        foreach (var person in read.Value.People) scope.Show(person);
        scope.Note("view", "charts");

        var last = ClinicTime.DayOf(filter.To is { } to && to < scope.Now ? to.AddTicks(-1) : scope.Now, zone);
        DateOnly[] days = [.. Enumerable.Range(0, LogCharts.Days).Select(n => last.AddDays(n - LogCharts.Days + 1))];
        var (byDay, failed) = (new List<LogBar>(), new List<LogBar>());
        foreach (var day in days)
        {
            var label = day.ToString("d MMM", System.Globalization.CultureInfo.GetCultureInfo("en-GB"));
            byDay.Add(new(label, await CountAsync(filter, day, zone, cancel)));
            failed.Add(new(label, await CountAsync(new EventFilter { Actions = Failures, From = filter.From, To = filter.To }, day, zone, cancel)));
        }
        var newest = await log.MarksAsync(filter, LogCharts.MostNewest, cancel);
        scope.Found(newest.Count, read.Value.Fields);
        var hours = newest.CountBy(mark => TimeZoneInfo.ConvertTime(mark.At, zone).Hour).ToDictionary();
        return new LogCharts(
            byDay, failed, [.. Enumerable.Range(0, 24).Select(hour => new LogBar($"{hour:00}", hours.GetValueOrDefault(hour)))],
            Top(newest.CountBy(mark => mark.Action).Select(pair => (pair.Key, (long)pair.Value))),
            Top(newest.CountBy(mark => mark.Actor ?? Guid.Empty).Select(pair => (Name(pair.Key), (long)pair.Value))),
            newest.Count, newest.Count == 0 ? null : newest[^1].At) { Members = members };

        string Name(Guid account) => account == Guid.Empty ? "The system, or nobody signed in" : members.GetValueOrDefault(account)?.Name ?? $"Account {AuditText.Short(account)}";
    }

    // Within the filter's own time; a day outside it has none.
    private async Task<long> CountAsync(EventFilter filter, DateOnly day, TimeZoneInfo zone, CancellationToken cancel)
    {
        var (from, to) = (ClinicTime.StartOf(day, zone), ClinicTime.StartOf(day.AddDays(1), zone));
        if (filter.From > from) from = filter.From.Value;
        if (filter.To < to) to = filter.To.Value;
        return from >= to ? 0 : (await log.CountAsync(filter with { From = from, To = to }, LogCharts.MostADay, cancel)).Found;
    }

    private static List<LogBar> Top(IEnumerable<(string Label, long Count)> all)
    {
        var ordered = all.OrderByDescending(bar => bar.Count).ThenBy(bar => bar.Label, StringComparer.Ordinal).Select(bar => new LogBar(bar.Label, bar.Count)).ToList();
        if (ordered.Count <= LogCharts.MostBars) return ordered;
        return [.. ordered.Take(LogCharts.MostBars - 1), new("All others", ordered.Skip(LogCharts.MostBars - 1).Sum(bar => bar.Count))];
    }
}
