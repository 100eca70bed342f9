using System.Runtime.CompilerServices;
using System.Text;

namespace Chaperone.Ledger.Tests;

/// <summary>A source in memory whose files a test may change.</summary>
internal sealed class MemorySource(Dictionary<string, byte[]> files) : LogSource
{
    public Dictionary<string, byte[]> Files { get; } = files;

    public override byte[]? Read(string path) => Files.GetValueOrDefault(path);

    public override IEnumerable<string> List() => Files.Keys;

    public override IReadOnlyList<int> PartialWidths(int level, long index)
    {
        var prefix = new TileAddress(level, index, Tiles.Width).Path + ".p/";
        return [.. Files.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).Select(path => int.Parse(path[prefix.Length..]))];
    }

    public MemorySource Copy() => new(Files.ToDictionary(file => file.Key, file => (byte[])file.Value.Clone(), StringComparer.Ordinal));

    public static MemorySource OfFolder(string folder) => new(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllBytes, StringComparer.Ordinal));
}

/// <summary>A log of synthetic events, grown by the code under test in uneven batches.</summary>
internal sealed class TestLog
{
    public const string Origin = "test.example/ledger/1";
    public static readonly DateTimeOffset Start = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private readonly List<Hash256> leaves = [];
    private readonly Dictionary<(int, long), byte[]> tiles = [];

    public NoteSigner Signer { get; } = new(Origin, Hash256.Of("a test's key"u8).ToArray());
    public List<byte[]> Salts { get; } = [];
    public List<byte[]?> Lines { get; } = [];
    public List<byte[]> Entries { get; } = [];
    public Hash256 Root { get; private set; } = Merkle.EmptyRoot;
    public long Size => Entries.Count;
    public Checkpoint Head => new(Origin, Size, Root);
    public IReadOnlyList<Hash256> Leaves => leaves;

    public static TestLog OfSize(int size)
    {
        var log = new TestLog();
        for (var batch = 1; log.Size < size; batch = (batch * 7 % 300) + 1)
            log.Append([.. Enumerable.Range((int)log.Size, Math.Min(batch, size - (int)log.Size)).Select(Viewed)]);
        return log;
    }

    public static LedgerEvent Viewed(int number) => new()
    {
        Id = Id(number), At = Start.AddMilliseconds(number), Action = "patient.viewed", Category = EventCategory.DataAccess,
        Actor = new(ActorKind.User, Id(7), "doctor", Id(8)), Entity = new("patient", Id(number % 50)), Subjects = [Id(number % 50)],
        Source = new("web", "GET /patients/{id}", "192.0.2.7", "Firefox"), Decision = "role:doctor/patient.view",
    };

    public static LedgerEvent ExpiryOf(params IndexRange[] ranges) => Viewed(0) with { Action = "ledger.expired", Category = EventCategory.System, Expired = ranges };

    public static Guid Id(int number) => new($"0193{number & 0xFFFF:x4}-0000-7000-8000-{number:x12}");

    public void Append(params LedgerEvent[] events)
    {
        var added = new List<Hash256>();
        foreach (var each in events)
        {
            Lines.Add(EventJson.Write(each));
            Salts.Add(Hash256.Of(BitConverter.GetBytes(Lines.Count)).ToArray()[..16]);
            Entries.Add(Entry.Bytes(Salts[^1], Lines[^1]!));
            added.Add(Merkle.LeafHash(Entries[^1]));
        }
        var grown = TreeGrowth.Grow(Size - added.Count, Root, ReadTile, added);
        foreach (var tile in grown.Tiles) tiles[(tile.Level, tile.Index)] = tile.Hashes;
        leaves.AddRange(added);
        Root = grown.Root;
    }

    public byte[]? ReadTile(int level, long index, int width) => tiles.GetValueOrDefault((level, index))?[..(width * 32)];

    public byte[] EntryBundle(long index, int width) => Tiles.EncodeEntries([.. Entries.Skip((int)index * 256).Take(width).Select(entry => (ReadOnlyMemory<byte>)entry)]);

    /// <summary>The log as a folder of tiles.</summary>
    public MemorySource AsTiles()
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["checkpoint"] = Head.Sign(Signer).ToBytes(), ["log.vkey"] = Encoding.UTF8.GetBytes(Signer.Key.ToString()) };
        foreach (var ((level, index), hashes) in tiles) files[new TileAddress(level, index, hashes.Length / 32).Path] = hashes;
        for (long index = 0; index < Tiles.CountAt(-1, Size); index++)
        {
            var width = Tiles.WidthAt(-1, index, Size);
            files[new TileAddress(-1, index, width).Path] = EntryBundle(index, width);
        }
        return new(files);
    }

    public BundleContents Bundle(long from, long to) => new()
    {
        From = from, To = to, CheckpointNote = Head.Sign(Signer), Signer = Signer, Created = Start,
        Tile = (level, index, width, _) => ValueTask.FromResult(ReadTile(level, index, width)!),
        Entries = (index, width, _) => ValueTask.FromResult(EntryBundle(index, width)),
        Events = Events(from, to),
    };

    public BundleExpiry ExpiryAt(int index) => new(index, Salts[index], Lines[index]!);

    /// <summary>Lets a body end, as the expiry job does.</summary>
    public void Expire(int index) => Lines[index] = null;

    private async IAsyncEnumerable<BundleEvent> Events(long from, long to, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.Yield();
        for (var index = (int)from; index < to; index++) yield return Lines[index] is { } line ? new(Salts[index], line) : new(null, null);
    }
}

internal static class Naive
{
    /// <summary>The tree as RFC 6962 section 2.1 defines it, by recursion.</summary>
    public static Hash256 Root(ReadOnlySpan<Hash256> leaves)
    {
        if (leaves.IsEmpty) return Hash256.Of([]);
        if (leaves.Length == 1) return leaves[0];
        var k = 1;
        while (k * 2 < leaves.Length) k *= 2;
        return new(System.Security.Cryptography.SHA256.HashData([1, .. Root(leaves[..k]).ToArray(), .. Root(leaves[k..]).ToArray()]));
    }

    public static NodeReader Nodes(Hash256[] leaves) => (level, index) => Root(leaves.AsSpan((int)(index << level), 1 << level));

    public static Hash256[] Leaves(int count) => [.. Enumerable.Range(0, count).Select(i => Hash256.Of(BitConverter.GetBytes(i)))];
}
