namespace Chaperone.Server.Commands;

/// <summary>What to check: a path or URL, or null for the database of the data folder.</summary>
internal sealed record VerifyRequest(string? Subject, string? KeyFile, string? CheckpointFile, bool Json, string Data);

/// <summary>Checks a log: exit code 0 good, 1 tampered, 2 could not check.</summary>
internal static class VerifyCommand
{
    public static Task<int> RunAsync(VerifyRequest request, CancellationToken cancel) =>
        throw new CommandRefusedException("This version cannot verify yet.");
}
