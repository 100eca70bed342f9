using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Streams;

/// <summary>A stream as it was made, or given another secret.</summary>
/// <param name="Id">The stream.</param>
/// <param name="Secret">What a webhook's messages are signed with; shown this once.</param>
public sealed record MadeStream(Guid Id, string? Secret)
{
    /// <summary>Not the secret: records are printed by whoever logs them.</summary>
    public override string ToString() => nameof(MadeStream);
}

/// <summary>Enters a receiver of the log: from then on, or from the beginning, it gets what happens.</summary>
internal sealed record CreateStream(StreamInput Wanted) : IOperation<MadeStream>
{
    public static Policy Policy { get; } = Policy.Changes("stream.created").Needs(Permission.AuditStream).About(Resource.Clinic).WithStepUp();

    public override string ToString() => nameof(CreateStream);
}

/// <summary>Changes where a stream leads and what goes there. How far it is stays.</summary>
internal sealed record ChangeStream(Guid Stream, StreamInput Wanted) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("stream.changed").Needs(Permission.AuditStream).About(StreamResource.Stream).WithStepUp();

    Guid IAbout.ResourceId => Stream;

    public override string ToString() => nameof(ChangeStream);
}

/// <summary>Pauses a stream, or has it go on from where it was.</summary>
internal sealed record PauseStream(Guid Stream, bool Paused) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("stream.paused").Or("stream.resumed").Needs(Permission.AuditStream).About(StreamResource.Stream).WithStepUp();

    Guid IAbout.ResourceId => Stream;
}

/// <summary>Deletes a stream, and with it how far it was.</summary>
internal sealed record DeleteStream(Guid Stream) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("stream.deleted").Needs(Permission.AuditStream).About(StreamResource.Stream).WithStepUp();

    Guid IAbout.ResourceId => Stream;
}

/// <summary>Gives a webhook another secret. For a day messages are signed with the one before too.</summary>
internal sealed record RotateStreamSecret(Guid Stream) : IOperation<MadeStream>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("stream.secret_rotated").Needs(Permission.AuditStream).About(StreamResource.Stream).WithStepUp();

    Guid IAbout.ResourceId => Stream;
}

internal sealed class ChangeStreamsHandler(OutsideNetworks networks, ClinicSlices slices, ClinicLog log, StreamBell bell)
    : IHandler<CreateStream, MadeStream>, IHandler<ChangeStream, Done>, IHandler<PauseStream, Done>, IHandler<DeleteStream, Done>, IHandler<RotateStreamSecret, MadeStream>
{
    private const int Most = 8;

    public async Task<Result<MadeStream>> Handle(CreateStream request, OperationScope scope, CancellationToken cancel)
    {
        if (AuditPlan.RefusesDownload(scope) is { } refused) return refused;
        if (await log.WithholdsAsync(cancel)) return StreamErrors.Withheld;   // a stream leaves nothing out: not of what who enters it may not read
        await scope.TakeTurns([scope.Tenant.Id], cancel);   // two at once must not both be the last that fits
        if (await scope.Db.Set<StreamRow>().CountAsync(cancel) >= Most) return StreamErrors.TooMany;
        var kind = request.Wanted.Kind;
        var read = StreamInputs.Read(request.Wanted, kind, null, networks);
        if (read.Error is { } invalid) return invalid;
        var secret = kind == StreamRow.Webhook ? WebhookSignature.NewSecret() : null;
        var row = new StreamRow { Id = scope.NewId(), Kind = kind!, Shape = read.Value.Shape, Payload = read.Value.Details with { Secret = secret } };
        scope.Add(row);
        var next = request.Wanted.Start == StreamInput.Beginning ? 0 : await slices.SizeAsync(cancel);
        scope.Db.Add(new StreamStateRow { TenantId = scope.Tenant.Id, Id = row.Id, NextIndex = next });
        scope.Concerns(StreamResource.Stream.Type, row.Id);
        scope.Note("kind", row.Kind);
        scope.Note("shape", row.Shape);
        scope.Note("from_index", next);
        bell.RingAfter(scope);
        return new MadeStream(row.Id, secret);
    }

    public async Task<Result<Done>> Handle(ChangeStream request, OperationScope scope, CancellationToken cancel)
    {
        if (await FindAsync(scope, request.Stream, cancel) is not { } row) return PlatformErrors.NotFound;
        if (await log.WithholdsAsync(cancel)) return StreamErrors.Withheld;
        var read = StreamInputs.Read(request.Wanted, row.Kind, row.Payload, networks);
        if (read.Error is { } invalid) return invalid;
        (row.Payload, row.Shape) = read.Value;
        await StartAnewAsync(scope, request.Stream, cancel);
        return default(Done);
    }

    public async Task<Result<Done>> Handle(PauseStream request, OperationScope scope, CancellationToken cancel)
    {
        if (!request.Paused && AuditPlan.RefusesDownload(scope) is { } refused) return refused;
        if (await FindAsync(scope, request.Stream, cancel) is not { } row) return PlatformErrors.NotFound;
        row.Paused = request.Paused;
        if (!request.Paused) await StartAnewAsync(scope, request.Stream, cancel);
        scope.RecordAs(request.Paused ? "stream.paused" : "stream.resumed");
        return default(Done);
    }

    public async Task<Result<Done>> Handle(DeleteStream request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.Stream;
        if (await FindAsync(scope, id, cancel) is not { } row) return PlatformErrors.NotFound;
        var state = await scope.Db.Set<StreamStateRow>().AsNoTracking().FirstOrDefaultAsync(each => each.Id == id, cancel);
        scope.Db.Remove(row);
        await scope.Db.Set<StreamStateRow>().Where(each => each.Id == id).ExecuteDeleteAsync(cancel);
        await scope.Db.Set<StreamLetterRow>().Where(each => each.StreamId == id).ExecuteDeleteAsync(cancel);
        if (state is not null) scope.Note("next_index", state.NextIndex);
        bell.RingAfter(scope);
        return default(Done);
    }

    public async Task<Result<MadeStream>> Handle(RotateStreamSecret request, OperationScope scope, CancellationToken cancel)
    {
        if (await FindAsync(scope, request.Stream, cancel) is not { } row) return PlatformErrors.NotFound;
        if (row.Kind != StreamRow.Webhook) return StreamErrors.NoSecret;
        var secret = WebhookSignature.NewSecret();
        row.Payload = row.Payload with { Secret = secret, OldSecret = row.Payload.Secret, OldSecretUntil = scope.Now + StreamLimits.OldSecretFor };
        bell.RingAfter(scope);
        return new MadeStream(row.Id, secret);
    }

    private static Task<StreamRow?> FindAsync(OperationScope scope, Guid id, CancellationToken cancel) => scope.OpenOne(scope.Db.Set<StreamRow>().Where(row => row.Id == id), cancel);

    // What was in the way may be so no more: tried at once, and cut out of the log anew.
    private async Task StartAnewAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        await scope.Db.Set<StreamStateRow>().Where(row => row.Id == id)
            .ExecuteUpdateAsync(row => row.SetProperty(each => each.PendingEnd, (long?)null).SetProperty(each => each.RetryAt, (DateTimeOffset?)null).SetProperty(each => each.Attempts, 0), cancel);
        bell.RingAfter(scope);
    }
}
