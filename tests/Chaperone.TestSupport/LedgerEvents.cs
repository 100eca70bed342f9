using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;

namespace Chaperone.TestSupport;

/// <summary>Reads a clinic's events straight from the tables, without the product's own reader.</summary>
public static class LedgerEvents
{
    /// <summary>Every event of a clinic, oldest first, opened.</summary>
    public static async Task<IReadOnlyList<LedgerEvent>> ReadAsync(Databases databases, KeyRing keys, Guid clinic)
    {
        var events = new List<LedgerEvent>();
        await using var transaction = await TenantTransaction.BeginAsync(databases.App, clinic, CancellationToken.None);
        // Ids order by the millisecond; within one, the transactions' numbers tell which came first.
        await using var command = transaction.Command("SELECT id, expires_on, body FROM ledger.event ORDER BY substring(uuid_send(id) FOR 6), xmin::text::bigint, id");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var expires = reader.GetFieldValue<DateOnly>(1);
            var key = await keys.AuditKeyAsync(clinic, expires == DateOnly.MaxValue ? expires : new(expires.Year, expires.Month, 1), CancellationToken.None);
            var plain = SealedPayload.Open(reader.GetFieldValue<byte[]>(2), key, new(clinic, "ledger.event", reader.GetGuid(0), 0));
            events.Add(EventJson.Read(plain.AsMemory(Entry.SaltSize)));
        }
        return events;
    }
}
