using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>How a witness stands to a clinic's log.</summary>
/// <param name="Size">Size of the checkpoint it cosigned last; 0 for none.</param>
/// <param name="CosignedAt">When it did.</param>
/// <param name="AskedAt">When it was asked last; null for never.</param>
/// <param name="Fault">Why it did not cosign then; null where it did.</param>
/// <param name="FailingSince">Since when it has not.</param>
/// <param name="Told">What people were told of it: <see cref="Silent"/>, <see cref="Objects"/>, or null.</param>
public sealed record WitnessStanding(long Size, DateTimeOffset? CosignedAt, DateTimeOffset? AskedAt, WitnessFault? Fault, DateTimeOffset? FailingSince, string? Told)
{
    /// <summary>They were told that it has not answered for long.</summary>
    public const string Silent = "silent";

    /// <summary>They were told that it says that the log forked.</summary>
    public const string Objects = "objects";

    /// <summary>Of one that was never asked.</summary>
    public static WitnessStanding New { get; } = new(0, null, null, null, null, null);
}

/// <summary>Asks witnesses for cosignatures on a clinic's newest checkpoint, and keeps what they give. Nothing waits for it: appending and signing never do.</summary>
/// <remarks>
/// Works as the ledger's role, each step in a transaction of its own and none open while a witness is asked. Cosignatures are verified before they are stored, and stand under the note.
/// Of the witnessed checkpoints of an hour stay those that no later one of it covers: a later cosignature of the same witness vouches for everything before it.
/// </remarks>
public sealed class Witnessing(Databases databases, WitnessClient client, Sequencer sequencer, TimeProvider clock)
{
    private const int MostQuestions = 4;

    /// <summary>Told after a clinic's checkpoint was signed on this node. Must return at once.</summary>
    public Action<Guid>? Signed { get => sequencer.Signing.Signed; set => sequencer.Signing.Signed = value; }

    /// <summary>Asks one witness to cosign the newest checkpoint, unless it has.</summary>
    /// <returns>How it stood before and stands now.</returns>
    public async Task<(WitnessStanding Before, WitnessStanding After)> AskAsync(Guid tenant, LogWitness witness, CancellationToken cancel)
    {
        var before = (await StandingsAsync(tenant, cancel)).GetValueOrDefault(witness.Mark, WitnessStanding.New);
        if (await NewestAsync(tenant, cancel) is not { } head || (before.Fault is null && before.Size == head.Head.Size)) return (before, before);
        var (answer, asked) = await ExchangeAsync(tenant, witness, before.Size, head, cancel);
        var now = clock.GetUtcNow();
        var after = answer.Fault is null
            ? new(asked.Head.Size, now, now, null, null, null)
            : before with { AskedAt = now, Fault = answer.Fault, FailingSince = before.FailingSince ?? now };
        await using var transaction = await TenantTransaction.BeginAsync(databases.Ledger, tenant, cancel);
        List<NpgsqlBatchCommand> writes = answer.Line is { } line ? [.. Store(tenant, witness, asked, line)] : [];
        writes.Add(Save(tenant, witness, after));
        await transaction.CommitAsync(writes, cancel);
        return (before, after);
    }

    /// <summary>How every witness that was ever asked stands, by <see cref="LogWitness.Mark"/>.</summary>
    public async Task<IReadOnlyDictionary<string, WitnessStanding>> StandingsAsync(Guid tenant, CancellationToken cancel)
    {
        await using var transaction = await TenantTransaction.BeginAsync(databases.Ledger, tenant, readOnly: true, cancel);
        return await StandingsAsync(transaction, cancel);
    }

    /// <summary>Notes what people were told of a failure. False when another node was faster.</summary>
    public async Task<bool> TellAsync(Guid tenant, LogWitness witness, string told, CancellationToken cancel)
    {
        await using var transaction = await TenantTransaction.BeginAsync(databases.Ledger, tenant, cancel);
        await using var command = transaction.Command(
            "UPDATE ledger.witness_state SET told = $3 WHERE tenant_id = $1 AND witness = $2 AND fault IS NOT NULL AND told IS DISTINCT FROM $3 AND told IS DISTINCT FROM 'objects'", tenant, witness.Mark, told);
        var changed = await command.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        return changed == 1;
    }

    internal static async Task<IReadOnlyDictionary<string, WitnessStanding>> StandingsAsync(TenantTransaction transaction, CancellationToken cancel)
    {
        await using var command = transaction.Command("SELECT witness, size, cosigned_at, asked_at, fault, failing_since, told FROM ledger.witness_state WHERE tenant_id = $1", transaction.Tenant);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var standings = new Dictionary<string, WitnessStanding>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancel))
        {
            standings[reader.GetString(0)] = new(reader.GetInt64(1), Time(2), Time(3), reader.IsDBNull(4) ? null : Enum.Parse<WitnessFault>(reader.GetString(4)), Time(5), reader.IsDBNull(6) ? null : reader.GetString(6));
        }
        return standings;

        DateTimeOffset? Time(int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
    }

    // The question, and again with the size that the witness names where it remembers another one than we do.
    private async Task<(WitnessAnswer Answer, SignedTree Asked)> ExchangeAsync(Guid tenant, LogWitness witness, long old, SignedTree head, CancellationToken cancel)
    {
        for (var question = 0; question < MostQuestions; question++)
        {
            if (old > head.Head.Size)
            {
                // Another node may have signed and asked meanwhile. Else the witness holds a larger log than there is.
                head = await NewestAsync(tenant, cancel) ?? head;
                if (old > head.Head.Size) return (new(WitnessFault.Objects, Size: old), head);
            }
            var answer = await client.AskAsync(witness, new(old, await ProofAsync(tenant, old, head.Head.Size, cancel), head.Note), cancel);
            if (answer.Size is not { } remembered) return (answer, head);
            if (remembered == old) return (new(WitnessFault.NotAWitness), head);
            old = remembered;
        }
        return (new(WitnessFault.NotAWitness), head);
    }

    private async Task<IReadOnlyList<Hash256>> ProofAsync(Guid tenant, long old, long size, CancellationToken cancel)
    {
        if (old == 0 || old == size) return [];
        await using var transaction = await TenantTransaction.BeginAsync(databases.Ledger, tenant, readOnly: true, cancel);
        return (await StoredTree.ReadAsync(transaction, cancel)).NodesAt(size).ConsistencyProof(old);
    }

    // With the log's own signature only: what witnesses get and sign is the text, and their lines are nobody else's business.
    private async Task<SignedTree?> NewestAsync(Guid tenant, CancellationToken cancel)
    {
        await using var transaction = await TenantTransaction.BeginAsync(databases.Ledger, tenant, readOnly: true, cancel);
        await using var command = transaction.Command("SELECT note, signed_at FROM ledger.checkpoint WHERE tenant_id = $1 ORDER BY size DESC LIMIT 1", tenant);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel) || !SignedNote.TryParse(System.Text.Encoding.UTF8.GetBytes(reader.GetString(0)), out var note) || !Checkpoint.TryParse(note.Text, out var head)) return null;
        return new(head, new(note.Text, [.. note.Signatures.Where(line => line.Name == head.Origin)]), reader.GetFieldValue<DateTime>(1));
    }

    private static NpgsqlBatchCommand[] Store(Guid tenant, LogWitness witness, SignedTree tree, NoteSignature line) =>
    [
        // The signer may have thrown the checkpoint away meanwhile, for a newer one that nobody outside has.
        new("""
            INSERT INTO ledger.checkpoint AS kept (tenant_id, size, root, note, signed_at, keep, cosigned_by) VALUES ($1, $2, $3, $4 || $5, $6, 'witnessed', ARRAY[$7])
            ON CONFLICT (tenant_id, size) DO UPDATE SET note = kept.note || $5, keep = coalesce(kept.keep, 'witnessed'), cosigned_by = kept.cosigned_by || $7 WHERE NOT kept.cosigned_by @> ARRAY[$7]
            """)
        {
            Parameters =
            {
                Value(tenant), Value(tree.Head.Size), Value(tree.Head.Root.ToArray()), Value(tree.Note.ToString()), Value(line + "\n"), Value(tree.SignedAt), Value(witness.Mark),
            },
        },
        new("""
            DELETE FROM ledger.checkpoint AS old USING ledger.checkpoint AS kept
            WHERE old.tenant_id = $1 AND kept.tenant_id = $1 AND kept.size = $2 AND old.size < $2 AND old.keep = 'witnessed' AND old.cosigned_by <@ kept.cosigned_by
              AND date_trunc('hour', old.signed_at, 'UTC') = date_trunc('hour', kept.signed_at, 'UTC')
            """)
        {
            Parameters = { Value(tenant), Value(tree.Head.Size) },
        },
    ];

    private static NpgsqlBatchCommand Save(Guid tenant, LogWitness witness, WitnessStanding standing) =>
        new("""
            INSERT INTO ledger.witness_state AS kept (tenant_id, witness, size, cosigned_at, asked_at, fault, failing_since) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (tenant_id, witness) DO UPDATE SET size = EXCLUDED.size, cosigned_at = EXCLUDED.cosigned_at, asked_at = EXCLUDED.asked_at, fault = EXCLUDED.fault,
              failing_since = CASE WHEN EXCLUDED.fault IS NOT NULL THEN coalesce(kept.failing_since, EXCLUDED.failing_since) END, told = CASE WHEN EXCLUDED.fault IS NOT NULL THEN kept.told END
            WHERE EXCLUDED.size >= kept.size
            """)
        {
            Parameters =
            {
                Value(tenant), Value(witness.Mark), Value(standing.Size), Time(standing.CosignedAt), Time(standing.AskedAt), new() { Value = (object?)standing.Fault?.ToString() ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                Time(standing.FailingSince),
            },
        };

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private static NpgsqlParameter Time(DateTimeOffset? time) => new() { Value = (object?)time?.UtcDateTime ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz };

    private sealed record SignedTree(Checkpoint Head, SignedNote Note, DateTime SignedAt);
}
