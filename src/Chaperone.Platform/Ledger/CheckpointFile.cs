using Chaperone.Ledger;

namespace Chaperone.Platform.Ledger;

/// <summary>The newest signed checkpoint of each clinic, in a folder outside the database: what shows a log that was truncated, or rebuilt and signed again, by whoever rules the database.</summary>
/// <remarks>A crash leaves the old one or the new one: see <see cref="DurableFile"/>.</remarks>
public sealed class CheckpointFile(string folder)
{
    /// <summary>The clinic's file, or null when there is none yet.</summary>
    public byte[]? Read(Guid tenant)
    {
        try
        {
            return File.ReadAllBytes(PathOf(tenant));
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Where the clinic's file stands.</summary>
    public string PathOf(Guid tenant) => Path.Combine(folder, tenant.ToString("D"));

    internal void Replace(Guid tenant, ReadOnlySpan<byte> note)
    {
        Directory.CreateDirectory(folder);
        DurableFile.Replace(PathOf(tenant), note);
    }
}
