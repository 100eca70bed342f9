using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Chaperone.Encryption;

/// <summary>Which blob a chunk belongs to; bound into it.</summary>
/// <param name="Tenant">The clinic.</param>
/// <param name="BlobId">The blob or upload.</param>
public readonly record struct BlobContext(Guid Tenant, Guid BlobId);

/// <summary>One sealed chunk.</summary>
/// <param name="Index">Position in the blob, from 0.</param>
/// <param name="Last">Whether the blob ends with it.</param>
/// <param name="Bytes">Ciphertext and tag.</param>
public readonly record struct SealedChunk(long Index, bool Last, byte[] Bytes);

/// <summary>
/// Blobs and uploads in chunks of 64 KiB, AES-256-GCM, in constant memory. Each chunk is <c>ciphertext || tag (16)</c>; its IV is the chunk's index (11 bytes, big-endian)
/// and 0x01 for the last chunk, else 0x00; the associated data, length-prefixed, are format, tenant, blob id, key id. So a chunk that is changed, moved, doubled or missing at the
/// end does not open. Every chunk but the last is full; an empty blob is one empty chunk. (STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, 2015, as in age.)
/// As a file: <c>0x01</c>, then the chunks.
/// </summary>
/// <remarks>
/// A key seals one stream and nothing else, ever: the IVs are a counter. A broken upload starts again under a new key. Opening gives out each chunk once that chunk is
/// verified; that nothing is missing is known only at the end, so callers keep no effect of a stream that threw.
/// </remarks>
public static class StreamSealing
{
    /// <summary>Plain bytes of every chunk but the last.</summary>
    public const int ChunkLength = 64 * 1024;

    /// <summary>Bytes of a full sealed chunk.</summary>
    public const int SealedChunkLength = ChunkLength + DataKey.TagLength;

    private const byte Format = 0x01;

    /// <summary>Seals a stream into chunks to be stored one by one.</summary>
    public static async IAsyncEnumerable<SealedChunk> SealChunks(Stream plain, DataKey key, BlobContext ctx, [EnumeratorCancellation] CancellationToken cancel)
    {
        key.ClaimForOneStream();
        await foreach (var (index, last, chunk) in Split(plain, ChunkLength, cancel))
        {
            var bytes = GC.AllocateUninitializedArray<byte>(chunk.Length + DataKey.TagLength);
            SealChunk(index, last, chunk.Span, bytes, key, ctx);
            yield return new SealedChunk(index, last, bytes);
        }
    }

    /// <summary>Opens one chunk, in any order.</summary>
    /// <param name="index">Where it should be.</param>
    /// <param name="last">Whether it should be the last: the caller knows from its own list of chunks, not from the chunk.</param>
    /// <param name="sealedChunk">The sealed bytes.</param>
    /// <param name="key">The blob's key.</param>
    /// <param name="ctx">The blob.</param>
    /// <exception cref="SealBrokenException">It is not that chunk.</exception>
    public static byte[] OpenChunk(long index, bool last, ReadOnlySpan<byte> sealedChunk, DataKey key, in BlobContext ctx)
    {
        if (sealedChunk.Length is < DataKey.TagLength or > SealedChunkLength) throw Broken(index, ctx);
        var plain = GC.AllocateUninitializedArray<byte>(sealedChunk.Length - DataKey.TagLength);
        OpenChunk(index, last, sealedChunk, plain, key, ctx);
        return plain;
    }

    /// <summary>Seals a stream into a file.</summary>
    public static async Task Seal(Stream plain, Stream destination, DataKey key, BlobContext ctx, CancellationToken cancel)
    {
        key.ClaimForOneStream();
        var buffer = GC.AllocateUninitializedArray<byte>(SealedChunkLength);
        buffer[0] = Format;
        await destination.WriteAsync(buffer.AsMemory(0, 1), cancel);
        await foreach (var (index, last, chunk) in Split(plain, ChunkLength, cancel))
        {
            var length = chunk.Length + DataKey.TagLength;
            SealChunk(index, last, chunk.Span, buffer.AsSpan(0, length), key, ctx);
            await destination.WriteAsync(buffer.AsMemory(0, length), cancel);
        }
    }

    /// <summary>Opens a sealed file.</summary>
    /// <exception cref="SealBrokenException">Changed or cut short; what was written before must be thrown away.</exception>
    public static async Task Open(Stream sealedStream, Stream destination, DataKey key, BlobContext ctx, CancellationToken cancel)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(ChunkLength);
        if (await sealedStream.ReadAtLeastAsync(buffer.AsMemory(0, 1), 1, throwOnEndOfStream: false, cancel) != 1 || buffer[0] != Format) throw Broken(0, ctx);
        try
        {
            await foreach (var (index, last, chunk) in Split(sealedStream, SealedChunkLength, cancel))
            {
                if (chunk.Length < DataKey.TagLength) throw Broken(index, ctx);
                var length = chunk.Length - DataKey.TagLength;
                OpenChunk(index, last, chunk.Span, buffer.AsSpan(0, length), key, ctx);
                await destination.WriteAsync(buffer.AsMemory(0, length), cancel);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    /// <summary>Reads stored chunks, in order, as one stream (asynchronous reads only, no seeking).</summary>
    /// <exception cref="SealBrokenException">Thrown by reads: changed, out of order, or the end is missing.</exception>
    public static Stream OpenRead(IAsyncEnumerable<byte[]> sealedChunks, DataKey key, BlobContext ctx) => new ChunkStream(sealedChunks, key, ctx);

    // Reads one block ahead, because only that tells the last one. The block given out is valid until the next step.
    private static async IAsyncEnumerable<(long Index, bool Last, ReadOnlyMemory<byte> Block)> Split(Stream stream, int blockLength, [EnumeratorCancellation] CancellationToken cancel)
    {
        var block = GC.AllocateUninitializedArray<byte>(blockLength);
        var next = GC.AllocateUninitializedArray<byte>(blockLength);
        try
        {
            var length = await stream.ReadAtLeastAsync(block, blockLength, throwOnEndOfStream: false, cancel);
            for (long index = 0; ; index++)
            {
                var nextLength = length < blockLength ? 0 : await stream.ReadAtLeastAsync(next, blockLength, throwOnEndOfStream: false, cancel);
                yield return (index, nextLength == 0, block.AsMemory(0, length));
                if (nextLength == 0) yield break;
                (block, next, length) = (next, block, nextLength);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(block);
            CryptographicOperations.ZeroMemory(next);
        }
    }

    private static void SealChunk(long index, bool last, ReadOnlySpan<byte> plain, Span<byte> sealedChunk, DataKey key, in BlobContext ctx)
    {
        Span<byte> iv = stackalloc byte[DataKey.IvLength];
        WriteIv(iv, index, last);
        var associatedData = new AssociatedData(stackalloc byte[AssociatedData.LongestLength]);
        Describe(ref associatedData, key, ctx);
        key.Encrypt(iv, plain, sealedChunk[..plain.Length], sealedChunk[plain.Length..], associatedData.Written);
    }

    private static void OpenChunk(long index, bool last, ReadOnlySpan<byte> sealedChunk, Span<byte> plain, DataKey key, in BlobContext ctx)
    {
        // One form only: full chunks before the last, and an empty last chunk only as the whole of an empty blob.
        if (index < 0 || (!last && plain.Length != ChunkLength) || (last && index > 0 && plain.Length == 0)) throw Broken(index, ctx);
        Span<byte> iv = stackalloc byte[DataKey.IvLength];
        WriteIv(iv, index, last);
        var associatedData = new AssociatedData(stackalloc byte[AssociatedData.LongestLength]);
        Describe(ref associatedData, key, ctx);
        try
        {
            key.Decrypt(iv, sealedChunk[..plain.Length], sealedChunk[plain.Length..], plain, associatedData.Written);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Broken(index, ctx);
        }
    }

    private static void WriteIv(Span<byte> iv, long index, bool last)
    {
        iv[..3].Clear();
        BinaryPrimitives.WriteInt64BigEndian(iv[3..], index);
        iv[^1] = last ? (byte)1 : (byte)0;
    }

    private static void Describe(ref AssociatedData associatedData, DataKey key, in BlobContext ctx)
    {
        associatedData.Add("chaperone-chunk-1"u8);
        associatedData.Add(ctx.Tenant);
        associatedData.Add(ctx.BlobId);
        associatedData.Add(key.Id);
    }

    internal static SealBrokenException Broken(long index, in BlobContext ctx) => new($"Sealed blob did not open: clinic {ctx.Tenant}, blob {ctx.BlobId}, chunk {index}.");
}
