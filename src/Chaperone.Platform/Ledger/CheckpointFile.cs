using System.Runtime.InteropServices;

namespace Chaperone.Platform.Ledger;

/// <summary>The newest signed checkpoint of each clinic, in a folder outside the database: what shows a log that was truncated, or rebuilt and signed again, by whoever rules the database.</summary>
/// <remarks>A file is replaced whole: written beside, flushed to the disk, renamed, and the folder flushed. A crash leaves the old one or the new one.</remarks>
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
        var path = PathOf(tenant);
        var beside = path + ".new";
        using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            file.Write(note);
            file.Flush(flushToDisk: true);
        }
        File.Move(beside, path, overwrite: true);
        FolderFlush.Flush(folder);
    }
}

/// <summary>fsync of a folder, without which a rename may not survive a power cut; .NET opens no folders.</summary>
internal static partial class FolderFlush
{
    private const int ReadOnly = 0;

    public static void Flush(string folder)
    {
        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0) throw new IOException($"Cannot open {folder} to flush it (error {Marshal.GetLastPInvokeError()}).");
        var result = Fsync(descriptor);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0) throw new IOException($"Cannot flush {folder} (error {error}).");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
