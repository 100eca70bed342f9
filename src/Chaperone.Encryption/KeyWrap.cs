using System.Security.Cryptography;

namespace Chaperone.Encryption;

/// <summary>What kind of key a wrapped key is; bound into the wrapping.</summary>
public static class KeyKind
{
    /// <summary>A clinic's key, wrapped by the root key.</summary>
    public const string Clinic = "clinic";

    /// <summary>The key of a patient, employee or user.</summary>
    public const string Subject = "subject";

    /// <summary>Settings, secrets and rows about nobody.</summary>
    public const string ClinicData = "clinic-data";

    /// <summary>Log bodies of one expiry month.</summary>
    public const string Audit = "audit";

    /// <summary>One blob or upload.</summary>
    public const string Blob = "blob";

    /// <summary>A blind index.</summary>
    public const string Index = "index";

    /// <summary>The HMAC key of backup codes.</summary>
    public const string BackupCode = "backup-code";

    /// <summary>The HMAC key of the proofs of rows that give rights: sessions, trusted devices, one-time links.</summary>
    public const string Proof = "proof";

    /// <summary>The log's signing key, wrapped by the root key.</summary>
    public const string LogSigning = "log-signing";

    /// <summary>ASP.NET Core's Data Protection keys, wrapped by the root key.</summary>
    public const string DataProtection = "data-protection";
}

/// <summary>Which key is wrapped; bound into the wrapping, so that a wrapped key unwraps only as itself.</summary>
/// <param name="Tenant">The clinic; all zeros for keys of the installation.</param>
/// <param name="KeyId">The key's id.</param>
/// <param name="Kind">One of <see cref="KeyKind"/>, 1 to 128 bytes.</param>
/// <param name="Version">The key's version.</param>
public readonly record struct WrapContext(Guid Tenant, Guid KeyId, string Kind, int Version);

/// <summary>
/// Keys under keys, AES-256-GCM: <c>0x01 || wrapping key's version (4) || IV (12) || wrapped secret || tag (16)</c>.
/// Associated data, each field length-prefixed: format, tenant, key id, kind, version.
/// </summary>
public static class KeyWrap
{
    /// <summary>Wraps a data key.</summary>
    public static byte[] Wrap(DataKey key, string kind, Guid tenant, DataKey wrapping)
    {
        Span<byte> secret = stackalloc byte[DataKey.SecretLength];
        try
        {
            key.CopySecretTo(secret);
            return Wrap(secret, new WrapContext(tenant, key.Id, kind, key.Version), wrapping);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Wraps any secret, such as a signing key's seed.</summary>
    public static byte[] Wrap(ReadOnlySpan<byte> secret, in WrapContext ctx, DataKey wrapping)
    {
        var wrapped = new byte[SealedPayload.Overhead + secret.Length];
        var associatedData = new AssociatedData(stackalloc byte[AssociatedData.LongestLength]);
        Describe(ref associatedData, ctx);
        SealedPayload.WriteSealed(wrapped, secret, wrapping, associatedData.Written);
        return wrapped;
    }

    /// <summary>Unwraps a data key. The caller disposes it.</summary>
    /// <exception cref="SealBrokenException">It does not unwrap as this key under that one.</exception>
    public static DataKey UnwrapKey(ReadOnlySpan<byte> wrapped, in WrapContext ctx, DataKey wrapping)
    {
        var secret = Unwrap(wrapped, ctx, wrapping);
        try
        {
            return secret.Length == DataKey.SecretLength ? new DataKey(ctx.KeyId, ctx.Version, secret) : throw Broken(ctx, wrapping);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Unwraps a secret. The caller zeroes it.</summary>
    /// <exception cref="SealBrokenException">It does not unwrap as this key under that one.</exception>
    public static byte[] Unwrap(ReadOnlySpan<byte> wrapped, in WrapContext ctx, DataKey wrapping)
    {
        var associatedData = new AssociatedData(stackalloc byte[AssociatedData.LongestLength]);
        Describe(ref associatedData, ctx);
        return SealedPayload.OpenSealed(wrapped, wrapping, associatedData.Written) ?? throw Broken(ctx, wrapping);
    }

    /// <summary>The version of the key that wrapped this: rotation resumes by it. Not authenticated.</summary>
    public static int WrappingVersionOf(ReadOnlySpan<byte> wrapped) => SealedPayload.KeyVersionOf(wrapped);

    private static void Describe(ref AssociatedData associatedData, in WrapContext ctx)
    {
        associatedData.Add("chaperone-wrapped-1"u8);
        associatedData.Add(ctx.Tenant);
        associatedData.Add(ctx.KeyId);
        associatedData.AddName(ctx.Kind);
        associatedData.Add(ctx.Version);
    }

    private static SealBrokenException Broken(in WrapContext ctx, DataKey wrapping) =>
        new($"Wrapped key did not unwrap: clinic {ctx.Tenant}, {ctx.Kind} key {ctx.KeyId} version {ctx.Version}, under key {wrapping.Id} version {wrapping.Version}.");
}
