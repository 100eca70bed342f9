using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Retention;

/// <summary>How long a category's events are kept.</summary>
/// <param name="Category">The category's name.</param>
/// <param name="Standard">The catalogue's terms in use, in words, the most common first.</param>
/// <param name="Years">The clinic's own term, or null for the catalogue's.</param>
/// <param name="Why">Why it is longer.</param>
/// <param name="Version">Version of the record; 0 while there is none.</param>
public sealed record LogTerm(string Category, string Standard, int? Years, string? Why, long Version);

/// <summary>Shows how long the log's events are kept, and what is held.</summary>
internal sealed record ViewRetention : IOperation<RetentionRules>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.RetentionRun).About(Resource.Clinic);
}

/// <summary>Terms and holds.</summary>
/// <param name="Terms">By category.</param>
/// <param name="Holds">Those that hold first.</param>
/// <param name="Names">Of the accounts that acted on the holds.</param>
public sealed record RetentionRules(IReadOnlyList<LogTerm> Terms, IReadOnlyList<LegalHold> Holds, IReadOnlyDictionary<Guid, string> Names);

/// <summary>Lengthens the term of a category's events, or takes it back to the catalogue's. Never shorter than that.</summary>
/// <param name="Category">Which.</param>
/// <param name="Years">One of <see cref="LogTerms.Choices"/>; null for the catalogue's.</param>
/// <param name="Why">Why; sealed.</param>
/// <param name="IfVersion">The version the caller saw, 0 for none; null is refused.</param>
internal sealed record ChangeLogTerm(string? Category, int? Years, string? Why, long? IfVersion) : IOperation<RetentionRules>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.RetentionRun).About(Resource.Clinic);
}

internal static class LogTerms
{
    public static readonly int[] Choices = [3, 5, 7, 8, 10, 15, 20, 25, 30];

    public static IReadOnlyList<string> Categories { get; } = [.. Enum.GetValues<EventCategory>().Select(EventJson.Name)];

    public static IEnumerable<EventType> In(string category) => EventCatalogue.All.Where(type => EventJson.Name(type.Category) == category);

    public static string Words(Platform.Ledger.Retention term) => term switch
    {
        Platform.Ledger.Retention.Days30 => "30 days", Platform.Ledger.Retention.Years2 => "2 years", Platform.Ledger.Retention.Years7 => "7 years", _ => "for good",
    };

    /// <summary>The category's actions that so many years are longer for.</summary>
    public static string[] Shorter(string category, int years) =>
        [.. In(category).Where(type => type.Retention is Platform.Ledger.Retention.Days30 or Platform.Ledger.Retention.Years2 || (type.Retention is Platform.Ledger.Retention.Years7 && years > 7)).Select(type => type.Action).Order(StringComparer.Ordinal)];
}

internal sealed class LogTermsHandler : IHandler<ViewRetention, RetentionRules>, IHandler<ChangeLogTerm, RetentionRules>
{
    private const int LongestReason = 500;

    public Task<Result<RetentionRules>> Handle(ViewRetention request, OperationScope scope, CancellationToken cancel) => Rules(scope, cancel);

    public async Task<Result<RetentionRules>> Handle(ChangeLogTerm request, OperationScope scope, CancellationToken cancel)
    {
        var (error, why) = (RetentionErrors.DetailsInvalid, PersonDetails.Tidy(request.Why));
        if (request.Category is not { } category || !LogTerms.Categories.Contains(category)) return error.With("category", "Choose a category of events.");
        if (request.Years is { } years && !LogTerms.Choices.Contains(years)) error = error.With("years", $"Choose one of: {string.Join(", ", LogTerms.Choices)} years.");
        else if (request.Years is { } asked && LogTerms.Shorter(category, asked).Length == 0) error = error.With("years", "Every event of this category is kept longer already.");
        if (why is { Length: > LongestReason }) error = error.With("why", $"Use at most {LongestReason} characters.");
        if (error.Fields.Count > 0) return error;

        await scope.TakeTurns([scope.Tenant.Id], cancel);
        var row = await scope.OpenOne(scope.Db.Set<LogTermRow>().Where(term => term.Category == category), cancel);
        if (row is null ? request.IfVersion != 0 : request.IfVersion != row.Version) return PlatformErrors.Changed;
        scope.NoteChange("log_term." + category, row is null ? null : Text(row.Years), request.Years is { } to ? Text(to) : null);
        if (request.Years is not { } wanted)
        {
            if (row is not null) scope.Db.Remove(row);
        }
        else if (row is null)
        {
            scope.Add(new LogTermRow { Id = scope.NewId(), Category = category, Actions = LogTerms.Shorter(category, wanted), Years = wanted, Payload = new(why) });
        }
        else
        {
            (row.Actions, row.Years, row.Payload) = (LogTerms.Shorter(category, wanted), wanted, new(why));
        }
        await scope.Flush(cancel);
        return await Rules(scope, cancel);
    }

    private static async Task<Result<RetentionRules>> Rules(OperationScope scope, CancellationToken cancel)
    {
        var rows = (await scope.Open(scope.Db.Set<LogTermRow>().AsNoTracking(), cancel)).ToDictionary(row => row.Category);
        var terms = LogTerms.Categories.Select(category =>
        {
            var row = rows.GetValueOrDefault(category);
            var standard = LogTerms.In(category).GroupBy(type => type.Retention).OrderByDescending(group => group.Count()).Select(group => LogTerms.Words(group.Key));
            return new LogTerm(category, string.Join(", some ", standard), row?.Years, row?.Payload.Why, row?.Version ?? 0);
        });
        var holds = await LegalHoldHandler.All(scope, cancel);
        var acted = holds.SelectMany(hold => new[] { hold.ProposedBy, hold.PlacedBy, hold.ReleaseBy }).OfType<Guid>().Distinct().ToArray();
        var names = (await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => acted.Contains(member.Id)), cancel)).ToDictionary(member => member.Id, member => member.Payload.Name);
        return new RetentionRules([.. terms], holds, names);
    }

    private static string Text(int years) => years.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
