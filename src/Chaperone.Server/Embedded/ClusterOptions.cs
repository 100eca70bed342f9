namespace Chaperone.Server.Embedded;

/// <summary>Where a private PostgreSQL cluster lives and how it is found.</summary>
internal sealed record ClusterOptions
{
    /// <summary>The installation's data folder. Relative paths are relative to the current folder.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Folders to look for <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> in; null means PATH and the usual places of the distributions.</summary>
    public IReadOnlyList<string>? ProgramFolders { get; init; }

    /// <summary>Where root's clusters go when the <c>postgres</c> user cannot reach the data folder.</summary>
    public string RootFallbackFolder { get; init; } = "/var/lib/chaperone";

    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>The database roles. What each may do is in the migrations and in <see cref="ClusterRoles"/>.</summary>
internal enum ClusterRole
{
    Superuser,
    Owner,
    App,
    Ledger,
    Operator,
}

/// <summary>The cluster cannot be used; the message is one sentence or two for the person who started the command.</summary>
internal sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);
