using System.Runtime.InteropServices;

namespace Chaperone.Ledger;

/// <summary>A small file that is replaced whole: written beside, flushed to the disk, renamed, and the folder flushed. A crash or a full disk leaves the old one or the new one.</summary>
public static partial class DurableFile
{
    private const int ReadOnly = 0;

    /// <summary>Replaces the file, or makes it. One writer at a time.</summary>
    /// <param name="path">The file; <c>path.new</c> beside it is written first.</param>
    /// <param name="content">All that it is to hold.</param>
    /// <param name="mode">Who may read and write it, or null for what the process's mask says.</param>
    /// <exception cref="IOException">It could not be written. The old one stands, or, when only the last flush failed, perhaps the new one.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content, UnixFileMode? mode = null)
    {
        var beside = path + ".new";
        File.Delete(beside);   // left by a crash: its mode would stay
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0, UnixCreateMode = mode };
        using (var file = new FileStream(beside, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(beside, path, overwrite: true);
        FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    // Without it a rename may not survive a power cut; .NET opens no folders.
    private static void FlushFolder(string folder)
    {
        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0) throw new IOException($"Cannot open {folder} to flush it (error {Marshal.GetLastPInvokeError()}).");
        var flushed = Fsync(descriptor);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (flushed != 0) throw new IOException($"Cannot flush {folder} (error {error}).");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
