using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>
/// Appends the events of many callers, of any clinics, in one transaction; each caller waits until their own are durable. For what changed nothing: reads, refusals, failures.
/// </summary>
/// <remarks>
/// Nobody waits for company: whoever comes while no transaction is under way starts one, whoever comes later goes with the next; a second runs beside it only while more wait than one takes.
/// So one caller waits for one commit, and the busier it is the more share each. When PostgreSQL refuses a transaction, each caller's events are tried alone, so that one cannot fail another's.
/// Callers beyond <see cref="MostWaiting"/> wait to be let in.
/// </remarks>
public sealed class GroupAppender(Databases databases) : IDisposable
{
    private const int MostTogether = 256;
    private const int MostWaiting = 4096;

    private readonly SemaphoreSlim room = new(MostWaiting);
    private readonly Lock gate = new();
    private readonly Queue<Waiting> queue = [];
    private int flushing;

    /// <summary>How many transactions were committed; for tests and measurements.</summary>
    internal long Committed;

    /// <summary>Appends the events of one caller, all or none of them. Returns when they are durable.</summary>
    /// <exception cref="NpgsqlException">They were not stored, or, when the connection was lost at the commit, perhaps were.</exception>
    public async Task AppendAsync(IReadOnlyList<PreparedEvent> events, CancellationToken cancel)
    {
        await room.WaitAsync(cancel);
        try
        {
            var mine = new Waiting(events);
            bool start;
            lock (gate)
            {
                queue.Enqueue(mine);
                start = flushing == 0 || (flushing == 1 && queue.Count > MostTogether);
                if (start) flushing++;
            }
            if (start) _ = FlushAsync();
            await mine.Done.Task;
        }
        finally
        {
            room.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => room.Dispose();

    private async Task FlushAsync()
    {
        while (Next() is { Count: > 0 } together) await StoreAsync(together);
    }

    private List<Waiting> Next()
    {
        var together = new List<Waiting>();
        lock (gate)
        {
            while (together.Count < MostTogether && queue.TryDequeue(out var next)) together.Add(next);
            if (together.Count == 0) flushing--;
        }
        return together;
    }

    private async Task StoreAsync(List<Waiting> together)
    {
        try
        {
            // The wait is the callers'; what they cancelled is stored all the same.
            await TenantTransaction.WriteAsync(databases.App, [LedgerAppender.CommandForAll([.. together.SelectMany(each => each.Events)])], CancellationToken.None);
            Interlocked.Increment(ref Committed);
            foreach (var each in together) each.Done.SetResult();
        }
        catch (PostgresException) when (together.Count > 1)
        {
            foreach (var each in together) await StoreAsync([each]);
        }
        catch (Exception failed)
        {
            foreach (var each in together) each.Done.SetException(failed);
        }
    }

    private sealed record Waiting(IReadOnlyList<PreparedEvent> Events)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
