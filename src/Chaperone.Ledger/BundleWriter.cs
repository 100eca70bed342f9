using System.IO.Compression;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>An event as a bundle holds it; both null when its body expired.</summary>
/// <param name="Salt">Its 16 bytes.</param>
/// <param name="Line">The event's bytes as written, without LF.</param>
public sealed record BundleEvent(byte[]? Salt, byte[]? Line);

/// <summary>An event of expiry from outside the range, which names events inside it.</summary>
public sealed record BundleExpiry(long Index, byte[] Salt, byte[] Line);

/// <summary>What a bundle is written from. The readers are called one at a time.</summary>
public sealed record BundleContents
{
    /// <summary>First index.</summary>
    public required long From { get; init; }

    /// <summary>End of the range, itself not in it.</summary>
    public required long To { get; init; }

    /// <summary>The signed checkpoint that covers the range; with its cosignatures.</summary>
    public required SignedNote CheckpointNote { get; init; }

    /// <summary>Signs the manifest: the log's own key, which also signed the checkpoint.</summary>
    public required NoteSigner Signer { get; init; }

    /// <summary>The tlog-policy, or null for a log without witnesses.</summary>
    public string? Policy { get; init; }

    /// <summary>When the bundle is made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Reads a tile of hashes, level 0 included: level, index, width.</summary>
    public required Func<int, long, int, CancellationToken, ValueTask<byte[]>> Tile { get; init; }

    /// <summary>Reads an entry bundle (<see cref="Tiles.EncodeEntries"/>): index, width.</summary>
    public required Func<long, int, CancellationToken, ValueTask<byte[]>> Entries { get; init; }

    /// <summary>Every event of the range in order of index, exactly <c>To - From</c> of them.</summary>
    public required IAsyncEnumerable<BundleEvent> Events { get; init; }

    /// <summary>Events of expiry at or after <see cref="To"/> that name expired events of the range: without them the verifier takes those for deleted.</summary>
    public IReadOnlyList<BundleExpiry> Expiries { get; init; } = [];
}

/// <summary>Writes export bundles as zip, streaming: one tile's worth is in memory at a time, and the output is only written, never sought or read.</summary>
public static class BundleWriter
{
    /// <summary>Writes the whole bundle and leaves the stream open.</summary>
    /// <returns>How many events are present and how many had expired.</returns>
    /// <exception cref="InvalidDataException">The readers do not give what the range and the checkpoint ask for. What has been written by then does not verify.</exception>
    public static async Task<(long Events, long Expired)> Write(Stream output, BundleContents contents, CancellationToken cancel)
    {
        var key = contents.Signer.Key;
        if (!contents.CheckpointNote.IsSignedBy(key) || !Checkpoint.TryParse(contents.CheckpointNote.Text, out var head))
            throw new InvalidDataException("The checkpoint is not signed by the key that is to sign the bundle.");
        if (contents.From < 0 || contents.From > contents.To || contents.To > head.Size) throw new InvalidDataException("The range is not in the tree.");
        using var spool = new Spool();
        var zip = new ZipArchive(spool, ZipArchiveMode.Create, leaveOpen: true);
        var files = new Dictionary<string, Hash256>(StringComparer.Ordinal);
        await List(BundlePaths.Checkpoint, contents.CheckpointNote.ToBytes());
        await List(BundlePaths.Key, Encoding.UTF8.GetBytes(key + "\n"));
        await List(BundlePaths.Policy, Encoding.UTF8.GetBytes(contents.Policy ?? WitnessPolicy.TextFor(key)));
        await WriteTiles(contents, head.Size, Add, cancel);
        var (events, expired) = await WriteEvents(contents, Add, cancel);
        foreach (var expiry in contents.Expiries) await Add(BundlePaths.Expiry(expiry.Index), await ExpiryFile(contents, head.Size, expiry, cancel), CompressionLevel.Fastest);
        var manifest = new Manifest(head, contents.From, contents.To, contents.Created, events, expired, [.. contents.Expiries.Select(expiry => expiry.Index)], files).ToBytes();
        var text = Manifest.SignedText(head.Origin, manifest);
        await Add(BundlePaths.Manifest, manifest, CompressionLevel.Fastest);
        await Add(BundlePaths.ManifestSignature, new SignedNote(text, contents.Signer.Sign(text)).ToBytes(), CompressionLevel.Fastest);
        zip.Dispose();   // writes the directory; after an exception it is not written, and what went out is no zip
        await spool.Drain(output, cancel);
        return (events, expired);

        async Task List(string path, byte[] bytes)
        {
            files[path] = Hash256.Of(bytes);
            await Add(path, bytes, CompressionLevel.Fastest);
        }

        async Task Add(string path, ReadOnlyMemory<byte> bytes, CompressionLevel compression)
        {
            var entry = zip.CreateEntry(path, compression);
            entry.LastWriteTime = contents.Created;
            using (var file = entry.Open()) file.Write(bytes.Span);
            await spool.Drain(output, cancel);
        }
    }

    private static async Task WriteTiles(BundleContents contents, long size, Func<string, ReadOnlyMemory<byte>, CompressionLevel, Task> add, CancellationToken cancel)
    {
        for (var level = Tiles.EntriesLevel; level <= Tiles.HighestLevel; level++)
        {
            var shift = Tiles.Height * (Math.Max(level, 0) + 1);
            var count = Tiles.CountAt(level, size);
            if (contents.From < contents.To)
                for (var index = contents.From >> shift; index <= (contents.To - 1) >> shift && index < count; index++) await AddTile(index);
            // The last tile of each level makes the root, wherever the range lies.
            var last = new TileAddress(level, count - 1, Tiles.WidthAt(level, count - 1, size));
            var covered = contents.From < contents.To && last.Index >= contents.From >> shift && last.Index <= (contents.To - 1) >> shift;
            if (count > 0 && !covered && BundleVerifier.IsNeeded(last, size, contents.From, contents.To)) await AddTile(last.Index);

            async Task AddTile(long index)
            {
                var address = new TileAddress(level, index, Tiles.WidthAt(level, index, size));
                var bytes = level == Tiles.EntriesLevel ? await contents.Entries(index, address.Width, cancel) : await contents.Tile(level, index, address.Width, cancel);
                if (level != Tiles.EntriesLevel && bytes.Length != address.Width * Hash256.Size) throw new InvalidDataException($"{address} has a wrong length.");
                await add(address.Path, bytes, CompressionLevel.NoCompression);
            }
        }
    }

    private static async Task<(long Events, long Expired)> WriteEvents(BundleContents contents, Func<string, ReadOnlyMemory<byte>, CompressionLevel, Task> add, CancellationToken cancel)
    {
        long events = 0, expired = 0, index = contents.From;
        using var lines = new MemoryStream();
        using var salts = new MemoryStream();
        await foreach (var each in contents.Events.WithCancellation(cancel))
        {
            if (index >= contents.To || (each.Salt is null) != (each.Line is null) || each.Salt is { Length: not Entry.SaltSize } || each.Line is { Length: 0 } || each.Line?.Contains((byte)'\n') == true)
                throw new InvalidDataException($"Event {index} does not fit into the bundle.");
            if (each.Line is null) expired++;
            else events++;
            salts.Write(each.Salt ?? new byte[Entry.SaltSize]);
            lines.Write(each.Line ?? []);
            lines.WriteByte((byte)'\n');
            if (++index % Tiles.Width == 0 || index == contents.To) await Flush((index - 1) / Tiles.Width);
        }
        return index == contents.To ? (events, expired) : throw new InvalidDataException($"The range ends at {contents.To}, its events at {index}.");

        async Task Flush(long tile)
        {
            await add(BundlePaths.Events(tile), lines.GetBuffer().AsMemory(0, (int)lines.Length), CompressionLevel.Fastest);
            await add(BundlePaths.Salts(tile), salts.GetBuffer().AsMemory(0, (int)salts.Length), CompressionLevel.NoCompression);
            lines.SetLength(0);
            salts.SetLength(0);
        }
    }

    private static async Task<byte[]> ExpiryFile(BundleContents contents, long size, BundleExpiry expiry, CancellationToken cancel)
    {
        if (expiry.Index < contents.To || expiry.Index >= size) throw new InvalidDataException($"Event of expiry {expiry.Index} does not lie after the range.");
        var nodes = await TileNodes.ReadAsync(expiry.Index, size, contents.Tile, cancel);
        string[] lines = [Encoding.UTF8.GetString(expiry.Line), Convert.ToBase64String(expiry.Salt), .. nodes.InclusionProof(expiry.Index).Select(hash => hash.ToBase64())];
        return Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
    }

    /// <summary>Holds one file's worth between the archive, which writes synchronously when it closes a file, and an output that takes only asynchronous writes.</summary>
    private sealed class Spool : Stream
    {
        private readonly MemoryStream held = new();

        public override bool CanRead => false;
        public override bool CanSeek => false;   // so that the archive never goes back to what has been sent
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public async Task Drain(Stream output, CancellationToken cancel)
        {
            await output.WriteAsync(held.GetBuffer().AsMemory(0, (int)held.Length), cancel);
            held.SetLength(0);
        }

        public override void Write(ReadOnlySpan<byte> buffer) => held.Write(buffer);
        public override void Write(byte[] buffer, int offset, int count) => held.Write(buffer, offset, count);
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            held.Dispose();
            base.Dispose(disposing);
        }
    }
}
