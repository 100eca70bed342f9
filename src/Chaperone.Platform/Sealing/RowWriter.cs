using System.Collections.Concurrent;
using System.Globalization;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Chaperone.Platform.Sealing;

/// <summary>
/// Writes an operation's rows: seals payloads, raises versions, and remembers the digest of every changed record for the event. Both ways in, EF's change
/// tracker and bulk inserts, end here, so no changed row can be missing from the event.
/// </summary>
public sealed class RowWriter
{
    /// <summary>Annotation of entities whose rows are sealed but not in the ledger (sessions, counters), with the reason.</summary>
    public const string Untracked = "chaperone:untracked";

    private static readonly ConcurrentDictionary<IEntityType, Column[]> ColumnsOf = new();
    private static readonly HashSet<string> NotInDigest = new(StringComparer.Ordinal) { nameof(SealedRow.Id), nameof(SealedRow.Version), nameof(SealedRow.Sealed) };
    private static readonly HashSet<string> NeverNamed = new(NotInDigest, StringComparer.Ordinal) { nameof(SealedRow.KeyVersion), nameof(SealedRow.TenantId) };

    private readonly Guid tenant;
    private readonly ChaperoneDb db;
    private readonly TenantTransaction transaction;
    private readonly KeyRing keys;
    private readonly DateTimeOffset now;
    private readonly Dictionary<(string Table, Guid Id), EventRecord> records = [];
    private readonly Dictionary<string, FieldChange> changes = new(StringComparer.Ordinal);

    internal RowWriter(Guid tenant, ChaperoneDb db, TenantTransaction transaction, KeyRing keys, DateTimeOffset now) =>
        (this.tenant, this.db, this.transaction, this.keys, this.now) = (tenant, db, transaction, keys, now);

    internal IReadOnlyCollection<EventRecord> Records => records.Values;

    internal IReadOnlyCollection<FieldChange> Changes => changes.Values;

    internal long ChangedRows { get; private set; }

    /// <summary>Inserts many rows of one entity in one statement. Sealed rows are sealed here and stand in the event like any other.</summary>
    public async Task Insert<TRow>(IReadOnlyList<TRow> rows, CancellationToken cancel) where TRow : class
    {
        if (rows.Count == 0) return;
        var entity = db.Model.FindEntityType(typeof(TRow)) ?? throw new InvalidOperationException($"{typeof(TRow).Name} is not part of the model.");
        if (rows[0] is SealedRow)
        {
            var sealing = await keys.ForSealingAsync(transaction, tenant, [.. rows.Cast<SealedRow>().Select(row => row.SubjectId)], now, cancel);
            foreach (var row in rows.Cast<SealedRow>())
            {
                row.TenantId = tenant;
                Seal(row, entity, sealing);
                Remember(row, entity);
            }
        }
        var columns = Columns(entity);
        await using var command = transaction.Command(
            $"INSERT INTO {entity.Name()} ({string.Join(", ", columns.Select(column => column.Name))}) SELECT * FROM unnest({string.Join(", ", columns.Select((column, i) => $"${i + 1}::{column.StoreType}[]"))})");
        foreach (var column in columns)
        {
            var values = Array.CreateInstance(column.ArrayElement, rows.Count);
            for (var i = 0; i < rows.Count; i++) values.SetValue(column.Get(rows[i]), i);
            command.Parameters.Add(new() { Value = values });
        }
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Seals and writes what the change tracker holds.</summary>
    internal async Task SaveChangesAsync(CancellationToken cancel)
    {
        db.ChangeTracker.DetectChanges();
        var touched = new List<EntityEntry<SealedRow>>();
        foreach (var entry in db.ChangeTracker.Entries<SealedRow>())
        {
            if (entry.State == EntityState.Unchanged && entry.Entity.IsOpen && entry.Entity.FieldChanges().Count > 0) entry.Property(nameof(SealedRow.Sealed)).IsModified = true;   // that column alone: no other changed
            if (entry.State is EntityState.Added or EntityState.Modified or EntityState.Deleted) touched.Add(entry);
        }
        if (touched.Count > 0)
        {
            var sealing = await keys.ForSealingAsync(transaction, tenant, [.. touched.Where(entry => entry.State != EntityState.Deleted).Select(entry => entry.Entity.SubjectId)], now, cancel);
            foreach (var entry in touched)
            {
                if (entry.State == EntityState.Modified) RememberChanges(entry);
                if (entry.State == EntityState.Modified && !entry.Entity.IsOpen) throw new InvalidOperationException($"{entry.Metadata.Name} {entry.Entity.Id} is changed without having been opened.");
                if (entry.State != EntityState.Deleted) Seal(entry.Entity, (IEntityType)entry.Metadata, sealing);
                Remember(entry.Entity, (IEntityType)entry.Metadata, entry.State == EntityState.Deleted);
            }
        }
        if (db.ChangeTracker.HasChanges()) await db.SaveChangesAsync(cancel);
    }

    private static void Seal(SealedRow row, IEntityType entity, SealingKeys sealing)
    {
        var key = sealing.For(row.SubjectId);
        var json = row.PayloadJson();
        row.Version++;
        row.KeyVersion = key.Version;
        row.Sealed = KeyRing.Seal(row, entity.Name(), key, json);
        row.NowStands(json);
    }

    private void Remember(SealedRow row, IEntityType entity, bool deleted = false)
    {
        if (entity.FindAnnotation(Untracked) is not null) return;
        ChangedRows++;
        var table = entity.Name();
        Hash256? digest = null;
        if (!deleted)
        {
            var columns = Columns(entity);
            var clear = new List<(string, object?)>(columns.Length);
            foreach (var column in columns)
                if (!NotInDigest.Contains(column.Property)) clear.Add((column.Name, column.Get(row)));
            digest = RecordDigest.Compute(table, row.Id, row.Version, clear, row.Sealed);
        }
        records[(table, row.Id)] = new(table, row.Id, row.Version, digest);
    }

    private void RememberChanges(EntityEntry<SealedRow> entry)
    {
        foreach (var property in entry.Properties.Where(property => property.IsModified && !NeverNamed.Contains(property.Metadata.Name)))
        {
            var field = property.Metadata.GetColumnName();
            changes[field] = property.Metadata.FindAnnotation(ChaperoneDb.LoggedValue) is null
                ? new(field, "changed")
                : new(field, null, Text(property.OriginalValue), Text(property.CurrentValue));
        }
        if (entry.Entity.IsOpen)
            foreach (var change in entry.Entity.FieldChanges()) changes.TryAdd(change.Field, change);
    }

    private static string? Text(object? value) => value switch
    {
        null => null,
        string[] texts => string.Join(' ', texts),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private static Column[] Columns(IEntityType entity) => ColumnsOf.GetOrAdd(entity, type =>
    [
        .. type.GetProperties().Select(property =>
        {
            var mapping = property.GetRelationalTypeMapping();
            var converter = mapping.Converter;
            var stored = converter?.ProviderClrType ?? property.ClrType;
            var getter = property.GetGetter();
            return new Column(
                property.Name, property.GetColumnName(), mapping.StoreType,
                stored.IsValueType && Nullable.GetUnderlyingType(stored) is null && property.IsNullable ? typeof(Nullable<>).MakeGenericType(stored) : stored,
                row => getter.GetClrValueUsingContainingEntity(row) is { } value ? converter is null ? value : converter.ConvertToProvider(value) : null);
        }),
    ]);

    private sealed record Column(string Property, string Name, string StoreType, Type ArrayElement, Func<object, object?> Get);
}
