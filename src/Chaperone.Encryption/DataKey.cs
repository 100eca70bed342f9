using System.Security.Cryptography;

namespace Chaperone.Encryption;

/// <summary>
/// A 256-bit key in memory: a clinic's, a subject's, an audit month's, a blob's. Random always, never derived. Safe to use from many threads; zeroed by
/// <see cref="Dispose"/>, after which every use throws <see cref="ObjectDisposedException"/>. Never logged and never serialised: it has no member that gives the secret.
/// </summary>
public sealed class DataKey : IDisposable
{
    /// <summary>Length of the secret in bytes.</summary>
    public const int SecretLength = 32;

    /// <summary>Most messages one version of a key may seal; random 96-bit IVs stay far from colliding (NIST SP 800-38D, 8.3 allows 2^32).</summary>
    public const long MostMessages = 1L << 31;

    internal const int TagLength = 16;
    internal const int IvLength = 12;

    // AesGcm keeps one OpenSSL context per instance and is not safe to share between threads while in use; so idle ones wait here, and a caller owns the one it took.
    private readonly AesGcm?[] idle = new AesGcm?[4];
    private readonly byte[] secret = GC.AllocateUninitializedArray<byte>(SecretLength, pinned: true); // pinned: the collector leaves no copies behind
    private readonly Lock gate = new();
    private volatile bool disposed;
    private long messagesSealed;
    private int streams;

    /// <summary>A key from its secret, which is copied; the caller zeroes its own copy.</summary>
    /// <param name="id">The id of the key's row; bound into what it seals.</param>
    /// <param name="version">Version, 0 or more; written into what it seals.</param>
    /// <param name="secret">Exactly <see cref="SecretLength"/> bytes.</param>
    public DataKey(Guid id, int version, ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        if (secret.Length != SecretLength) throw new ArgumentException($"A key has {SecretLength} bytes, not {secret.Length}.", nameof(secret));
        Id = id;
        Version = version;
        secret.CopyTo(this.secret);
    }

    private DataKey(Guid id, int version)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        Id = id;
        Version = version;
        RandomNumberGenerator.Fill(secret);
    }

    /// <summary>The id of the key's row.</summary>
    public Guid Id { get; }

    /// <summary>The key's version.</summary>
    public int Version { get; }

    /// <summary>Messages sealed through this instance. The owner of the key's row adds them up and makes the next version before <see cref="MostMessages"/>.</summary>
    public long MessagesSealed => Interlocked.Read(ref messagesSealed);

    /// <summary>Makes a new random key.</summary>
    public static DataKey Create(Guid id, int version) => new(id, version);

    /// <summary>Zeroes the secret.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            CryptographicOperations.ZeroMemory(secret);
        }
        DropIdle();
    }

    internal void Encrypt(ReadOnlySpan<byte> iv, ReadOnlySpan<byte> plain, Span<byte> cipherText, Span<byte> tag, ReadOnlySpan<byte> associatedData)
    {
        if (Interlocked.Increment(ref messagesSealed) > MostMessages)
            throw new InvalidOperationException($"Key {Id} version {Version} has sealed {MostMessages} messages; the next version must be made.");
        var cipher = Take();
        try
        {
            cipher.Encrypt(iv, plain, cipherText, tag, associatedData);
        }
        finally
        {
            GiveBack(cipher);
        }
    }

    /// <exception cref="AuthenticationTagMismatchException">It does not open; <paramref name="plain"/> is zeroed.</exception>
    internal void Decrypt(ReadOnlySpan<byte> iv, ReadOnlySpan<byte> cipherText, ReadOnlySpan<byte> tag, Span<byte> plain, ReadOnlySpan<byte> associatedData)
    {
        var cipher = Take();
        try
        {
            cipher.Decrypt(iv, cipherText, tag, plain, associatedData);
        }
        finally
        {
            GiveBack(cipher);
        }
    }

    internal void CopySecretTo(Span<byte> destination)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            secret.CopyTo(destination);
        }
    }

    /// <summary>Counter IVs must never start twice under one key.</summary>
    internal void ClaimForOneStream()
    {
        if (Interlocked.Exchange(ref streams, 1) != 0) throw new InvalidOperationException("A blob key seals exactly one stream; make a new key for a new or repeated one.");
    }

    private AesGcm Take()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        for (var i = 0; i < idle.Length; i++)
            if (Interlocked.Exchange(ref idle[i], null) is { } cipher) return cipher;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this); // never seal under a zeroed secret
            return new AesGcm(secret, TagLength);
        }
    }

    private void GiveBack(AesGcm cipher)
    {
        for (var i = 0; i < idle.Length; i++)
        {
            if (Interlocked.CompareExchange(ref idle[i], cipher, null) is not null) continue;
            if (disposed) DropIdle();
            return;
        }
        cipher.Dispose();
    }

    private void DropIdle()
    {
        for (var i = 0; i < idle.Length; i++) Interlocked.Exchange(ref idle[i], null)?.Dispose();
    }
}
