using System.Text.Json;
using System.Text.Json.Nodes;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Server.Commands;

/// <summary>What to check: a path or URL, or null for the database of the data folder.</summary>
internal sealed record VerifyRequest(string? Subject, VerifyFiles Files, bool Json, string Data, string? RootKey = null);

/// <summary>Checks a log: exit code 0 good, 1 tampered, 2 could not check.</summary>
internal static class VerifyCommand
{
    public static async Task<int> RunAsync(VerifyRequest request, CancellationToken cancel)
    {
        var pace = new VerifyPace(TimeProvider.System, request.Json || Console.IsErrorRedirected ? null : Console.Error);
        if (request.Subject is { } location)
        {
            var report = Verifier.VerifyAt(location, request.Files, (done, total) => pace.Report(location, done, total), cancel);
            pace.End();
            await Console.Out.WriteAsync(request.Json ? report.ToJson() + "\n" : report.ToText());
            return report.ExitCode;
        }

        if (request.Files.Key is not null) throw new CommandRefusedException("--key goes with a PATH or URL: the installation's own logs have their keys with them.");
        if (request.Files.Event is not null || request.Files.Token is not null) throw new CommandRefusedException("--event goes with a .tlog-proof, --token with a URL.");
        var older = request.Files.Checkpoint is { } file ? await ReadAsync(file, cancel) : (ReadOnlyMemory<byte>?)null;
        await using var session = await OperatorSession.OpenAsync(request.Data, request.RootKey, cancel);
        var reports = await session.Services.GetRequiredService<DatabaseVerifier>().VerifyAllAsync(older, new Steps(pace), cancel);
        pace.End();
        if (request.Json) await Console.Out.WriteLineAsync(new JsonArray([.. reports.Select(report => JsonNode.Parse(report.ToJson()))]).ToJsonString(JsonSerializerOptions.Web));
        else foreach (var report in reports) await Console.Out.WriteAsync(report.ToText());
        return reports.Count == 0 ? 0 : reports.Any(report => report.ExitCode == 1) ? 1 : reports.Max(report => report.ExitCode);
    }

    // At once and in order, which the framework's own does not promise.
    private sealed class Steps(VerifyPace pace) : IProgress<VerifyProgress>
    {
        public void Report(VerifyProgress value) => pace.Report(value.Clinic, value.Done, value.Total);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(string file, CancellationToken cancel)
    {
        try
        {
            return CheckpointInText.Find(await File.ReadAllBytesAsync(file, cancel));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandRefusedException($"The checkpoint file {file} cannot be read: {unreadable.Message}", unreadable);
        }
    }
}
