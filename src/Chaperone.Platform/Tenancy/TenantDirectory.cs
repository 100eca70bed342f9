using System.Collections.Concurrent;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Tenancy;

/// <summary>Which clinics this installation has, by host name. Known clinics are remembered for ten seconds; unknown hosts are not, so a flood of invented names keeps nothing.</summary>
public sealed class TenantDirectory(Databases databases, TimeProvider clock)
{
    private static readonly TimeSpan RememberFor = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, (Tenant Tenant, long At)> known = new(StringComparer.Ordinal);

    /// <summary>The clinic of a host name (matched without port and case), or null.</summary>
    public async ValueTask<Tenant?> FindAsync(string host, CancellationToken cancel)
    {
        var name = host.ToLowerInvariant();
        if (known.TryGetValue(name, out var entry) && clock.GetElapsedTime(entry.At) < RememberFor) return entry.Tenant;
        var found = (await QueryAsync("WHERE status = 'active' AND host = $1", new() { Value = name }, cancel)).FirstOrDefault();
        if (found is not null) known[name] = (found, clock.GetTimestamp());
        else known.TryRemove(name, out _);
        return found;
    }

    /// <summary>The clinic with this id, read afresh, or null.</summary>
    public async Task<Tenant?> GetAsync(Guid id, CancellationToken cancel) =>
        (await QueryAsync("WHERE id = $1", new() { Value = id }, cancel)).FirstOrDefault();

    /// <summary>Every active clinic, for jobs, which work one clinic at a time.</summary>
    public Task<List<Tenant>> AllAsync(CancellationToken cancel) => QueryAsync("WHERE status = 'active' ORDER BY id", null, cancel);

    /// <summary>Forgets what is remembered, after a clinic's settings changed on this node.</summary>
    public void Forget() => known.Clear();

    private async Task<List<Tenant>> QueryAsync(string where, NpgsqlParameter? parameter, CancellationToken cancel)
    {
        await using var command = databases.App.CreateCommand("SELECT id, host, name, zone, require_two_factor, logo_id, plan FROM directory.tenant " + where);
        if (parameter is not null) command.Parameters.Add(parameter);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var tenants = new List<Tenant>();
        while (await reader.ReadAsync(cancel))
            tenants.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetBoolean(4)) { LogoId = reader.IsDBNull(5) ? null : reader.GetGuid(5), Plan = reader.GetString(6) });
        return tenants;
    }
}
