using System.Globalization;
using System.IO.Compression;

namespace Chaperone.Ledger;

/// <summary>Where a log's files are read from, by their relative paths with forward slashes: a folder, a zip, a server, a database dressed as files.</summary>
/// <remarks>Reading happens on several threads at once. The paths asked for are only ever those of the formats; nothing is taken from file names found inside a source.</remarks>
public abstract class LogSource : IDisposable
{
    /// <summary>The longest file a log or bundle may hold: anything larger counts as damaged.</summary>
    protected const int LongestFile = 64 * 1024 * 1024;

    /// <summary>The bytes of a file, null when there is none, empty when it is damaged beyond reading.</summary>
    /// <exception cref="IOException">The source cannot be reached: nothing can be said about the log.</exception>
    public abstract byte[]? Read(string path);

    /// <summary>As <see cref="Read(string)"/>, into a buffer that the caller keeps for the next file, grown when it is too small. A source that has to make arrays anyway answers one of those.</summary>
    public virtual ReadOnlyMemory<byte>? Read(string path, ref byte[] buffer) => Read(path) is { } bytes ? bytes : null;

    /// <summary>Every path in the source, or null for a source that cannot list.</summary>
    public virtual IEnumerable<string>? List() => null;

    /// <summary>Widths of the partial tiles that stand at a place, full one or not; empty for a source that cannot list.</summary>
    public virtual IReadOnlyList<int> PartialWidths(int level, long index) => [];

    /// <summary>A folder.</summary>
    public static LogSource Folder(string path) => new FolderSource(path);

    /// <summary>A zip file; the stream must be seekable and is closed with the source.</summary>
    /// <exception cref="InvalidDataException">Not a zip.</exception>
    public static LogSource Zip(Stream stream) => new ZipSource(stream);

    /// <summary>Whatever a function answers; it must be callable from several threads.</summary>
    public static LogSource From(Func<string, byte[]?> read) => new FunctionSource(read);

    internal static LogSource Of(IReadOnlyDictionary<string, byte[]> files) => new FilesSource(files);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the source holds.</summary>
    protected virtual void Dispose(bool disposing) { }

    private sealed class FunctionSource(Func<string, byte[]?> read) : LogSource
    {
        public override byte[]? Read(string path) => read(path);
    }

    private sealed class FilesSource(IReadOnlyDictionary<string, byte[]> files) : LogSource
    {
        public override byte[]? Read(string path) => files.GetValueOrDefault(path);

        public override IEnumerable<string> List() => files.Keys;
    }

    private sealed class FolderSource(string root) : LogSource
    {
        public override byte[]? Read(string path)
        {
            byte[] bytes = [];
            return Read(path, ref bytes) is not { } read ? null : read.Length == bytes.Length ? bytes : read.ToArray();
        }

        public override ReadOnlyMemory<byte>? Read(string path, ref byte[] buffer)
        {
            try
            {
                using var file = File.OpenHandle(Path.Combine(root, path));
                var length = RandomAccess.GetLength(file);
                if (length > LongestFile) return ReadOnlyMemory<byte>.Empty;
                if (buffer.Length < length) buffer = new byte[length];
                var at = 0;
                while (at < length && RandomAccess.Read(file, buffer.AsSpan(at, (int)length - at), at) is > 0 and var read) at += read;
                return buffer.AsMemory(0, at);
            }
            catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }

        public override IEnumerable<string> List() =>
            Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/'));

        public override IReadOnlyList<int> PartialWidths(int level, long index)
        {
            var folder = Path.Combine(root, new TileAddress(level, index, Tiles.Width).Path + ".p");
            return Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Select(Width).Where(width => width > 0)] : [];
        }

        private static int Width(string file) =>
            int.TryParse(Path.GetFileName(file), NumberStyles.None, CultureInfo.InvariantCulture, out var width) && width < Tiles.Width ? width : 0;
    }

    private sealed class ZipSource : LogSource
    {
        private readonly ZipArchive zip;
        private readonly Dictionary<string, ZipArchiveEntry> entries = new(StringComparer.Ordinal);
        private readonly Lock reading = new();

        public ZipSource(Stream stream)
        {
            zip = new(stream, ZipArchiveMode.Read);
            foreach (var entry in zip.Entries) entries.TryAdd(entry.FullName, entry);
        }

        public override byte[]? Read(string path)
        {
            if (!entries.TryGetValue(path, out var entry)) return null;
            lock (reading)
            {
                try
                {
                    if (entry.Length > LongestFile) return [];
                    using var content = entry.Open();
                    var bytes = new byte[entry.Length];
                    var read = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                    // The length in the directory is only a claim: a shorter or longer content is damage.
                    return read == bytes.Length && content.ReadByte() < 0 ? bytes : [];
                }
                catch (Exception damaged) when (damaged is InvalidDataException or EndOfStreamException or NotSupportedException)
                {
                    return [];
                }
            }
        }

        // With duplicates, which nobody honest writes.
        public override IEnumerable<string> List() => zip.Entries.Select(entry => entry.FullName);

        protected override void Dispose(bool disposing)
        {
            zip.Dispose();
            base.Dispose(disposing);
        }
    }
}
