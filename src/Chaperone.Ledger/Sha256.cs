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

    // Below half of the lanes they cost more than one after the other.
    private const int LeastInLanes = 8;
    private const int LaneBlocks = 4;

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

    /// <summary>SHA-256 over <paramref name="head"/> and each of many parts of one length, several at once where the processor can.</summary>
    /// <param name="head">Comes before each part.</param>
    /// <param name="parts">The parts; part i begins at <c>i × pitch</c>.</param>
    /// <param name="length">Bytes in a part.</param>
    /// <param name="pitch">From the beginning of a part to that of the next; at least the length.</param>
    /// <param name="hashes">32 bytes a part: as many as there is room for are hashed. May be where <paramref name="parts"/> are, when the pitch is no less than 32.</param>
    public static void HashEach(ReadOnlySpan<byte> head, ReadOnlySpan<byte> parts, int length, int pitch, Span<byte> hashes)
    {
        var (count, done) = (hashes.Length / Hash256.Size, 0);
        var blocks = Sha256Lanes.Blocks(head.Length + length);
        if (Sha256Lanes.IsSupported && count >= LeastInLanes && blocks <= LaneBlocks)
        {
            var stride = blocks * Sha256Lanes.Block;
            Span<byte> padded = stackalloc byte[Sha256Lanes.Count * stride];
            Span<int> all = stackalloc int[Sha256Lanes.Count];
            Span<byte> made = stackalloc byte[Sha256Lanes.Count * Hash256.Size];
            for (; count - done >= LeastInLanes; done += Sha256Lanes.Count)
            {
                var some = Math.Min(Sha256Lanes.Count, count - done);
                all[..some].Fill(blocks);
                all[some..].Clear();
                for (var i = 0; i < some; i++)
                {
                    var place = padded.Slice(i * stride, stride);
                    head.CopyTo(place);
                    parts.Slice((done + i) * pitch, length).CopyTo(place[head.Length..]);
                    Sha256Lanes.Pad(place, head.Length + length);
                }
                Sha256Lanes.Hash(padded, stride, all, made);
                made[..(some * Hash256.Size)].CopyTo(hashes[(done * Hash256.Size)..]);
            }
        }
        for (; done < count; done++) Hash(head, parts.Slice(done * pitch, length), [], hashes.Slice(done * Hash256.Size, Hash256.Size));
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
