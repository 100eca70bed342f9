using Npgsql;

namespace Chaperone.Platform.Postgres;

/// <summary>The data sources, one for each PostgreSQL role the server may be. Requests use <see cref="App"/> only.</summary>
/// <remarks>The app role owns nothing and has no BYPASSRLS: without a clinic set in its transaction it sees no tenant row.</remarks>
public sealed class Databases(string app, string ledger, string @operator) : IAsyncDisposable
{
    /// <summary>The requests' role.</summary>
    public NpgsqlDataSource App { get; } = Source(app, 60);

    /// <summary>The requests' role again, for what needs one round trip and no connection of its own: queries of many requests travel together on few connections.</summary>
    public NpgsqlDataSource Shared { get; } = Source(app, 2, true);

    /// <summary>The requests' role again, for loading keys in the middle of an operation: its own few connections, so that operations holding all the others never wait for themselves.</summary>
    public NpgsqlDataSource Keys { get; } = Source(app, 6);

    /// <summary>The requests' role again, for the scheduler: a few connections of its own, so that neither waits for the other.</summary>
    public NpgsqlDataSource Jobs { get; } = Source(app, 4);

    /// <summary>The sequencer's and expiry's role.</summary>
    public NpgsqlDataSource Ledger { get; } = Source(ledger, 8);

    /// <summary>Reads every clinic, changes nothing; for verification and backup, never for requests.</summary>
    public NpgsqlDataSource Operator { get; } = Source(@operator, 8);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Shared.DisposeAsync();
        await Keys.DisposeAsync();
        await Jobs.DisposeAsync();
        await Ledger.DisposeAsync();
        await Operator.DisposeAsync();
    }

    private static NpgsqlDataSource Source(string connectionString, int most, bool shared = false) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = most,
            Multiplexing = shared,
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,          // every transaction sets its clinic with SET LOCAL, which ends with it
            IncludeErrorDetail = false,     // details quote values
            LogParameters = false,
            PersistSecurityInfo = false,
        }.ConnectionString);
}
