using System.Security.Cryptography;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Sealing;

/// <summary>The keys a batch of rows is sealed with, by subject.</summary>
internal sealed class SealingKeys(DataKey? clinic, Dictionary<Guid, DataKey> subjects)
{
    public DataKey For(Guid? subject) => subject is { } id ? subjects[id] : clinic!;
}

/// <summary>
/// The clinics' keys: root key wraps clinic key, clinic key wraps everything else but the log's signing key, which the root key wraps, so that a clinic that revokes
/// its own key does not stop its log. Fails closed: a key that is missing, destroyed or does not unwrap is an exception, never another key.
/// </summary>
public sealed class KeyRing(RootKey root, Databases databases, TimeProvider clock) : IDisposable
{
    private readonly KeyCache<DataKey> keys = new(clock);
    private readonly KeyCache<BlindIndexKey> indexes = new(clock);
    private readonly KeyCache<NoteSigner> signers = new(clock);

    /// <summary>Makes a new clinic's key and its log's signing key, in the transaction that makes the clinic.</summary>
    public async Task CreateClinicAsync(TenantTransaction transaction, CancellationToken cancel)
    {
        var (tenant, now) = (transaction.Tenant, clock.GetUtcNow());
        using var clinic = DataKey.Create(Ids.New(now), 1);
        await InsertAsync(transaction, "clinic", "", 1, clinic.Id, await root.Wrap(clinic, KeyKind.Clinic, tenant, cancel), now, cancel);
        var seed = Ed25519.GenerateSeed();
        var id = Ids.New(now);
        await InsertAsync(transaction, "log", "", 1, id, await root.Wrap(seed, new(tenant, id, KeyKind.LogSigning, 1), cancel), now, cancel);
        CryptographicOperations.ZeroMemory(seed);
    }

    /// <summary>The audit key of the month in which an event expires (its first day), made at first use.</summary>
    public ValueTask<DataKey> AuditKeyAsync(Guid tenant, DateOnly expiryMonth, CancellationToken cancel) =>
        ClinicKeyAsync(tenant, "audit", expiryMonth == DateOnly.MaxValue ? "forever" : expiryMonth.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture), null, cancel);

    /// <summary>The clinic data key: rows about nobody. Null for the newest version.</summary>
    public ValueTask<DataKey> DataKeyAsync(Guid tenant, int? version, CancellationToken cancel) => ClinicKeyAsync(tenant, "data", "", version, cancel);

    /// <summary>The clinic's HMAC key for backup codes, as a blind index.</summary>
    public ValueTask<BlindIndexKey> BackupCodeKeyAsync(Guid tenant, CancellationToken cancel) => IndexAsync(tenant, "backup_code", "", cancel);

    /// <summary>
    /// The clinic's HMAC key for the proofs of rows that give rights, as a blind index. A kind of its own: an index key put in its place would let the database's
    /// owner have any text tokenised, by registering somebody of that name.
    /// </summary>
    public ValueTask<BlindIndexKey> ProofKeyAsync(Guid tenant, CancellationToken cancel) => IndexAsync(tenant, "proof", "", cancel);

    /// <summary>The key of a blind index, made at first use.</summary>
    public ValueTask<BlindIndexKey> BlindIndexAsync(Guid tenant, string name, CancellationToken cancel) => IndexAsync(tenant, "index", name, cancel);

    /// <summary>Who signs a clinic's checkpoints.</summary>
    /// <param name="tenant">The clinic.</param>
    /// <param name="origin">The log's origin, which is the signer's name.</param>
    /// <param name="cancel">Cancels.</param>
    public async ValueTask<NoteSigner> LogSignerAsync(Guid tenant, string origin, CancellationToken cancel)
    {
        if (signers.Find(tenant, origin) is { } known) return known;
        var (id, version, wrapped) = await LoadAsync(tenant, "log", "", null, cancel) ?? throw new SealBrokenException($"The log key of clinic {tenant} is missing.");
        var seed = await root.Unwrap(wrapped, new(tenant, id, KeyKind.LogSigning, version), cancel);
        try
        {
            return signers.Keep(tenant, origin, new NoteSigner(origin, seed));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>Opens a row's payload in place.</summary>
    internal async ValueTask OpenAsync(SealedRow row, string table, Guid? keyId, byte[]? wrappedKey, CancellationToken cancel)
    {
        var key = (row.SubjectId, keyId) switch
        {
            (null, _) => await DataKeyAsync(row.TenantId, row.KeyVersion, cancel),
            ({ } subject, { } id) => await SubjectKeyAsync(row.TenantId, subject, row.KeyVersion, id, wrappedKey, cancel),
            _ => throw new SealBrokenException($"{table} {row.Id}: its subject's key version {row.KeyVersion} is missing."),
        };
        row.Unseal(SealedPayload.Open(row.Sealed, key, new(row.TenantId, table, row.Id, row.Version)));
    }

    internal static byte[] Seal(SealedRow row, string table, DataKey key, byte[] json) =>
        SealedPayload.Seal(json, key, new(row.TenantId, table, row.Id, row.Version));

    /// <summary>The newest keys of these subjects, read in the transaction; made for who has none. Null stands for rows about nobody.</summary>
    internal async Task<SealingKeys> ForSealingAsync(TenantTransaction transaction, Guid tenant, IReadOnlyCollection<Guid?> subjects, DateTimeOffset now, CancellationToken cancel)
    {
        var clinic = subjects.Contains(null) ? await DataKeyAsync(tenant, null, cancel) : null;
        var wanted = subjects.OfType<Guid>().Distinct().ToArray();
        var found = new Dictionary<Guid, DataKey>(wanted.Length);
        if (wanted.Length == 0) return new(clinic, found);

        var rows = new List<(Guid Subject, int Version, Guid Id, byte[]? Wrapped)>(wanted.Length);
        await using (var command = transaction.Command("SELECT DISTINCT ON (subject_id) subject_id, version, id, wrapped FROM keys.subject_key WHERE subject_id = ANY($1) ORDER BY subject_id, version DESC", wanted))
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel)) rows.Add((reader.GetGuid(0), reader.GetInt32(1), reader.GetGuid(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3)));
        foreach (var row in rows) found[row.Subject] = await SubjectKeyAsync(tenant, row.Subject, row.Version, row.Id, row.Wrapped, cancel);

        var missing = wanted.Where(subject => !found.ContainsKey(subject)).ToArray();
        if (missing.Length > 0)
        {
            var wrapping = await ClinicRootAsync(tenant, cancel);
            var made = missing.Select(_ => DataKey.Create(Ids.New(now), 1)).ToArray();
            await using var insert = transaction.Command(
                "INSERT INTO keys.subject_key (tenant_id, subject_id, version, id, wrapped, created_at) SELECT $1, subject_id, 1, id, wrapped, $2 FROM unnest($3, $4, $5) AS made (subject_id, id, wrapped)",
                tenant, now, missing, made.Select(key => key.Id).ToArray(), made.Select(key => KeyWrap.Wrap(key, KeyKind.Subject, tenant, wrapping)).ToArray());
            await insert.ExecuteNonQueryAsync(cancel);
            // Cached by id, which is random: if the transaction rolls back nobody will ever ask for it.
            for (var i = 0; i < missing.Length; i++) found[missing[i]] = keys.Keep(tenant, made[i].Id.ToString("N"), made[i]);
        }
        return new(clinic, found);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        keys.Dispose();
        indexes.Dispose();
        signers.Dispose();
    }

    private async ValueTask<DataKey> SubjectKeyAsync(Guid tenant, Guid subject, int version, Guid id, byte[]? wrapped, CancellationToken cancel)
    {
        var name = id.ToString("N");
        if (keys.Find(tenant, name) is { } known) return known;
        if (wrapped is null) throw new SealBrokenException($"The key of subject {subject} was destroyed.");
        var wrapping = await ClinicRootAsync(tenant, cancel);
        return keys.Keep(tenant, name, KeyWrap.UnwrapKey(wrapped, new(tenant, id, KeyKind.Subject, version), wrapping));
    }

    private async ValueTask<DataKey> ClinicRootAsync(Guid tenant, CancellationToken cancel)
    {
        if (keys.Find(tenant, "clinic") is { } known) return known;
        var (id, version, wrapped) = await LoadAsync(tenant, "clinic", "", null, cancel) ?? throw new SealBrokenException($"The key of clinic {tenant} is missing.");
        return keys.Keep(tenant, "clinic", await root.UnwrapKey(wrapped, new(tenant, id, KeyKind.Clinic, version), cancel));
    }

    private async ValueTask<DataKey> ClinicKeyAsync(Guid tenant, string kind, string purpose, int? version, CancellationToken cancel)
    {
        var name = $"{kind}/{purpose}/{version}";
        if (keys.Find(tenant, name) is { } known) return known;
        var (id, found, wrapped) = await LoadOrMakeAsync(tenant, kind, purpose, version, cancel);
        var wrapping = await ClinicRootAsync(tenant, cancel);
        return keys.Keep(tenant, name, KeyWrap.UnwrapKey(wrapped, new(tenant, id, KindOf(kind), found), wrapping));
    }

    private async ValueTask<BlindIndexKey> IndexAsync(Guid tenant, string kind, string purpose, CancellationToken cancel)
    {
        var name = $"{kind}/{purpose}";
        if (indexes.Find(tenant, name) is { } known) return known;
        var (id, version, wrapped) = await LoadOrMakeAsync(tenant, kind, purpose, null, cancel);
        var wrapping = await ClinicRootAsync(tenant, cancel);
        var secret = KeyWrap.Unwrap(wrapped, new(tenant, id, KindOf(kind), version), wrapping);
        try
        {
            return indexes.Keep(tenant, name, new BlindIndexKey(0, version, secret));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private async Task<(Guid Id, int Version, byte[] Wrapped)> LoadOrMakeAsync(Guid tenant, string kind, string purpose, int? version, CancellationToken cancel)
    {
        if (await LoadAsync(tenant, kind, purpose, version, cancel) is { } loaded) return loaded;
        if (version > 1) throw new SealBrokenException($"The {kind} key {purpose} version {version} of clinic {tenant} is missing.");
        var now = clock.GetUtcNow();
        var wrapping = await ClinicRootAsync(tenant, cancel);
        using var made = DataKey.Create(Ids.New(now), 1);
        // Given back before the next is taken: callers holding one each and waiting for a second would wait for ever.
        await using (var transaction = await TenantTransaction.BeginAsync(databases.Keys, tenant, cancel))
        {
            await InsertAsync(transaction, kind, purpose, 1, made.Id, KeyWrap.Wrap(made, KindOf(kind), tenant, wrapping), now, cancel);
            await transaction.CommitAsync(cancel);
        }
        return await LoadAsync(tenant, kind, purpose, version, cancel) ?? throw new SealBrokenException($"The {kind} key {purpose} of clinic {tenant} could not be made.");
    }

    private async Task<(Guid Id, int Version, byte[] Wrapped)?> LoadAsync(Guid tenant, string kind, string purpose, int? version, CancellationToken cancel)
    {
        await using var transaction = await TenantTransaction.BeginAsync(databases.Keys, tenant, cancel);
        await using var command = transaction.Command(
            "SELECT id, version, wrapped FROM keys.clinic_key WHERE kind = $1 AND purpose = $2 AND ($3::int IS NULL OR version = $3) ORDER BY version DESC LIMIT 1", kind, purpose);
        command.Parameters.Add(new() { Value = (object?)version ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel)) return null;
        if (await reader.IsDBNullAsync(2, cancel)) throw new SealBrokenException($"The {kind} key {purpose} of clinic {tenant} was destroyed.");
        return (reader.GetGuid(0), reader.GetInt32(1), reader.GetFieldValue<byte[]>(2));
    }

    private static async Task InsertAsync(TenantTransaction transaction, string kind, string purpose, int version, Guid id, byte[] wrapped, DateTimeOffset now, CancellationToken cancel)
    {
        await using var command = transaction.Command(
            "INSERT INTO keys.clinic_key (tenant_id, kind, purpose, version, id, wrapped, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            transaction.Tenant, kind, purpose, version, id, wrapped, now);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static string KindOf(string kind) => kind switch
    {
        "audit" => KeyKind.Audit,
        "index" => KeyKind.Index,
        "backup_code" => KeyKind.BackupCode,
        "proof" => KeyKind.Proof,
        _ => KeyKind.ClinicData,
    };
}
