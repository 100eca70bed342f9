namespace Chaperone.Clinic.Imports;

/// <summary>How much one import may be.</summary>
public static class ImportLimits
{
    /// <summary>Bytes of a file.</summary>
    public const long MostBytes = 200L * 1024 * 1024;

    /// <summary>Rows of a file, its header not counted.</summary>
    public const int MostRows = 200_000;

    /// <summary>Columns of a file.</summary>
    public const int MostColumns = 200;

    /// <summary>Bytes of one row.</summary>
    public const int MostRowBytes = 1024 * 1024;

    /// <summary>Rows that become durable together with their event.</summary>
    public const int BatchRows = 500;

    /// <summary>Files being received at once by one node: each holds a transaction.</summary>
    public const int Uploads = 4;

    /// <summary>How long a file waits to be imported.</summary>
    public static readonly TimeSpan KeepUpload = TimeSpan.FromHours(24);

    /// <summary>How long a report stays.</summary>
    public static readonly TimeSpan KeepReport = TimeSpan.FromDays(90);

    /// <summary>How long a node may be silent before another one takes its job over.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
}
