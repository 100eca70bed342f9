using System.Security.Cryptography;

namespace Chaperone.Encryption.Tests;

public class StreamSealingTests
{
    private const int Chunk = StreamSealing.ChunkLength;
    private static readonly BlobContext Blob = new(Guid.Parse("0198f000-0000-7000-8000-00000000000a"), Guid.Parse("0198f000-0000-7000-8000-000000000001"));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData(3 * Chunk)]
    [InlineData(5 * Chunk + 17)]
    public async Task Open_gives_back_what_was_sealed(int length)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        using var key = new DataKey(Blob.BlobId, 1, secret);
        using var again = new DataKey(Blob.BlobId, 1, secret);
        var plain = RandomNumberGenerator.GetBytes(length);
        var file = new MemoryStream();
        await StreamSealing.Seal(new Trickle(plain), file, key, Blob, CancellationToken.None);
        var opened = new MemoryStream();
        await StreamSealing.Open(new Trickle(file.ToArray()), opened, key, Blob, CancellationToken.None);
        Assert.Equal(plain, opened.ToArray());

        // The same chunks, stored one by one.
        var chunks = await StreamSealing.SealChunks(new Trickle(plain), again, Blob, CancellationToken.None).ToListAsync();
        Assert.Equal(file.ToArray()[1..], chunks.SelectMany(c => c.Bytes).ToArray());
        Assert.Equal(chunks.Count - 1, chunks.FindIndex(c => c.Last));
        Assert.Equal(plain, await ReadAll(chunks.Select(c => c.Bytes), key));
        Assert.Equal(plain, chunks.AsEnumerable().Reverse().Select(c => StreamSealing.OpenChunk(c.Index, c.Last, c.Bytes, key, Blob)).Reverse().SelectMany(c => c).ToArray());
    }

    [Fact]
    public async Task File_cut_anywhere_does_not_open()
    {
        using var key = NewKey();
        var file = await Sealed(key, 2 * Chunk + 100);
        foreach (var length in new[] { 0, 1, 2, 17, Chunk, 1 + Chunk, 1 + Chunk + 15, 1 + Chunk + 16, 1 + Chunk + 17, 1 + 2 * (Chunk + 16), file.Length - 101, file.Length - 16, file.Length - 1 })
            await Broken(file[..length], key);
        await Broken([.. file, 0], key);
        await Broken([.. file, .. new byte[16]], key);
        await Broken([.. file, .. file[1..]], key);
    }

    [Fact]
    public async Task Chunks_moved_doubled_or_left_out_do_not_open()
    {
        using var key = NewKey();
        var chunks = (await StreamSealing.SealChunks(new MemoryStream(new byte[4 * Chunk]), key, Blob, CancellationToken.None).ToListAsync()).ConvertAll(c => c.Bytes);
        byte[][][] wrong =
        [
            [chunks[1], chunks[0], chunks[2], chunks[3]], [chunks[0], chunks[0], chunks[1], chunks[2], chunks[3]], [chunks[0], chunks[2], chunks[3]], [chunks[1], chunks[2], chunks[3]],
            [chunks[0], chunks[1], chunks[2]], [chunks[0], chunks[1], chunks[2], chunks[3], chunks[3]], [chunks[3]], [],
        ];
        foreach (var order in wrong) await Assert.ThrowsAsync<SealBrokenException>(() => ReadAll(order, key));
        Assert.Equal(4 * Chunk, (await ReadAll(chunks, key)).Length);
    }

    [Fact]
    public async Task Flipped_bits_other_blob_other_clinic_other_key_do_not_open()
    {
        using var key = NewKey();
        using var other = NewKey();
        var file = await Sealed(key, Chunk + 40);
        for (var i = 0; i < file.Length; i += i < 64 || i > file.Length - 80 ? 1 : 997)
        {
            file[i] ^= (byte)(1 << (i % 8));
            await Broken(file, key);
            file[i] ^= (byte)(1 << (i % 8));
        }
        await Broken(file, other);
        await Broken(file, key, Blob with { BlobId = Blob.Tenant });
        await Broken(file, key, Blob with { Tenant = Blob.BlobId });
    }

    [Fact]
    public async Task Broken_stream_never_seems_to_end()
    {
        using var key = NewKey();
        var chunks = await StreamSealing.SealChunks(new MemoryStream(new byte[2 * Chunk]), key, Blob, CancellationToken.None).ToListAsync();
        await using var cut = StreamSealing.OpenRead(new[] { chunks[0].Bytes }.ToAsyncEnumerable(), key, Blob);
        var buffer = new byte[10];
        for (var i = 0; i < 3; i++) await Assert.ThrowsAsync<SealBrokenException>(() => cut.ReadExactlyAsync(buffer).AsTask());
    }

    [Fact]
    public async Task Key_seals_one_stream_only()
    {
        using var key = NewKey();
        await Sealed(key, 10);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Sealed(key, 10));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await StreamSealing.SealChunks(new MemoryStream(), key, Blob, CancellationToken.None).ToListAsync());
    }

    private static DataKey NewKey() => DataKey.Create(Blob.BlobId, 1);

    private static async Task<byte[]> Sealed(DataKey key, int length)
    {
        var file = new MemoryStream();
        await StreamSealing.Seal(new MemoryStream(RandomNumberGenerator.GetBytes(length)), file, key, Blob, CancellationToken.None);
        return file.ToArray();
    }

    private static async Task<byte[]> ReadAll(IEnumerable<byte[]> chunks, DataKey key)
    {
        await using var stream = StreamSealing.OpenRead(chunks.ToAsyncEnumerable(), key, Blob);
        var all = new MemoryStream();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }

    private static Task<SealBrokenException> Broken(byte[] file, DataKey key, BlobContext? blob = null) =>
        Assert.ThrowsAsync<SealBrokenException>(() => StreamSealing.Open(new MemoryStream(file), Stream.Null, key, blob ?? Blob, CancellationToken.None));

    /// <summary>Gives a few bytes at a time, as a socket does.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(buffer.Length, 7_777)], cancellationToken);
    }
}
