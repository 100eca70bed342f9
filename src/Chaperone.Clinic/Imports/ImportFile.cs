using System.Runtime.CompilerServices;
using Chaperone.Encryption;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>The sealed file of an import. Its key is random, wrapped under the clinic's data key, and forgotten with the file.</summary>
internal static class ImportFile
{
    /// <summary>Chunks fetched or stored at once: 1 MiB.</summary>
    public const int Stretch = 16;

    public static async Task<DataKey> OpenKeyAsync(KeyRing keys, Guid tenant, Guid keyId, byte[] wrapped, CancellationToken cancel)
    {
        var wrapping = await keys.DataKeyAsync(tenant, KeyWrap.WrappingVersionOf(wrapped), cancel);
        return KeyWrap.UnwrapKey(wrapped, new(tenant, keyId, KeyKind.Blob, 1), wrapping);
    }

    /// <summary>The file in clear, as it is read; inside an operation.</summary>
    public static Stream Open(OperationScope scope, Guid job, DataKey key, CancellationToken cancel) =>
        StreamSealing.OpenRead(ChunksAsync(from => ReadAsync(scope.Db, job, from, cancel), cancel), key, new(scope.Tenant.Id, job));

    public static Task<List<byte[]>> ReadAsync(ChaperoneDb db, Guid job, int from, CancellationToken cancel) =>
        db.Set<UploadChunkRow>().AsNoTracking().Where(chunk => chunk.JobId == job && chunk.N >= from && chunk.N < from + Stretch).OrderBy(chunk => chunk.N).Select(chunk => chunk.Sealed).ToListAsync(cancel);

    public static async IAsyncEnumerable<byte[]> ChunksAsync(Func<int, Task<List<byte[]>>> read, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var from = 0; ; from += Stretch)
        {
            var chunks = await read(from);
            foreach (var chunk in chunks) yield return chunk;
            if (chunks.Count < Stretch) yield break;
            cancel.ThrowIfCancellationRequested();
        }
    }
}

/// <summary>The body being received: counted, looked at, and refused beyond the limit.</summary>
internal sealed class ReceivedFile(Stream body, ByteCheck check) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(buffer, cancellationToken);
        check.Add(buffer.Span[..read]);
        return check.Length > ImportLimits.MostBytes ? throw new FileTooLargeException() : read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>The file goes on beyond the limit.</summary>
internal sealed class FileTooLargeException() : Exception("The file is larger than allowed.");
