using System.Security.Cryptography;

namespace Chaperone.Ledger.Tests;

public class HashTests
{
    [Fact]
    public void Direct_and_framework_hashes_agree_at_every_length()
    {
        Assert.True(Sha256.Direct, "libcrypto's functions are expected on the systems we test on");
        var data = new byte[9000];
        for (var i = 0; i < data.Length; i++) data[i] = (byte)(i * 31);
        Span<byte> hash = stackalloc byte[32];
        for (var length = 0; length <= data.Length; length += length < 300 ? 1 : 97)
        {
            var expected = SHA256.HashData(data.AsSpan(0, length));
            Sha256.Hash(data.AsSpan(0, length), hash);
            Assert.True(hash.SequenceEqual(expected), $"length {length}");
            Sha256.Hash(data.AsSpan(0, length / 3), data.AsSpan(length / 3, length / 2), data.AsSpan((length / 3) + (length / 2), length - (length / 3) - (length / 2)), hash);
            Assert.True(hash.SequenceEqual(expected), $"length {length} in parts");
        }
        Assert.Throws<ArgumentException>(() => Sha256.Hash([], new byte[31]));
        Assert.Throws<ArgumentException>(() => Sha256.Hash([], [], [], new byte[31]));
    }

    [Fact]
    public void Sixteen_at_once_agree_with_the_framework_whatever_their_lengths()
    {
        if (!Sha256Lanes.IsSupported) return;       // such a processor hashes one after the other, which the other tests hold against the framework
        const int stride = 20 * Sha256Lanes.Block;
        var random = new Random(3);
        var (padded, blocks, hashes) = (new byte[Sha256Lanes.Count * stride], new int[Sha256Lanes.Count], new byte[Sha256Lanes.Count * 32]);
        for (var round = 0; round < 300; round++)
        {
            var messages = Enumerable.Range(0, Sha256Lanes.Count).Select(lane => Bytes(random, round < 80 ? (round * Sha256Lanes.Count) + lane <= stride - 9 ? (round * Sha256Lanes.Count) + lane : 0 : random.Next(stride - 8))).ToArray();
            for (var lane = 0; lane < messages.Length; lane++)
            {
                messages[lane].CopyTo(padded, lane * stride);
                blocks[lane] = Sha256Lanes.Blocks(messages[lane].Length);
                Sha256Lanes.Pad(padded.AsSpan(lane * stride, blocks[lane] * Sha256Lanes.Block), messages[lane].Length);
            }
            Sha256Lanes.Hash(padded, stride, blocks, hashes);
            for (var lane = 0; lane < messages.Length; lane++) Assert.Equal(SHA256.HashData(messages[lane]), hashes[(lane * 32)..((lane + 1) * 32)]);
        }
        Assert.Throws<ArgumentException>(() => Sha256Lanes.Hash(padded, Sha256Lanes.Block, [.. Enumerable.Repeat(2, 16)], hashes));
        Assert.Throws<ArgumentException>(() => Sha256Lanes.Hash(padded, stride, blocks, hashes.AsSpan(1)));
    }

    [Fact]
    public void Many_messages_hash_as_each_alone()
    {
        var random = new Random(5);
        foreach (var (length, pitch) in new[] { (32, 32), (33, 35), (64, 64), (64, 70), (300, 301) })
            for (var count = 0; count <= 40; count++)
            {
                var (parts, hashes) = (Bytes(random, count * pitch), new byte[count * 32]);
                Sha256.HashEach([1, 2], parts, length, pitch, hashes);
                for (var i = 0; i < count; i++) Assert.Equal(SHA256.HashData([1, 2, .. parts.AsSpan(i * pitch, length)]), hashes[(i * 32)..((i + 1) * 32)]);
            }
        // As the levels of a tree are made: over what they are made of.
        var row = Bytes(random, 256 * 32);
        var expected = Enumerable.Range(0, 128).SelectMany(i => SHA256.HashData([1, .. row.AsSpan(i * 64, 64)])).ToArray();
        Sha256.HashEach([1], row, 64, 64, row.AsSpan(0, 128 * 32));
        Assert.Equal(expected, row[..(128 * 32)]);
    }

    [Fact]
    public void Entries_of_many_events_are_those_of_each()
    {
        var random = new Random(7);
        var lengths = new[] { 500, 0, 1, 12, 20, 28, 29, 84, 1200, 1236, 1237, 1238, 5000, 480, 481, 482, 483, 0, 700, 0, 33 };
        var lines = lengths.Select(length => Bytes(random, length)).ToArray();
        var salts = Bytes(random, 16 * lines.Length);
        var (text, places) = (new List<byte>(), new List<Range>());
        foreach (var line in lines)
        {
            places.Add(text.Count..(text.Count + line.Length));
            text.AddRange(line);
            text.Add((byte)'\n');
        }
        var hashes = new byte[32 * lines.Length];
        Entry.HashEach(salts, text.ToArray(), places.ToArray(), hashes);
        for (var i = 0; i < lines.Length; i++)
            Assert.Equal(lines[i].Length == 0 ? new byte[32] : Entry.Bytes(salts.AsSpan(16 * i, 16), lines[i])[1..], hashes[(32 * i)..(32 * (i + 1))]);
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    [Fact]
    public void Text_forms_go_there_and_back()
    {
        var hash = Hash256.Of("abc"u8);   // FIPS 180-2's example
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash.ToString());
        Assert.True(Hash256.TryParseHex(hash.ToString(), out var hex) && hex == hash);
        Assert.True(Hash256.TryParseBase64(hash.ToBase64(), out var base64) && base64 == hash);
        Assert.Equal(hash, new Hash256(hash.ToArray()));
        foreach (var wrong in new[] { "", "zz", hash.ToString()[1..], hash + "00", new string('g', 64) }) Assert.False(Hash256.TryParseHex(wrong, out _));
        foreach (var wrong in new[] { "", "AAAA", hash.ToBase64()[..^1], " " + hash.ToBase64(), hash.ToBase64().Insert(4, "\n") }) Assert.False(Hash256.TryParseBase64(wrong, out _));
        Assert.Throws<ArgumentException>(() => new Hash256(new byte[31]));
    }
}
