using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Streams;

/// <summary>A stream as it is shown: with whether there is a key, never with it or the secret.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Kind">syslog or webhook.</param>
/// <param name="Shape">native, ocsf or fhir.</param>
/// <param name="Url">Of a webhook: where it answers.</param>
/// <param name="Host">Of syslog: the receiver's host.</param>
/// <param name="Port">Of syslog: its port.</param>
/// <param name="TrustedCa">PEM of the only authorities that are believed, or null.</param>
/// <param name="ClientCertificate">PEM of the certificate that is shown to the receiver, or null.</param>
/// <param name="Categories">Only these; empty for all.</param>
/// <param name="Severity">Only what matters as much; null for all.</param>
/// <param name="Actions">Only these; empty for all.</param>
/// <param name="State">working, failing, stuck (somebody must decide about a message) or paused.</param>
/// <param name="LastIndex">The last index that is acknowledged, or null.</param>
/// <param name="Behind">Signed events that are not acknowledged yet.</param>
/// <param name="SecondsBehind">How long ago the first of them happened.</param>
/// <param name="AcknowledgedAt">When something was acknowledged last.</param>
/// <param name="Fault">Why the last attempt was in vain, as an error.</param>
/// <param name="Answer">The number the receiver answered then.</param>
/// <param name="FailingSince">Since when.</param>
/// <param name="RetryAt">When it is tried again.</param>
/// <param name="Letter">The message about which somebody must decide.</param>
public sealed record StreamView(
    Guid Id, string Name, string Kind, string Shape, string? Url, string? Host, int? Port, string? TrustedCa, string? ClientCertificate, IReadOnlyList<string> Categories, string? Severity, IReadOnlyList<string> Actions,
    string State, long? LastIndex, long Behind, long SecondsBehind, DateTimeOffset? AcknowledgedAt, Error? Fault, int? Answer, DateTimeOffset? FailingSince, DateTimeOffset? RetryAt, Guid? Letter)
{
    internal const string Working = "working", Failing = "failing", Stuck = "stuck", Paused = "paused";

    /// <summary>Where it leads, in a line.</summary>
    public string Address => Url ?? $"{Host}:{Port}";

    /// <summary>Not the addresses: records are printed by whoever logs them.</summary>
    public override string ToString() => nameof(StreamView);
}

/// <summary>The clinic's streams, and how far the log has come.</summary>
/// <param name="Streams">In the order they were made.</param>
/// <param name="Size">Signed events.</param>
public sealed record StreamsView(IReadOnlyList<StreamView> Streams, long Size);

/// <summary>Shows the clinic's streams and how far each is.</summary>
internal sealed record ViewStreams : IOperation<StreamsView>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.AuditStream).About(Resource.Clinic);
}

/// <summary>Shows one of them.</summary>
internal sealed record ViewStream(Guid Stream) : IOperation<StreamView>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.AuditStream).About(StreamResource.Stream);

    Guid IAbout.ResourceId => Stream;
}

internal sealed class ViewStreamsHandler(ClinicSlices slices) : IHandler<ViewStreams, StreamsView>, IHandler<ViewStream, StreamView>
{
    public async Task<Result<StreamsView>> Handle(ViewStreams request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("streams");
        var size = await slices.SizeAsync(cancel);
        var states = await scope.Db.Set<StreamStateRow>().AsNoTracking().ToDictionaryAsync(row => row.Id, cancel);
        var views = new List<StreamView>();
        foreach (var row in (await scope.Open(scope.Db.Set<StreamRow>().AsNoTracking(), cancel)).OrderBy(row => row.Id)) views.Add(await OfAsync(row, states[row.Id], size, scope.Now, cancel));
        return new StreamsView(views, size);
    }

    public async Task<Result<StreamView>> Handle(ViewStream request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("streams");
        var id = request.Stream;
        if (await scope.OpenOne(scope.Db.Set<StreamRow>().AsNoTracking().Where(row => row.Id == id), cancel) is not { } stream) return PlatformErrors.NotFound;
        return await OfAsync(stream, await scope.Db.Set<StreamStateRow>().AsNoTracking().FirstAsync(row => row.Id == id, cancel), await slices.SizeAsync(cancel), scope.Now, cancel);
    }

    private async Task<StreamView> OfAsync(StreamRow row, StreamStateRow state, long size, DateTimeOffset now, CancellationToken cancel)
    {
        var details = row.Payload;
        var since = state.NextIndex < size ? await slices.TimeAsync(state.NextIndex, cancel) : null;
        var fault = state.Fault is { } name && Enum.TryParse<StreamFault>(name, out var known) ? StreamErrors.Of(known) : null;
        return new(
            row.Id, details.Name, row.Kind, row.Shape, details.Url, details.Host, details.Port, details.TrustedCa, details.ClientCertificate, details.Categories, details.Severity, details.Actions,
            row.Paused ? StreamView.Paused : state.LetterId is not null ? StreamView.Stuck : fault is not null ? StreamView.Failing : StreamView.Working,
            state.NextIndex > 0 ? state.NextIndex - 1 : null, Math.Max(0, size - state.NextIndex), since is { } at && at < now ? (long)(now - at).TotalSeconds : 0, state.AcknowledgedAt, fault, state.Answer, state.FailingSince,
            state.LetterId is null ? state.RetryAt : null, state.LetterId);
    }
}
