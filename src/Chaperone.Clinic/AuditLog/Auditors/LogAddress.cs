using System.Text;
using Chaperone.Clinic.AuditLog.Proving;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.AuditLog.Auditors;

/// <summary>Begins to read the log's tree from outside. Its event stands for all that the same token reads from the same address within an hour.</summary>
/// <param name="Log">The log named in the address: the clinic's id.</param>
/// <param name="TokenHash">SHA-256 of the token; null without one.</param>
internal sealed record BeginLogReading(Guid Log, byte[]? TokenHash) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Reads("audit.tree_read").ForAnybody("auditors do not sign in: the token is the key, and which it was stands in the event; or the clinic lets everybody");

    public override string ToString() => nameof(BeginLogReading);
}

/// <summary>Reads one file of the log's tree. Looks at the token each time, so that a revoked one ends at once.</summary>
/// <param name="Log">The log named in the address.</param>
/// <param name="TokenHash">SHA-256 of the token; null without one.</param>
/// <param name="File"><c>checkpoint</c>, <c>vkey</c>, or the path of a tile.</param>
internal sealed record ReadLogFile(Guid Log, byte[]? TokenHash, string File) : IOperation<byte[]>
{
    public static Policy Policy { get; } = Policy
        .Unlogged("a verifier reads thousands of tiles, which hold nobody's data and never change; audit.tree_read stands for those of one token and address within an hour")
        .ForAnybody("as for the reading it belongs to");

    public override string ToString() => nameof(ReadLogFile);
}

internal sealed class LogAddressHandler(LogReaders readers, ClinicEvidence evidence) : IHandler<BeginLogReading, Done>, IHandler<ReadLogFile, byte[]>
{
    public async Task<Result<Done>> Handle(BeginLogReading request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Log != scope.Tenant.Id) return PlatformErrors.NotFound;
        if (await readers.FindAsync(scope, request.TokenHash, cancel) is not { } reader) return ProofErrors.NoReader;
        if (reader.Token is { } token) scope.Concerns("log_token", token);
        scope.Note("by", reader.Token is null ? "everybody" : "token");
        return default(Done);
    }

    public async Task<Result<byte[]>> Handle(ReadLogFile request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Log != scope.Tenant.Id) return PlatformErrors.NotFound;
        if (await readers.FindAsync(scope, request.TokenHash, cancel) is null) return ProofErrors.NoReader;
        if (request.File == LogAddress.Key) return Encoding.UTF8.GetBytes(await evidence.KeyAsync(cancel) + "\n");
        if (await evidence.NewestAsync(cancel) is not { } note || !Checkpoint.TryParse(note.Text, out var head)) return PlatformErrors.NotFound;
        if (request.File == LogAddress.Checkpoint) return note.ToBytes();
        // Nothing that is not signed yet, and partial tiles of every width that some checkpoint had.
        return TileAddress.TryParse(request.File, out var address) && await evidence.TileAsync(address, head.Size, cancel) is { } bytes ? bytes : PlatformErrors.NotFound;
    }
}

/// <summary>Which readings are under way on this node, so that each leaves one event; and guesses of tokens, counted apart from guesses of passwords.</summary>
internal sealed class LogReadings(TimeProvider clock)
{
    private const int Most = 10_000;
    private static readonly TimeSpan Length = TimeSpan.FromHours(1);
    private readonly Dictionary<(Guid, string, string), long> begun = [];
    private readonly Lock gate = new();

    public NetworkLimit Guesses { get; } = new(clock);

    public SemaphoreSlim Turn { get; } = new(1, 1);

    public bool IsUnderWay((Guid, string, string) reading)
    {
        lock (gate) return begun.TryGetValue(reading, out var since) && clock.GetElapsedTime(since) < Length;
    }

    public void Begun((Guid, string, string) reading)
    {
        lock (gate)
        {
            if (begun.Count >= Most) begun.Clear();   // they leave an event once more
            begun[reading] = clock.GetTimestamp();
        }
    }
}

/// <summary>The log's address, <c>/ledger/&lt;clinic id&gt;/</c>: a C2SP tlog-tiles prefix.</summary>
internal static class LogAddress
{
    public const string Checkpoint = "checkpoint", Key = "vkey";

    public static string PathOf(Guid tenant) => $"/ledger/{tenant}/";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var log = routes.MapGroup("/ledger/{log:guid}").ExcludeFromDescription();
        log.MapGet(Checkpoint, (HttpContext http, Guid log) => Serve(http, log, Checkpoint)).Runs(typeof(BeginLogReading), typeof(ReadLogFile), typeof(NoteNetworkLimited));
        log.MapGet(Key, (HttpContext http, Guid log) => Serve(http, log, Key)).Runs(typeof(BeginLogReading), typeof(ReadLogFile), typeof(NoteNetworkLimited));
        log.MapGet("tile/{**path}", (HttpContext http, Guid log, string? path) => Serve(http, log, "tile/" + path))
            .Runs(typeof(BeginLogReading), typeof(ReadLogFile), typeof(NoteNetworkLimited)).WithMetadata(new KeptByBrowser());
    }

    private static async Task<IResult> Serve(HttpContext http, Guid log, string file)
    {
        var readings = http.RequestServices.GetRequiredService<LogReadings>();
        var hash = SecretToken.HashOf(http.Request.Headers.Authorization.ToString() is ['B' or 'b', 'e', 'a', 'r', 'e', 'r', ' ', .. var given] ? given : null);
        var begun = await Begin(http, readings, log, hash);
        if (begun.Error is { } closed) return Refuse(http, closed);
        var read = await http.Run(new ReadLogFile(log, hash, file));
        return read.Error is { } error ? Refuse(http, error) : Results.Bytes(read.Value, file is Checkpoint or Key ? "text/plain; charset=utf-8" : "application/octet-stream");
    }

    private static async Task<Result<Done>> Begin(HttpContext http, LogReadings readings, Guid log, byte[]? hash)
    {
        var (tenant, ip) = (http.Context().Tenant!.Id, http.Context().ClientIp);
        var reading = (log, hash is null ? "" : Convert.ToHexStringLower(hash), ip ?? "");
        if (readings.IsUnderWay(reading)) return default(Done);
        // Counted before it is looked at and given back when it was right: 256 bits are not guessed, and a flood is told of once.
        if (readings.Guesses.Enter(tenant, ip) is { } refusal) return await refusal.TellAsync(http, http.RequestServices.GetRequiredService<ReferenceMonitor>(), http.Caller());
        await readings.Turn.WaitAsync(http.RequestAborted);
        try
        {
            var begun = readings.IsUnderWay(reading) ? default(Done) : await http.Run(new BeginLogReading(log, hash));
            if (begun.Error is not null) return begun;
            readings.Begun(reading);
            readings.Guesses.GiveBack(tenant, ip);
            return begun;
        }
        finally
        {
            readings.Turn.Release();
        }
    }

    private static IResult Refuse(HttpContext http, Error error)
    {
        if (error.Status == StatusCodes.Status401Unauthorized) http.Response.Headers.WWWAuthenticate = "Bearer";
        return Problem.Of(error);
    }
}
