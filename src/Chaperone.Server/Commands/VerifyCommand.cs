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
        if (request.Subject is { } location)
        {
            var report = Verifier.VerifyAt(location, request.Files, cancel);
            await Console.Out.WriteAsync(request.Json ? report.ToJson() + "\n" : report.ToText());
            return report.ExitCode;
        }

        if (request.Files.Key is not null) throw new CommandRefusedException("--key goes with a PATH or URL: the installation's own logs have their keys with them.");
        if (request.Files.Event is not null || request.Files.Token is not null) throw new CommandRefusedException("--event goes with a .tlog-proof, --token with a URL.");
        var older = request.Files.Checkpoint is { } file ? await ReadAsync(file, cancel) : (ReadOnlyMemory<byte>?)null;
        await using var session = await OperatorSession.OpenAsync(request.Data, request.RootKey, cancel);
        var progress = request.Json || Console.IsErrorRedirected ? null : new Progress<VerifyProgress>(step => Console.Error.Write($"\r{step.Clinic}: {step.Done:N0} of {step.Total:N0} "));
        var reports = await session.Services.GetRequiredService<DatabaseVerifier>().VerifyAllAsync(older, progress, cancel);
        if (progress is not null) await Console.Error.WriteAsync("\r");
        if (request.Json) await Console.Out.WriteLineAsync(new JsonArray([.. reports.Select(report => JsonNode.Parse(report.ToJson()))]).ToJsonString(JsonSerializerOptions.Web));
        else foreach (var report in reports) await Console.Out.WriteAsync(report.ToText());
        return reports.Count == 0 ? 0 : reports.Any(report => report.ExitCode == 1) ? 1 : reports.Max(report => report.ExitCode);
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
