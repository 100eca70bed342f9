using System.Collections.Concurrent;

namespace Chaperone.Ledger;

/// <summary>Called for every event found good, in order of index, on one thread. The bytes are valid only during the call.</summary>
public delegate void VerifiedEvent(long index, ReadOnlyMemory<byte> line);

/// <summary>Re-reads a range of a log against its signed root: tiles, entries and, where there are bodies, events with their salts. Memory is bounded whatever the size (a bit an event for what expired).</summary>
/// <remarks>Bodies stand beside the tiles, in files aligned with the entry bundles: <c>events/N.ndjson</c> (a line for each index of the range, empty where expired) and
/// <c>salts/N.bin</c> (16 bytes each, zero where expired), N written as in tile paths. A database verifies itself by answering these paths from its tables.</remarks>
internal sealed class LogScan(LogSource source, VerificationReport report, Checkpoint head, bool bodies, VerifiedEvent? onEvent)
{
    private const int BatchTiles = 64;
    private readonly IndexSet absent = new();
    private readonly IndexSet named = new();
    private readonly ConcurrentBag<byte[]> buffers = [];    // of the threads: a file of bodies each, too large to be made anew for every tile

    public void Run(ProvenTiles tiles, long from, long to, CancellationToken cancel)
    {
        report.Bodies = bodies;
        (report.From, report.To) = (from, to);
        if (from == to) return;
        var end = ((to - 1) / Tiles.Width) + 1;
        for (var start = from / Tiles.Width; start < end; start += BatchTiles)
        {
            var scans = new TileScan[(int)Math.Min(BatchTiles, end - start)];
            for (var i = 0; i < scans.Length; i++)
            {
                var index = start + i;
                var first = index * Tiles.Width;
                scans[i] = new(source, report, head.Size, index, Math.Max(from, first), Math.Min(to, first + Tiles.Width), bodies, onEvent is not null);
                if (Tiles.WidthAt(0, index, head.Size) < Tiles.Width) scans[i].Proven = tiles.Get(0, index);
                else scans[i].Expected = tiles.Parent(0, index);
            }
            Parallel.For(0, scans.Length, new ParallelOptions { CancellationToken = cancel },
                () => buffers.TryTake(out var buffer) ? buffer : [], (i, _, buffer) => { scans[i].Run(ref buffer); return buffer; }, buffers.Add);
            foreach (var scan in scans) Gather(scan, from, to);
            report.Progress?.Invoke(Math.Min(to, (start + scans.Length) * Tiles.Width) - from, to - from);
        }
    }

    /// <summary>An event outside the range, shown to be in the log, that says what expired.</summary>
    public void Names(long index, IEnumerable<IndexRange> ranges, long from, long to)
    {
        foreach (var range in ranges)
        {
            var (first, last) = (Math.Max(range.First, from), Math.Min(range.Last, Math.Min(index, to) - 1));
            if (first <= last) named.AddRange(first, last);
        }
    }

    /// <summary>Settles which of the absent events had expired: to be called once, after everything was read.</summary>
    public void Settle() => report.AddExpired(absent.Compare(named, (first, count) =>
        report.AddTampered(first, count == 1 ? "The event is missing and no event of expiry names it." : $"{count} events from here are missing and no event of expiry names them.", count)));

    private void Gather(TileScan scan, long from, long to)
    {
        report.AddVerified(scan.Verified);
        foreach (var (index, what, count) in scan.Bad) report.AddTampered(index, what, count);
        foreach (var index in scan.Absent) absent.Add(index);
        foreach (var (index, ranges) in scan.Expiries) Names(index, ranges, from, to);
        if (onEvent is not null) foreach (var (index, line) in scan.Lines) onEvent(index, line);
    }
}

/// <summary>One tile's worth of a scan; touches nothing shared but the report.</summary>
internal sealed class TileScan(LogSource source, VerificationReport report, long size, long tile, long from, long to, bool bodies, bool keepLines)
{
    private readonly long first = tile * Tiles.Width;
    private readonly int width = Tiles.WidthAt(0, tile, size);

    /// <summary>For the partial last tile: its hashes, if shown.</summary>
    public byte[]? Proven { get; set; }

    /// <summary>For a full tile: its root, if shown.</summary>
    public Hash256? Expected { get; set; }

    public long Verified { get; private set; }
    public List<(long Index, string What, long Count)> Bad { get; } = [];
    public List<long> Absent { get; } = [];
    public List<(long Index, IReadOnlyList<IndexRange> Ranges)> Expiries { get; } = [];
    public List<(long Index, ReadOnlyMemory<byte> Line)> Lines { get; } = [];

    public void Run(ref byte[] buffer)
    {
        var entriesAt = new TileAddress(Tiles.EntriesLevel, tile, width);
        var bundle = ReadEntries(entriesAt);
        var entries = new Range[width];
        var leaves = bundle is null ? null : ProvenTiles.LeavesOf(bundle, entries);
        var stored = ProvenTiles.ReadTile(source, 0, tile, width, report);
        var good = new bool[width];
        if (leaves is null)
        {
            Bad.Add((from, $"{entriesAt} {(bundle is null ? "is missing" : "is malformed")}: {to - from} events cannot be shown.", to - from));
            return;
        }
        if (Leads(leaves))
        {
            Array.Fill(good, value: true);
            CompareStored(stored, leaves);
        }
        else if (stored is not null && Leads(stored))
        {
            for (var i = 0; i < width; i++)
            {
                good[i] = Hash(leaves, i).SequenceEqual(Hash(stored, i));
                if (!good[i] && InRange(i)) Bad.Add((first + i, "The entry is not the one whose leaf the signed tree holds.", 1));
                else if (!good[i]) report.AddProblem(first + i, "The entry is not the one whose leaf the signed tree holds.");
            }
        }
        else
        {
            Bad.Add((from, $"{new TileAddress(0, tile, width)} and {entriesAt} do not lead to the signed root: {to - from} events cannot be shown.", to - from));
            return;
        }
        if (bodies) CheckBodies(bundle!, entries, good, ref buffer);
        else for (var i = 0; i < width; i++) if (good[i] && InRange(i)) Verified++;
    }

    private bool InRange(int i) => first + i >= from && first + i < to;

    private static ReadOnlySpan<byte> Hash(byte[] tile, int i) => tile.AsSpan(i * Hash256.Size, Hash256.Size);

    private bool Leads(byte[] hashes) => width == Tiles.Width
        ? Expected is { } root && Tiles.Root(hashes) == root
        : Proven is { } proven && hashes.AsSpan().SequenceEqual(proven);

    private void CompareStored(byte[]? stored, byte[] leaves)
    {
        if (width < Tiles.Width) return;   // the right edge has been compared when it was read
        var address = new TileAddress(0, tile, width);
        if (stored is null) report.AddProblem(first, $"{address} is missing or has a wrong length.");
        else if (stored.AsSpan().CommonPrefixLength(leaves) is var same && same < stored.Length)
            report.AddProblem(first + (same / Hash256.Size), $"{address} was changed: its hash number {same / Hash256.Size} is not the leaf of that entry.");
    }

    private byte[]? ReadEntries(TileAddress address)
    {
        var bundle = source.Read(address.Path);
        if (bundle is null && width < Tiles.Width && source.Read(new TileAddress(Tiles.EntriesLevel, tile, Tiles.Width).Path) is { } full)
            bundle = Tiles.TrySplitFirstEntries(full, new Range[width], out var read) ? full[..read] : null;
        if (bundle is null) return null;
        foreach (var narrower in source.PartialWidths(Tiles.EntriesLevel, tile))
        {
            if (narrower >= width) continue;
            var older = new TileAddress(Tiles.EntriesLevel, tile, narrower);
            if (source.Read(older.Path) is { } part && !(Tiles.TrySplitFirstEntries(bundle, new Range[narrower], out var length) && bundle.AsSpan(0, length).SequenceEqual(part)))
                report.AddProblem(first, $"{older}, left from when the log was smaller, differs from the bundle that replaced it.");
        }
        return bundle;
    }

    private void CheckBodies(byte[] bundle, Range[] entries, bool[] good, ref byte[] buffer)
    {
        var count = (int)(to - from);
        var content = keepLines ? source.Read(BundlePaths.Events(tile)) is { } kept ? kept : (ReadOnlyMemory<byte>?)null : source.Read(BundlePaths.Events(tile), ref buffer);
        var salts = source.Read(BundlePaths.Salts(tile));
        if (content is not { } events || salts is null)
        {
            Bad.Add((from, $"{(content is null ? BundlePaths.Events(tile) : BundlePaths.Salts(tile))} is missing: {count} events cannot be shown.", count));
            return;
        }
        var shape = salts.Length == count * Entry.SaltSize && (events.Length == 0 || events.Span[^1] == '\n') && events.Span.Count((byte)'\n') == count;
        if (!shape)
        {
            Bad.Add((from, $"{BundlePaths.Events(tile)} and {BundlePaths.Salts(tile)} do not hold {count} lines and salts: the events cannot be shown.", count));
            return;
        }
        var lines = new Range[count];
        for (int i = 0, start = 0; i < count; i++)
        {
            var end = start + events.Span[start..].IndexOf((byte)'\n');
            (lines[i], start) = (start..end, end + 1);
        }
        Span<byte> hashes = stackalloc byte[Tiles.Width * Hash256.Size];
        Entry.HashEach(salts, events.Span, lines, hashes);
        for (var i = 0; i < count; i++)
        {
            var index = from + i;
            var place = (int)(index - first);
            var line = events[lines[i]];
            if (!good[place]) continue;
            if (line.IsEmpty)
            {
                if (salts.AsSpan(i * Entry.SaltSize, Entry.SaltSize).ContainsAnyExcept((byte)0)) Bad.Add((index, "The event is missing though its salt is there.", 1));
                else Absent.Add(index);
                continue;
            }
            var entry = bundle.AsSpan(entries[place]);
            if (entry.Length != Entry.Size || entry[0] != Entry.Version || !entry[1..].SequenceEqual(hashes.Slice(i * Hash256.Size, Hash256.Size)))
            {
                Bad.Add((index, "The event or its salt was changed: it is not what its entry was made of.", 1));
                continue;
            }
            Verified++;
            if (keepLines) Lines.Add((index, line));
            if (line.Span.IndexOf("\"ledger.expired\""u8) >= 0) ReadExpiry(index, line);
        }
    }

    private void ReadExpiry(long index, ReadOnlyMemory<byte> line)
    {
        try
        {
            var read = EventJson.Read(line);
            if (read.Action == EventJson.ExpiredAction) Expiries.Add((index, read.Expired));
        }
        catch (FormatException)
        {
            report.AddNote($"Event {index} mentions ledger.expired but cannot be read; it names nothing.");
        }
    }
}
