using System.Runtime.CompilerServices;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Chaperone.Platform.Postgres;

/// <summary>A sealed row with its subject's key.</summary>
internal sealed record RowWithKey<TRow>(TRow Row, Guid? KeyId, byte[]? Wrapped) where TRow : SealedRow;

/// <summary>The hottest query there is, translated once for each model instead of looked up by its expression tree each time.</summary>
internal static class RowById<TRow> where TRow : SealedRow
{
    private static readonly ConditionalWeakTable<IModel, Func<ChaperoneDb, Guid, CancellationToken, Task<RowWithKey<TRow>?>>> Compiled = [];

    public static Task<RowWithKey<TRow>?> FindAsync(ChaperoneDb db, Guid id, CancellationToken cancel) =>
        Compiled.GetValue(db.Model, static _ => EF.CompileAsyncQuery((ChaperoneDb context, Guid wanted, CancellationToken _) => context.Set<TRow>().AsNoTracking()
            .Where(row => row.Id == wanted)
            .LeftJoin(
                context.SubjectKeys,
                row => new { Tenant = row.TenantId, Subject = row.SubjectId, Version = row.KeyVersion },
                key => new { Tenant = key.TenantId, Subject = (Guid?)key.SubjectId, key.Version },
                (row, key) => new RowWithKey<TRow>(row, (Guid?)key!.Id, key.Wrapped))
            .FirstOrDefault()))(db, id, cancel);
}
