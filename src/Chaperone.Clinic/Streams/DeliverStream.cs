using System.Reflection;
using System.Security.Cryptography;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Streams;

/// <summary>Gives the runner the clinic's streams that are not paused.</summary>
internal sealed record ReadStreams : IOperation<IReadOnlyList<Guid>>
{
    public static Policy Policy { get; } = Policy.Unlogged("ids of streams, each time the log has grown; nobody's data").ForSystem("the log is streamed by the system");
}

/// <summary>What is to be sent next by a stream.</summary>
/// <param name="Stream">The stream, opened; null when nothing is to be sent now.</param>
/// <param name="Message">What to send; null when it cannot be read.</param>
/// <param name="RetryAt">When to ask again, where that has a time.</param>
/// <param name="Again">Whether there may be more right away.</param>
internal sealed record StreamTurn(StreamRow? Stream, StreamMessage? Message, DateTimeOffset? RetryAt = null, bool Again = false);

/// <summary>Takes the next run of events out of the log for a stream, and keeps where it ends, so that it is sent again exactly so.</summary>
internal sealed record TakeStreamTurn(Guid Stream) : IOperation<StreamTurn>
{
    public static Policy Policy { get; } =
        Policy.Unlogged("the log on its way to a receiver that somebody entered, which is an event; one for each delivery would itself be delivered, without end").ForSystem("the log is streamed by the system");
}

/// <summary>Says what came of a message.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Message">What was sent; null when it could not be read.</param>
/// <param name="Delivery">What came of it.</param>
internal sealed record FinishStreamTurn(Guid Stream, StreamMessage? Message, Delivery Delivery) : IOperation<StreamOutcome>
{
    public static Policy Policy { get; } = Policy.Unlogged("how far a receiver has acknowledged; one event for each delivery would itself be delivered, without end").ForSystem("the log is streamed by the system");
}

/// <summary>What there is to do after a message.</summary>
internal enum StreamOutcome
{
    /// <summary>It is acknowledged.</summary>
    Acknowledged,

    /// <summary>It is acknowledged, and people were told that the stream fails.</summary>
    Recovered,

    /// <summary>It is tried again.</summary>
    Waits,

    /// <summary>It is tried again, and has failed for so long that people are told.</summary>
    Fails,

    /// <summary>It is given up: somebody must decide.</summary>
    GivenUp,

    /// <summary>The receiver wants nothing more.</summary>
    Ended,
}

internal sealed class DeliverStreamHandler(ClinicSlices slices) : IHandler<ReadStreams, IReadOnlyList<Guid>>, IHandler<TakeStreamTurn, StreamTurn>, IHandler<FinishStreamTurn, StreamOutcome>
{
    private const int MostEvents = 200, MostBytes = 512 * 1024, MostReads = 16;

    private static readonly string Version = typeof(DeliverStreamHandler).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public async Task<Result<IReadOnlyList<Guid>>> Handle(ReadStreams request, OperationScope scope, CancellationToken cancel) =>
        Result<IReadOnlyList<Guid>>.Of(await scope.Db.Set<StreamRow>().AsNoTracking().Where(row => !row.Paused).Select(row => row.Id).ToListAsync(cancel));

    public async Task<Result<StreamTurn>> Handle(TakeStreamTurn request, OperationScope scope, CancellationToken cancel)
    {
        var nothing = new StreamTurn(null, null);
        var id = request.Stream;
        if (AuditPlan.RefusesDownload(scope) is not null) return nothing;
        var state = await scope.Db.Set<StreamStateRow>().AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancel);
        if (state is null || state.LetterId is not null) return nothing;
        if (state.RetryAt is { } retry && retry > scope.Now) return nothing with { RetryAt = retry };
        if ((await scope.OpenCandidates(scope.Db.Set<StreamRow>().AsNoTracking().Where(row => row.Id == id && !row.Paused), cancel)).FirstOrDefault() is not { } stream) return nothing;
        try
        {
            var (at, events, origin) = await ReadAsync(state, stream.Payload, cancel);
            if (at == state.NextIndex) return nothing;
            if (events.Count == 0)
            {
                await Only(scope, state).ExecuteUpdateAsync(row => row.SetProperty(each => each.NextIndex, at).SetProperty(each => each.PendingEnd, (long?)null), cancel);
                return nothing with { Again = true };
            }
            if (state.PendingEnd is null) await Only(scope, state).ExecuteUpdateAsync(row => row.SetProperty(each => each.PendingEnd, (long?)at), cancel);
            var context = ContextOf(scope, origin) with { Patients = stream.Shape == StreamRow.Fhir ? await PatientsAsync(scope, events, cancel) : new HashSet<Guid>() };
            return new StreamTurn(stream, new(id, state.NextIndex, at, events, stream.Shape, context));
        }
        catch (InvalidDataException)
        {
            return new StreamTurn(stream, null);
        }
    }

    public async Task<Result<StreamOutcome>> Handle(FinishStreamTurn request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.Stream;
        var state = await scope.Db.Set<StreamStateRow>().AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancel);
        // Somebody was faster or has changed the stream meanwhile: what they did stands.
        if (state is null || (request.Message is { } message && (state.NextIndex != message.From || state.PendingEnd != message.End))) return PlatformErrors.Conflict;
        return request.Delivery.Fault is { } fault ? await FailAsync(scope, state, request, fault, cancel) : await AcknowledgeAsync(scope, state, request.Message!.End, cancel);
    }

    /// <summary>What shapes say besides.</summary>
    public static ShapeContext ContextOf(OperationScope scope, string origin) => new(scope.Tenant.Id, scope.Tenant.Host, origin, Version, new HashSet<Guid>());

    private async Task<(long End, List<SliceEvent> Events, string Origin)> ReadAsync(StreamStateRow state, StreamDetails details, CancellationToken cancel)
    {
        var (at, events, bytes, origin) = (state.NextIndex, new List<SliceEvent>(), 0, "");
        var most = at < state.SingleUntil ? 1 : MostEvents;
        for (var reads = 0; reads < MostReads && at < (state.PendingEnd ?? long.MaxValue); reads++)
        {
            if (state.PendingEnd is null && events.Count > 0) break;
            if (await slices.ReadAsync(at, state.PendingEnd ?? long.MaxValue, cancel) is not { } slice) break;
            origin = slice.Origin;
            foreach (var each in slice.Events)
            {
                if (StreamFilter.LetsThrough(details, each))
                {
                    if (state.PendingEnd is null && events.Count > 0 && (events.Count >= most || bytes + each.Line.Length > MostBytes)) return (at, events, origin);
                    events.Add(each);
                    bytes += each.Line.Length;
                }
                at = each.Index + 1;
            }
        }
        return (at, events, origin);
    }

    private static async Task<StreamOutcome> AcknowledgeAsync(OperationScope scope, StreamStateRow state, long end, CancellationToken cancel)
    {
        await Only(scope, state).ExecuteUpdateAsync(
            row => row.SetProperty(each => each.NextIndex, end).SetProperty(each => each.PendingEnd, (long?)null).SetProperty(each => each.AcknowledgedAt, (DateTimeOffset?)scope.Now).SetProperty(each => each.Attempts, 0)
                .SetProperty(each => each.Fault, (string?)null).SetProperty(each => each.Answer, (int?)null).SetProperty(each => each.FailingSince, (DateTimeOffset?)null)
                .SetProperty(each => each.RetryAt, (DateTimeOffset?)null).SetProperty(each => each.Told, false), cancel);
        return state.Told ? StreamOutcome.Recovered : StreamOutcome.Acknowledged;
    }

    private static async Task<StreamOutcome> FailAsync(OperationScope scope, StreamStateRow state, FinishStreamTurn request, StreamFault fault, CancellationToken cancel)
    {
        var (attempts, since) = (state.Attempts + 1, state.FailingSince ?? scope.Now);
        var (single, pending, wait) = (state.SingleUntil, state.PendingEnd, request.Delivery.RetryAfter ?? StreamLimits.WaitAfter(attempts));
        if (fault == StreamFault.Refused && request.Message is { Events.Count: > 1 } many) (single, pending, wait, attempts) = (many.End, null, TimeSpan.Zero, 0);   // one at a time, to find which it is
        await Only(scope, state).ExecuteUpdateAsync(
            row => row.SetProperty(each => each.SingleUntil, single).SetProperty(each => each.PendingEnd, pending).SetProperty(each => each.Attempts, attempts).SetProperty(each => each.Fault, fault.ToString())
                .SetProperty(each => each.Answer, request.Delivery.Answer).SetProperty(each => each.FailingSince, (DateTimeOffset?)since).SetProperty(each => each.RetryAt, (DateTimeOffset?)(scope.Now + wait)), cancel);
        if (fault == StreamFault.Gone) return StreamOutcome.Ended;
        if (fault == StreamFault.Refused && request.Message is { Events.Count: 1 } && attempts >= StreamLimits.Refusals) return StreamOutcome.GivenUp;
        return !state.Told && scope.Now - since >= StreamLimits.ToldAfter ? StreamOutcome.Fails : StreamOutcome.Waits;
    }

    private static async Task<IReadOnlySet<Guid>> PatientsAsync(OperationScope scope, List<SliceEvent> events, CancellationToken cancel)
    {
        var people = events.SelectMany(each => each.Event?.Subjects ?? []).Distinct().ToArray();
        return (await scope.Db.Set<PatientRow>().AsNoTracking().Where(row => people.Contains(row.Id)).Select(row => row.Id).ToListAsync(cancel)).ToHashSet();
    }

    // Only while nobody else has moved it on.
    private static IQueryable<StreamStateRow> Only(OperationScope scope, StreamStateRow state)
    {
        var (id, next) = (state.Id, state.NextIndex);
        return scope.Db.Set<StreamStateRow>().Where(row => row.Id == id && row.NextIndex == next);
    }
}

/// <summary>How hard a message is tried.</summary>
internal static class StreamLimits
{
    /// <summary>So often a receiver refuses one event before somebody must decide about it.</summary>
    public const int Refusals = 5;

    /// <summary>How long a stream fails before there is an event of it.</summary>
    public static readonly TimeSpan ToldAfter = TimeSpan.FromMinutes(5);

    /// <summary>How long the secret before goes on being used beside a new one.</summary>
    public static readonly TimeSpan OldSecretFor = TimeSpan.FromHours(24);

    private static readonly TimeSpan First = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromMinutes(15);

    /// <summary>How long to wait after so many attempts in vain: five seconds, doubled each time up to a quarter of an hour, a fifth more or less so that many do not come back at once.</summary>
    public static TimeSpan WaitAfter(int attempts) =>
        TimeSpan.FromSeconds(Math.Min(First.TotalSeconds * Math.Pow(2, Math.Clamp(attempts - 1, 0, 20)), Longest.TotalSeconds) * (0.8 + (RandomNumberGenerator.GetInt32(0, 401) / 1000.0)));
}
