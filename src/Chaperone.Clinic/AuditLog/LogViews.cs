using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.AuditLog;

/// <summary>A filter of the log that somebody named, as it is sealed.</summary>
/// <param name="Name">As they call it.</param>
/// <param name="Filter">Field to value, as in the page's address.</param>
internal sealed record LogViewDetails(string Name, IReadOnlyDictionary<string, string> Filter) : ISealedPayload<LogViewDetails>
{
    public static JsonTypeInfo<LogViewDetails> Json => LogViewJson.Default.LogViewDetails;
}

/// <summary>As stored. <see cref="SealedRow.SubjectId"/> is whose it is; nobody else is ever shown it.</summary>
internal sealed class LogViewRow : SealedRow<LogViewDetails>
{
    public static void Model(ModelBuilder model) => model.Entity<LogViewRow>(row => row.ToTable("log_view"));
}

/// <summary>A saved filter, to its owner.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">As they call it.</param>
/// <param name="Query">What it shows.</param>
public sealed record LogView(Guid Id, string Name, AuditQuery Query);

/// <summary>One's own saved filters, by name.</summary>
internal sealed record ListLogViews : IOperation<IReadOnlyList<LogView>>
{
    public static Policy Policy { get; } = Policy.Unlogged("one's own saved filters, for the navigation of the log's page").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class ListLogViewsHandler : IHandler<ListLogViews, IReadOnlyList<LogView>>
{
    public async Task<Result<IReadOnlyList<LogView>>> Handle(ListLogViews request, OperationScope scope, CancellationToken cancel) =>
        (await scope.Open(LogViewRules.Own(scope), cancel)).Select(row => new LogView(row.Id, row.Payload.Name, new(row.Payload.Filter))).OrderBy(view => view.Name, StringComparer.CurrentCultureIgnoreCase).ToList();
}

/// <summary>Keeps a filter under a name, for oneself.</summary>
internal sealed record SaveLogView(string? Name, AuditQuery Query) : IOperation<Guid>
{
    public static Policy Policy { get; } = Policy.Changes("audit.filter_saved").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class SaveLogViewHandler : IHandler<SaveLogView, Guid>
{
    public async Task<Result<Guid>> Handle(SaveLogView request, OperationScope scope, CancellationToken cancel)
    {
        var query = request.Query.FiltersOnly;
        if (query.Read(scope.Tenant.Zone).Error is { } wrong) return wrong;
        if (LogViewRules.NameOf(request.Name) is not { } name) return AuditErrors.BadFilterName.With(LogViewRules.Name, "Enter a name of at most 80 letters.");
        if (query.Values.Count == 0) return AuditErrors.BadFilterName.With(LogViewRules.Name, "Choose a filter first: there is nothing to keep.");
        if (await LogViewRules.Own(scope).CountAsync(cancel) >= LogViewRules.Most) return AuditErrors.TooManyFilters;
        var row = new LogViewRow { Id = scope.NewId(), SubjectId = scope.Actor.Id, Payload = new(name, query.Values) };
        scope.Add(row);
        scope.Concerns("log_view", row.Id);
        return row.Id;
    }
}

/// <summary>Gives one's own saved filter another name.</summary>
internal sealed record RenameLogView(Guid Id, string? Name) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("audit.filter_renamed").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class RenameLogViewHandler : IHandler<RenameLogView, Done>
{
    public async Task<Result<Done>> Handle(RenameLogView request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("log_view", request.Id);
        if (await scope.OpenOne(LogViewRules.Own(scope).Where(view => view.Id == request.Id), cancel) is not { } row) return PlatformErrors.NotFound;
        if (LogViewRules.NameOf(request.Name) is not { } name) return AuditErrors.BadFilterName.With(LogViewRules.Name, "Enter a name of at most 80 letters.");
        row.Payload = row.Payload with { Name = name };
        return default(Done);
    }
}

/// <summary>Removes one's own saved filter.</summary>
internal sealed record RemoveLogView(Guid Id) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("audit.filter_removed").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class RemoveLogViewHandler : IHandler<RemoveLogView, Done>
{
    public async Task<Result<Done>> Handle(RemoveLogView request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("log_view", request.Id);
        if (await scope.OpenOne(LogViewRules.Own(scope).Where(view => view.Id == request.Id), cancel) is not { } row) return PlatformErrors.NotFound;
        scope.Db.Remove(row);
        return default(Done);
    }
}

internal static class LogViewRules
{
    public const string Name = "name";
    public const int Most = 50, LongestName = 80;

    public static IQueryable<LogViewRow> Own(OperationScope scope)
    {
        var me = scope.Actor.Id;
        return scope.Db.Set<LogViewRow>().Where(view => view.SubjectId == me);
    }

    public static string? NameOf(string? typed) => typed?.Trim() is { Length: > 0 and <= LongestName } name && !name.Any(char.IsControl) ? name : null;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LogViewDetails))]
[JsonSerializable(typeof(LogTailDetails))]
internal sealed partial class LogViewJson : JsonSerializerContext;
