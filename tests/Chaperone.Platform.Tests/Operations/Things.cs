using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Platform.Tests.Operations;

/// <summary>A feature of a made-up sort, to try the monitor on: its own table, written in the tests' databases only.</summary>
internal sealed record ThingDetails(string Name, string? Phone = null) : ISealedPayload<ThingDetails>
{
    public static JsonTypeInfo<ThingDetails> Json => ThingJson.Default.ThingDetails;
}

[JsonSerializable(typeof(ThingDetails))]
internal sealed partial class ThingJson : JsonSerializerContext;

internal sealed class ThingRow : SealedRow<ThingDetails>
{
    public required string Status { get; set; }
}

internal static class Things
{
    public static readonly Resource Thing = Resource.Define("thing", "SELECT CASE WHEN t.id = $3 THEN 4 ELSE 1 END FROM clinic.thing t WHERE t.id = $1 AND $2::uuid IS NOT NULL");

    public const string Table = """
        CREATE TABLE clinic.thing (tenant_id uuid NOT NULL, id uuid NOT NULL, subject_id uuid NOT NULL, status text NOT NULL UNIQUE DEFERRABLE, key_version int NOT NULL, version bigint NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (tenant_id, id));
        ALTER TABLE clinic.thing OWNER TO chaperone_owner;
        SELECT platform.protect('clinic.thing');
        GRANT SELECT, INSERT, UPDATE, DELETE ON clinic.thing TO chaperone_app;
        """;

    public static void Add(IServiceCollection services) => services.AddSingleton(new ModelPart(model =>
        model.Entity<ThingRow>(row => row.ToTable("thing").Property(thing => thing.Status).HasAnnotation(ChaperoneDb.LoggedValue, true))));
}

internal sealed record AddThing(string Name, string Status = "new") : IOperation<Guid>
{
    public static Policy Policy { get; } = Policy.Changes("patient.created").Needs(Permission.PatientEdit).About(Things.Thing);
}

internal sealed class AddThingHandler : IHandler<AddThing, Guid>
{
    public Task<Result<Guid>> Handle(AddThing request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.NewId();
        scope.Add(new ThingRow { Id = id, SubjectId = id, Status = request.Status, Payload = new(request.Name) });
        scope.Concerns("thing", id);
        return Task.FromResult<Result<Guid>>(id);
    }
}

internal sealed record ViewThing(Guid Id) : IOperation<string>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("patient.viewed").Needs(Permission.PatientView).About(Things.Thing);

    public Guid ResourceId => Id;
}

internal sealed class ViewThingHandler : IHandler<ViewThing, string>
{
    public async Task<Result<string>> Handle(ViewThing request, OperationScope scope, CancellationToken cancel) =>
        await scope.OpenOne(scope.Db.Set<ThingRow>().Where(thing => thing.Id == request.Id), cancel) is { } found ? found.Payload.Name : PlatformErrors.NotFound;
}

internal enum Mischief
{
    None,
    Throw,
    ThrowAfterFlush,
    RefuseAfterFlush,
    RawUpdate,
    OtherEvent,
}

internal sealed record ChangeThing(Guid Id, string Name, string? Phone = null, string? Status = null, long? Version = null, Mischief Mischief = Mischief.None) : IOperation<long>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("patient.updated").Needs(Permission.PatientEdit).About(Things.Thing);

    public Guid ResourceId => Id;
}

internal sealed class ChangeThingHandler : IHandler<ChangeThing, long>
{
    public static readonly Error Refused = new("CHP-TEST-0001", "No.", 409, "Nothing.");

    public async Task<Result<long>> Handle(ChangeThing request, OperationScope scope, CancellationToken cancel)
    {
        var thing = await scope.OpenOne(scope.Db.Set<ThingRow>().Where(thing => thing.Id == request.Id), cancel);
        if (thing is null) return PlatformErrors.NotFound;
        if (request.Version is not null && OperationScope.Stale(thing, request.Version) is { } stale) return stale;
        thing.Payload = thing.Payload with { Name = request.Name, Phone = request.Phone };
        thing.Status = request.Status ?? thing.Status;
        if (request.Mischief is Mischief.ThrowAfterFlush or Mischief.RefuseAfterFlush) await scope.Flush(cancel);
        if (request.Mischief is Mischief.Throw or Mischief.ThrowAfterFlush) throw new InvalidOperationException("Secret-In-Exception " + thing.Payload.Name);
        if (request.Mischief == Mischief.RefuseAfterFlush) return Refused;
        if (request.Mischief == Mischief.RawUpdate) await scope.Db.Set<ThingRow>().Where(row => row.Id != request.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, "stolen"), cancel);
        if (request.Mischief == Mischief.OtherEvent) scope.RecordAs("audit.viewed");
        return thing.Version + 1;
    }
}

internal sealed record PeekUnlogged(Guid Id) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Unlogged("a test of what may not be").ForSelf("a test of what may not be");
}

internal sealed class PeekUnloggedHandler : IHandler<PeekUnlogged, string>
{
    public async Task<Result<string>> Handle(PeekUnlogged request, OperationScope scope, CancellationToken cancel) =>
        (await scope.OpenOne(scope.Db.Set<ThingRow>().Where(thing => thing.Id == request.Id), cancel))!.Payload.Name;
}

internal sealed record ListThings : IOperation<int>
{
    public static Policy Policy { get; } = Policy.Reads("patient.listed").Needs(Permission.PatientExport).Lists(Things.Thing).WithStepUp();
}

internal sealed class ListThingsHandler : IHandler<ListThings, int>
{
    public async Task<Result<int>> Handle(ListThings request, OperationScope scope, CancellationToken cancel) =>
        (await scope.Open(scope.Db.Set<ThingRow>().OrderBy(thing => thing.Id), cancel)).Count;
}

internal sealed record AddManyThings(int Count) : IOperation<int>
{
    public static Policy Policy { get; } = Policy.Changes("patient.created").Needs(Permission.PatientEdit).About(Resource.Clinic);
}

internal sealed class AddManyThingsHandler : IHandler<AddManyThings, int>
{
    public async Task<Result<int>> Handle(AddManyThings request, OperationScope scope, CancellationToken cancel)
    {
        var rows = Enumerable.Range(0, request.Count).Select(n => (Id: scope.NewId(), n)).Select(made => new ThingRow { Id = made.Id, SubjectId = made.Id, Status = "bulk" + made.n, Payload = new("Bulk " + made.n) }).ToList();
        await scope.Writer.Insert(rows, cancel);
        foreach (var row in rows) scope.Show(row);
        return rows.Count;
    }
}
