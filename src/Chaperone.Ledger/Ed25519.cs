using System.Runtime.InteropServices;
using System.Security.Cryptography;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Chaperone.Ledger;

/// <summary>Ed25519 signatures (RFC 8032, "pure": no prehash, no context), by OpenSSL 3's libcrypto, because .NET has none of its own.</summary>
/// <remarks>Keys are the 32-byte seed and the 32-byte public key of RFC 8032 section 5.1.5. Callers keep seeds secret and zero them after use;
/// this type keeps none. A system without libcrypto 3 gets <see cref="DllNotFoundException"/> at the first call.</remarks>
public static class Ed25519
{
    /// <summary>Bytes in a seed, which is the private key.</summary>
    public const int SeedSize = 32;

    /// <summary>Bytes in a public key.</summary>
    public const int PublicKeySize = 32;

    /// <summary>Bytes in a signature.</summary>
    public const int SignatureSize = 64;

    /// <summary>A new private key from the system's random generator.</summary>
    public static byte[] GenerateSeed() => RandomNumberGenerator.GetBytes(SeedSize);

    /// <summary>The public key of a seed.</summary>
    /// <exception cref="ArgumentException">The seed has not 32 bytes.</exception>
    public static byte[] PublicKey(ReadOnlySpan<byte> seed)
    {
        using var key = LibCrypto.PrivateKey(seed);
        var publicKey = new byte[PublicKeySize];
        nuint length = PublicKeySize;
        LibCrypto.Check(LibCrypto.GetRawPublicKey(key, publicKey, ref length));
        return publicKey;
    }

    /// <summary>Signs the message; the same seed and message always give the same 64 bytes.</summary>
    /// <exception cref="ArgumentException">The seed has not 32 bytes.</exception>
    public static byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message)
    {
        using var key = LibCrypto.PrivateKey(seed);
        using var context = LibCrypto.NewContext();
        LibCrypto.Check(LibCrypto.DigestSignInit(context, 0, 0, 0, key));
        var signature = new byte[SignatureSize];
        nuint length = SignatureSize;
        LibCrypto.Check(LibCrypto.DigestSign(context, signature, ref length, message, (nuint)message.Length));
        return signature;
    }

    /// <summary>Whether the signature is the key's over the message. False, never an exception, for keys and signatures of a wrong length or form.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != PublicKeySize || signature.Length != SignatureSize) return false;
        using var key = LibCrypto.NewRawPublicKey(LibCrypto.Ed25519Type, 0, publicKey, (nuint)publicKey.Length);
        using var context = LibCrypto.NewContext();
        var good = !key.IsInvalid && LibCrypto.DigestVerifyInit(context, 0, 0, 0, key) == 1
            && LibCrypto.DigestVerify(context, signature, (nuint)signature.Length, message, (nuint)message.Length) == 1;
        if (!good) LibCrypto.ClearErrors();   // the error queue belongs to the thread: leave nothing for its next user
        return good;
    }
}

/// <summary>The few functions of OpenSSL 3 that are called.</summary>
internal static partial class LibCrypto
{
    public const string Name = "libcrypto.so.3";
    public const int Ed25519Type = 1087;   // NID_ED25519

    public static KeyHandle PrivateKey(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != Ed25519.SeedSize) throw new ArgumentException("An Ed25519 seed has 32 bytes.", nameof(seed));
        var key = NewRawPrivateKey(Ed25519Type, 0, seed, (nuint)seed.Length);
        Check(key.IsInvalid ? 0 : 1);
        return key;
    }

    public static void Check(int result)
    {
        if (result == 1) return;
        ClearErrors();
        throw new CryptographicException("libcrypto could not do an Ed25519 operation.");
    }

    [LibraryImport(Name, EntryPoint = "EVP_PKEY_new_raw_private_key")]
    public static partial KeyHandle NewRawPrivateKey(int type, nint engine, ReadOnlySpan<byte> seed, nuint length);

    [LibraryImport(Name, EntryPoint = "EVP_PKEY_new_raw_public_key")]
    public static partial KeyHandle NewRawPublicKey(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Name, EntryPoint = "EVP_PKEY_get_raw_public_key")]
    public static partial int GetRawPublicKey(KeyHandle key, Span<byte> publicKey, ref nuint length);

    [LibraryImport(Name, EntryPoint = "EVP_PKEY_free")]
    public static partial void FreeKey(nint key);

    [LibraryImport(Name, EntryPoint = "EVP_MD_CTX_new")]
    public static partial ContextHandle NewContext();

    [LibraryImport(Name, EntryPoint = "EVP_MD_CTX_free")]
    public static partial void FreeContext(nint context);

    [LibraryImport(Name, EntryPoint = "EVP_DigestSignInit")]
    public static partial int DigestSignInit(ContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(Name, EntryPoint = "EVP_DigestSign")]
    public static partial int DigestSign(ContextHandle context, Span<byte> signature, ref nuint length, ReadOnlySpan<byte> message, nuint messageLength);

    [LibraryImport(Name, EntryPoint = "EVP_DigestVerifyInit")]
    public static partial int DigestVerifyInit(ContextHandle context, nint keyContext, nint digest, nint engine, KeyHandle key);

    [LibraryImport(Name, EntryPoint = "EVP_DigestVerify")]
    public static partial int DigestVerify(ContextHandle context, ReadOnlySpan<byte> signature, nuint length, ReadOnlySpan<byte> message, nuint messageLength);

    [LibraryImport(Name, EntryPoint = "ERR_clear_error")]
    public static partial void ClearErrors();

    public sealed class KeyHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;
        protected override bool ReleaseHandle() { FreeKey(handle); return true; }
    }

    public sealed class ContextHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;
        protected override bool ReleaseHandle() { FreeContext(handle); return true; }
    }
}
