using Npgsql;

namespace Chaperone.Platform.Postgres;

/// <summary>Tells a database that is gone from a statement that is wrong.</summary>
public static class DatabaseLoss
{
    /// <summary>Whether the database could not be reached, broke off, or is shutting down or starting: trying again later can help.</summary>
    public static bool IsDatabaseLoss(this Exception fault) => (fault as NpgsqlException ?? fault.InnerException as NpgsqlException) switch
    {
        PostgresException told => told.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections,
        { } => true,
        null => false,
    };
}
