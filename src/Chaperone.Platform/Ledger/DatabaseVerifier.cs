using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>How far a verification is.</summary>
/// <param name="Clinic">The clinic's name.</param>
/// <param name="Done">Events re-read.</param>
/// <param name="Total">Events in its log.</param>
public readonly record struct VerifyProgress(string Clinic, long Done, long Total);

/// <summary>The part of a log that was verified whole and good: from here a later verification may go on. It holds hashes of the tree alone, and lives in memory, where the database cannot change it.</summary>
/// <param name="Size">Events in it; whole position chunks.</param>
/// <param name="Peaks">The tree over them; see <see cref="CompactRange.Hashes"/>.</param>
public sealed record VerifiedPart(long Size, IReadOnlyList<Hash256> Peaks);

/// <summary>
/// Verifies the logs and records of the database against what was signed, believing nothing in it: every body is opened and hashed, the tree is built anew, and every record
/// is compared with the digest of its last event. Finds what a superuser with all keys did, as far as a signed checkpoint or a checkpoint kept elsewhere reaches.
/// </summary>
/// <remarks>Reads as the operator's role, in one snapshot a clinic, so it runs beside the server. Memory: about 100 bytes a record and 0.2 bytes an event.</remarks>
public sealed class DatabaseVerifier(Databases databases, LogKeys keys, CheckpointFile file, Guid installation, TimeProvider clock)
{
    /// <summary>Verifies every clinic, one after the other.</summary>
    /// <param name="older">A signed checkpoint kept elsewhere; it is held against the clinic whose log it names.</param>
    /// <param name="progress">Is told every few thousand events.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>A report for each clinic. Where nothing could be read, one report that says so.</returns>
    public async Task<IReadOnlyList<VerificationReport>> VerifyAllAsync(ReadOnlyMemory<byte>? older, IProgress<VerifyProgress>? progress, CancellationToken cancel)
    {
        var clinics = new List<(Guid Id, string Name, string Host)>();
        await using (var command = databases.Operator.CreateCommand("SELECT id, name, host FROM directory.tenant ORDER BY id"))
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel)) clinics.Add((reader.GetGuid(0), reader.GetString(1), reader.GetString(2)));
        var reports = new List<VerificationReport>();
        var belongsToOne = older is null;
        foreach (var (id, name, host) in clinics)
        {
            var isOf = older is { } bytes && NamesLog(bytes.Span, LogKeys.Origin(installation, id));
            belongsToOne |= isOf;
            reports.Add(await VerifyAsync(id, $"{name} ({host})", isOf ? older : null, progress, cancel));
        }
        if (!belongsToOne)
        {
            var stranger = new VerificationReport { Subject = "the given checkpoint" };
            stranger.CannotCheck("The given checkpoint is of no log of this installation.");
            reports.Add(stranger);
        }
        return reports;
    }

    /// <summary>Verifies one clinic.</summary>
    /// <param name="tenant">Which.</param>
    /// <param name="subject">How the report calls it.</param>
    /// <param name="older">A signed checkpoint of its log, kept elsewhere.</param>
    /// <param name="progress">Is told every few thousand events.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <param name="living">Is told each record that is as its event says, with the index of that event.</param>
    /// <param name="after">
    /// What was verified before, if only what is new since then is to be read: the events from there on, that the signed heads continue it, and the records that these events changed. An older event or
    /// record that was altered meanwhile, stored tiles and rows that nothing speaks of are not looked at: that takes a whole verification.
    /// </param>
    /// <param name="reached">Is told how far a later one may rely on this one, if it was good.</param>
    public async Task<VerificationReport> VerifyAsync(
        Guid tenant, string subject, ReadOnlyMemory<byte>? older, IProgress<VerifyProgress>? progress, CancellationToken cancel, Action<EventRecord, long>? living = null, VerifiedPart? after = null,
        Action<VerifiedPart>? reached = null)
    {
        var report = new VerificationReport { Subject = subject };
        try
        {
            var signer = await keys.Signer(tenant, LogKeys.Origin(installation, tenant), cancel);
            // Before the snapshot: a checkpoint is filed after its tree is stored, so the snapshot holds at least that tree.
            var outside = file.Read(tenant);
            await using var connection = await databases.Operator.OpenConnectionAsync(cancel);
            await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
            await using (var readOnly = new NpgsqlCommand("SET TRANSACTION READ ONLY", connection)) await readOnly.ExecuteNonQueryAsync(cancel);
            var heads = await SignedHeads.LoadAsync(connection, tenant, signer.Key, report, cancel);
            if (outside is { } filed) heads.Add(filed, signer.Key, $"the checkpoint file {file.PathOf(tenant)}", report);
            else report.AddNote($"There is no checkpoint file {file.PathOf(tenant)}: a log truncated or made anew by whoever rules the database would not be noticed.");
            if (older is { } kept) heads.Add(kept.Span, signer.Key, "the given checkpoint", report);
            var run = new LogVerification(connection, tenant, keys, heads, report, clock.GetUtcNow(), progress, living);
            await run.RunAsync(after, cancel);
            if (report.ExitCode == 0 && run.Reached is { } part) reached?.Invoke(part);
        }
        catch (Exception unreadable) when (unreadable is NpgsqlException or IOException or UnauthorizedAccessException or Encryption.SealBrokenException)
        {
            report.CannotCheck(unreadable.Message);
        }
        return report;
    }

    private static bool NamesLog(ReadOnlySpan<byte> note, string origin) =>
        SignedNote.TryParse(note, out var signed) && Checkpoint.TryParse(signed.Text, out var checkpoint) && checkpoint.Origin == origin;
}

/// <summary>Every signed tree head that a clinic's log must agree with, by size.</summary>
internal sealed class SignedHeads
{
    private readonly SortedDictionary<long, List<(Checkpoint Head, string Where)>> bySize = [];

    /// <summary>The newest checkpoint of the database and when it was signed.</summary>
    public (Checkpoint Head, DateTimeOffset SignedAt)? Newest { get; private set; }

    public IEnumerable<(Checkpoint Head, string Where)> All => bySize.Values.SelectMany(list => list);

    public long Largest => bySize.Count == 0 ? 0 : bySize.Keys.Last();

    public static async Task<SignedHeads> LoadAsync(NpgsqlConnection connection, Guid tenant, VerifierKey key, VerificationReport report, CancellationToken cancel)
    {
        var heads = new SignedHeads();
        await using var command = new NpgsqlCommand("SELECT size, root, note, signed_at FROM ledger.checkpoint WHERE tenant_id = $1 ORDER BY size", connection)
        {
            Parameters = { new() { Value = tenant } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var (size, root) = (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
            var where = $"the checkpoint of size {size} in the database";
            if (heads.Add(System.Text.Encoding.UTF8.GetBytes(reader.GetString(2)), key, where, report) is not { } head) continue;
            if (head.Size != size || !head.Root.ToArray().AsSpan().SequenceEqual(root)) report.AddProblem(null, $"The columns of {where} are not what its note says.");
            heads.Newest = (head, reader.GetFieldValue<DateTimeOffset>(3));
        }
        return heads;
    }

    public Checkpoint? Add(ReadOnlySpan<byte> note, VerifierKey key, string where, VerificationReport report)
    {
        if (!Checkpoint.TryOpen(note, key, out var head))
        {
            report.AddProblem(null, $"The signature of {where} is not good.");
            return null;
        }
        if (!bySize.TryGetValue(head.Size, out var list)) bySize[head.Size] = list = [];
        list.Add((head, where));
        return head;
    }

    public IReadOnlyList<(Checkpoint Head, string Where)> At(long size) => bySize.TryGetValue(size, out var list) ? list : [];
}
