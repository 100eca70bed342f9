using System.Security.Cryptography;

namespace Chaperone.Encryption;

/// <summary>Stored chunks read as one stream; holds one chunk in clear and one sealed ahead.</summary>
internal sealed class ChunkStream(IAsyncEnumerable<byte[]> sealedChunks, DataKey key, BlobContext ctx) : Stream
{
    private IAsyncEnumerator<byte[]>? chunks;
    private byte[]? ahead;
    private byte[] plain = [];
    private int position;
    private long index;
    private bool ended;
    private bool broken;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (position == plain.Length)
            if (!await NextChunk(cancellationToken)) return 0;
        var count = Math.Min(buffer.Length, plain.Length - position);
        plain.AsSpan(position, count).CopyTo(buffer.Span);
        position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Chunks come from the database: read asynchronously.");

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        CryptographicOperations.ZeroMemory(plain);
        if (chunks is not null) await chunks.DisposeAsync();
        await base.DisposeAsync();
    }

    private async ValueTask<bool> NextChunk(CancellationToken cancel)
    {
        if (broken) throw StreamSealing.Broken(index, ctx); // a stream that broke must not seem to end when read again
        if (ended) return false;
        broken = true;
        if (chunks is null)
        {
            chunks = sealedChunks.GetAsyncEnumerator(cancel);
            ahead = await chunks.MoveNextAsync() ? chunks.Current : throw StreamSealing.Broken(0, ctx);
        }
        var current = ahead!;
        ended = !await chunks.MoveNextAsync();
        ahead = ended ? null : chunks.Current;
        CryptographicOperations.ZeroMemory(plain);
        plain = StreamSealing.OpenChunk(index++, ended, current, key, ctx);
        position = 0;
        broken = false;
        return true;
    }
}
