using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Chaperone.Encryption;

/// <summary>
/// The key above all others: wraps clinics' keys and the keys of the installation (log signing, Data Protection), and seals nothing else. Asynchronous, so that a key
/// held elsewhere (KMS, Vault) answers the same calls; this one holds its secret in memory and answers at once.
/// </summary>
public sealed class RootKey : IDisposable
{
    private readonly DataKey key;

    /// <summary>A root key from its secret, which is copied; the caller zeroes its own copy.</summary>
    public RootKey(ReadOnlySpan<byte> secret)
    {
        Span<byte> mark = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, "chaperone root key"u8, mark);
        key = new DataKey(new Guid(mark[..16], bigEndian: true), BinaryPrimitives.ReadInt32BigEndian(mark[16..]) & int.MaxValue, secret);
    }

    /// <summary>Tells one root key from another without telling anything about it. Stored beside what it wraps, so that a wrong key file is named as such.</summary>
    public Guid Mark => key.Id;

    /// <summary>What <see cref="KeyWrap.WrappingVersionOf"/> gives for keys wrapped by this root key.</summary>
    public int Version => key.Version;

    /// <summary>Wraps a data key.</summary>
    public ValueTask<byte[]> Wrap(DataKey dataKey, string kind, Guid tenant, CancellationToken cancel) =>
        cancel.IsCancellationRequested ? ValueTask.FromCanceled<byte[]>(cancel) : ValueTask.FromResult(KeyWrap.Wrap(dataKey, kind, tenant, key));

    /// <summary>Wraps any secret, such as a signing key's seed.</summary>
    public ValueTask<byte[]> Wrap(ReadOnlyMemory<byte> secret, WrapContext ctx, CancellationToken cancel) =>
        cancel.IsCancellationRequested ? ValueTask.FromCanceled<byte[]>(cancel) : ValueTask.FromResult(KeyWrap.Wrap(secret.Span, ctx, key));

    /// <summary>Unwraps a data key. The caller disposes it.</summary>
    /// <exception cref="SealBrokenException">It does not unwrap as this key under this root key.</exception>
    public ValueTask<DataKey> UnwrapKey(ReadOnlyMemory<byte> wrapped, WrapContext ctx, CancellationToken cancel) =>
        cancel.IsCancellationRequested ? ValueTask.FromCanceled<DataKey>(cancel) : ValueTask.FromResult(KeyWrap.UnwrapKey(wrapped.Span, ctx, key));

    /// <summary>Unwraps a secret. The caller zeroes it.</summary>
    /// <exception cref="SealBrokenException">It does not unwrap as this key under this root key.</exception>
    public ValueTask<byte[]> Unwrap(ReadOnlyMemory<byte> wrapped, WrapContext ctx, CancellationToken cancel) =>
        cancel.IsCancellationRequested ? ValueTask.FromCanceled<byte[]>(cancel) : ValueTask.FromResult(KeyWrap.Unwrap(wrapped.Span, ctx, key));

    /// <summary>Zeroes the secret.</summary>
    public void Dispose() => key.Dispose();
}
