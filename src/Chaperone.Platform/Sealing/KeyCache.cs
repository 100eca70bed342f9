using System.Collections.Concurrent;

namespace Chaperone.Platform.Sealing;

/// <summary>
/// Unwrapped keys, each found for at most a minute and zeroed half a minute later, so that a revoked key ends and an operation in flight does not lose its own.
/// Three generations turned every thirty seconds: found in the first two, waiting in the third to be zeroed.
/// </summary>
internal sealed class KeyCache<TKey>(TimeProvider clock) : IDisposable where TKey : class, IDisposable
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(30);
    private readonly Lock gate = new();
    private ConcurrentDictionary<(Guid, string), TKey> current = new(), previous = new(), draining = new();
    private long turnedAt = clock.GetTimestamp();

    public TKey? Find(Guid tenant, string name)
    {
        TurnIfDue();
        return current.TryGetValue((tenant, name), out var key) || previous.TryGetValue((tenant, name), out key) ? key : null;
    }

    /// <summary>Keeps a key and returns the one to use: an equal one that another thread kept first, in which case this one is zeroed.</summary>
    public TKey Keep(Guid tenant, string name, TKey key)
    {
        var kept = current.GetOrAdd((tenant, name), key);
        if (!ReferenceEquals(kept, key)) key.Dispose();
        return kept;
    }

    public void Dispose()
    {
        foreach (var generation in new[] { current, previous, draining }) Zero(generation);
    }

    private void TurnIfDue()
    {
        if (clock.GetElapsedTime(turnedAt) < Turn) return;
        lock (gate)
        {
            if (clock.GetElapsedTime(turnedAt) < Turn) return;
            var old = clock.GetElapsedTime(turnedAt) >= 2 * Turn;   // nobody asked for a while: everything is due
            Zero(draining);
            draining = previous;
            previous = old ? new() : current;
            if (old) foreach (var (name, key) in current) draining[name] = key;
            current = new();
            turnedAt = clock.GetTimestamp();
        }
    }

    private static void Zero(ConcurrentDictionary<(Guid, string), TKey> generation)
    {
        foreach (var key in generation.Values) key.Dispose();
        generation.Clear();
    }
}
