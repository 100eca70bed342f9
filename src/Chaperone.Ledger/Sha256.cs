using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Chaperone.Ledger;

/// <summary>SHA-256 of many short messages. <see cref="SHA256.HashData(ReadOnlySpan{byte})"/> is bound by its calls (about 1 µs each);
/// libcrypto's own functions on a stack context cost a tenth of that. Where they are missing the BCL does the work; tests compare the two.</summary>
internal static unsafe partial class Sha256
{
    // SuppressGCTransition holds up the collector while the call runs, so longer messages take the ordinary way.
    private const int LongestDirect = 4096;

    public static bool Direct { get; } = Probe();

    public static void Hash(ReadOnlySpan<byte> data, Span<byte> hash)
    {
        if (!Direct || data.Length > LongestDirect) { SHA256.HashData(data, hash); return; }
        if (hash.Length < Hash256.Size) throw new ArgumentException("A SHA-256 value needs 32 bytes.", nameof(hash));
        Context context;
        fixed (byte* from = data) fixed (byte* to = hash)
        {
            _ = Init(&context);
            _ = Update(&context, from, (nuint)data.Length);
            _ = Final(to, &context);
        }
    }

    /// <summary>SHA-256 over the parts in order, as one message.</summary>
    public static void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> hash)
    {
        if (!Direct || first.Length + second.Length + third.Length > LongestDirect) { Slow(first, second, third, hash); return; }
        if (hash.Length < Hash256.Size) throw new ArgumentException("A SHA-256 value needs 32 bytes.", nameof(hash));
        Context context;
        fixed (byte* one = first) fixed (byte* two = second) fixed (byte* three = third) fixed (byte* to = hash)
        {
            _ = Init(&context);
            _ = Update(&context, one, (nuint)first.Length);
            _ = Update(&context, two, (nuint)second.Length);
            _ = Update(&context, three, (nuint)third.Length);
            _ = Final(to, &context);
        }
    }

    private static void Slow(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, Span<byte> hash)
    {
        using var running = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        running.AppendData(first);
        running.AppendData(second);
        running.AppendData(third);
        running.GetHashAndReset(hash);
    }

    private static bool Probe()
    {
        try
        {
            Context context;
            var hash = stackalloc byte[Hash256.Size];
            if (Init(&context) != 1 || Final(hash, &context) != 1) return false;
            return new ReadOnlySpan<byte>(hash, Hash256.Size).SequenceEqual(SHA256.HashData([]));
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return false;   // a system without libcrypto 3, or one built without the deprecated functions
        }
    }

    // SHA256_CTX is 112 bytes in every OpenSSL since 0.9.8; the slack guards against a longer one.
    [InlineArray(32)]
    private struct Context { private ulong word; }

    [LibraryImport(LibCrypto.Name, EntryPoint = "SHA256_Init")]
    [SuppressGCTransition]
    private static partial int Init(Context* context);

    [LibraryImport(LibCrypto.Name, EntryPoint = "SHA256_Update")]
    [SuppressGCTransition]
    private static partial int Update(Context* context, byte* data, nuint length);

    [LibraryImport(LibCrypto.Name, EntryPoint = "SHA256_Final")]
    [SuppressGCTransition]
    private static partial int Final(byte* hash, Context* context);
}
