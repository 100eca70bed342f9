using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Chaperone.Ledger;

/// <summary>SHA-256 (FIPS 180-4) of sixteen messages at once, a message in each 32-bit lane of AVX-512's registers. Only where <see cref="IsSupported"/>; tests hold it against the library's.</summary>
/// <remarks>A log is hashed in messages of one to ten blocks, and a single message cannot use a wide processor: each of its rounds waits for the one before. Sixteen that do not wait for each other can.</remarks>
internal static class Sha256Lanes
{
    /// <summary>Messages hashed together.</summary>
    public const int Count = 16;

    /// <summary>Bytes in a block.</summary>
    public const int Block = 64;

    private static readonly uint[] Rounds =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    private static readonly uint[] Start = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    /// <summary>Whether this processor can.</summary>
    public static bool IsSupported => Avx512BW.IsSupported;

    /// <summary>How many blocks a message of so many bytes fills with its padding.</summary>
    public static int Blocks(int length) => (length + 8) / Block + 1;

    /// <summary>Writes the padding after a message. The place is as long as its blocks.</summary>
    public static void Pad(Span<byte> place, int length)
    {
        place[length] = 0x80;
        place[(length + 1)..^8].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(place[^8..], (ulong)length * 8);
    }

    /// <summary>Hashes sixteen padded messages.</summary>
    /// <param name="padded">Message i begins at <c>i × stride</c>.</param>
    /// <param name="stride">At least the blocks of the longest, in bytes.</param>
    /// <param name="blocks">Blocks of each of the sixteen; 0 leaves a lane idle, its hash means nothing then.</param>
    /// <param name="hashes">Room for sixteen hashes of 32 bytes.</param>
    /// <exception cref="ArgumentException">Room for fewer messages or hashes than asked for.</exception>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]     // at once: as it is first compiled it is thirty times slower
    public static void Hash(ReadOnlySpan<byte> padded, int stride, ReadOnlySpan<int> blocks, Span<byte> hashes)
    {
        var counts = Vector512.Create(blocks[..Count]);
        var most = 0;
        foreach (var count in blocks[..Count]) most = Math.Max(most, count);
        if (most * Block > stride || padded.Length < Count * stride) throw new ArgumentException("A message is longer than its place.", nameof(padded));
        if (hashes.Length < Count * Hash256.Size) throw new ArgumentException("Sixteen SHA-256 values need 512 bytes.", nameof(hashes));
        Span<Vector512<uint>> words = stackalloc Vector512<uint>[64];
        Span<Vector512<uint>> state = stackalloc Vector512<uint>[8];
        for (var i = 0; i < state.Length; i++) state[i] = Vector512.Create(Start[i]);
        for (var block = 0; block < most; block++)
        {
            Load(padded[(block * Block)..], stride, words);
            Compress(state, words, Vector512.GreaterThan(counts, Vector512.Create(block)).AsUInt32());
        }
        var values = MemoryMarshal.Cast<Vector512<uint>, uint>(state);
        for (var lane = 0; lane < Count; lane++)
            for (var i = 0; i < 8; i++) BinaryPrimitives.WriteUInt32BigEndian(hashes[((lane * Hash256.Size) + (i * 4))..], values[(i * Count) + lane]);
    }

    // Reads one block of each message as sixteen rows of words and turns rows into columns: word i of all messages in words[i].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Load(ReadOnlySpan<byte> padded, int stride, Span<Vector512<uint>> words)
    {
        var swap = Vector512.Create(0x0405060700010203UL, 0x0C0D0E0F08090A0BUL, 0x0405060700010203UL, 0x0C0D0E0F08090A0BUL, 0x0405060700010203UL, 0x0C0D0E0F08090A0BUL, 0x0405060700010203UL, 0x0C0D0E0F08090A0BUL).AsByte();
        ref var quads = ref words[16];      // free until the schedule is worked out
        for (var i = 0; i < 4; i++)
        {
            var (a, b, c, d) = (Row(padded, 4 * i), Row(padded, (4 * i) + 1), Row(padded, (4 * i) + 2), Row(padded, (4 * i) + 3));
            var (low, lower) = (Avx512F.UnpackLow(a, b).AsUInt64(), Avx512F.UnpackLow(c, d).AsUInt64());
            var (high, higher) = (Avx512F.UnpackHigh(a, b).AsUInt64(), Avx512F.UnpackHigh(c, d).AsUInt64());
            Unsafe.Add(ref quads, i) = Avx512F.UnpackLow(low, lower).AsUInt32();
            Unsafe.Add(ref quads, 4 + i) = Avx512F.UnpackHigh(low, lower).AsUInt32();
            Unsafe.Add(ref quads, 8 + i) = Avx512F.UnpackLow(high, higher).AsUInt32();
            Unsafe.Add(ref quads, 12 + i) = Avx512F.UnpackHigh(high, higher).AsUInt32();
        }
        for (var j = 0; j < 4; j++)
        {
            ref var four = ref Unsafe.Add(ref quads, 4 * j);
            var (one, two) = (Avx512F.Shuffle4x128(four, Unsafe.Add(ref four, 1), 0x44), Avx512F.Shuffle4x128(Unsafe.Add(ref four, 2), Unsafe.Add(ref four, 3), 0x44));
            var (three, last) = (Avx512F.Shuffle4x128(four, Unsafe.Add(ref four, 1), 0xEE), Avx512F.Shuffle4x128(Unsafe.Add(ref four, 2), Unsafe.Add(ref four, 3), 0xEE));
            words[j] = Avx512F.Shuffle4x128(one, two, 0x88);
            words[4 + j] = Avx512F.Shuffle4x128(one, two, 0xDD);
            words[8 + j] = Avx512F.Shuffle4x128(three, last, 0x88);
            words[12 + j] = Avx512F.Shuffle4x128(three, last, 0xDD);
        }

        Vector512<uint> Row(ReadOnlySpan<byte> from, int lane) => Avx512BW.Shuffle(Vector512.Create(from.Slice(lane * stride, Block)), swap).AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compress(Span<Vector512<uint>> state, Span<Vector512<uint>> words, Vector512<uint> active)
    {
        for (var i = 16; i < 64; i++)
        {
            var (far, near) = (words[i - 15], words[i - 2]);
            words[i] = words[i - 16] + words[i - 7]
                + (Avx512F.RotateRight(far, 7) ^ Avx512F.RotateRight(far, 18) ^ (far >>> 3)) + (Avx512F.RotateRight(near, 17) ^ Avx512F.RotateRight(near, 19) ^ (near >>> 10));
        }
        var (a, b, c, d, e, f, g, h) = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]);
        for (var i = 0; i < 64; i += 8)
        {
            Round(a, b, c, ref d, e, f, g, ref h, words[i], Rounds[i]);
            Round(h, a, b, ref c, d, e, f, ref g, words[i + 1], Rounds[i + 1]);
            Round(g, h, a, ref b, c, d, e, ref f, words[i + 2], Rounds[i + 2]);
            Round(f, g, h, ref a, b, c, d, ref e, words[i + 3], Rounds[i + 3]);
            Round(e, f, g, ref h, a, b, c, ref d, words[i + 4], Rounds[i + 4]);
            Round(d, e, f, ref g, h, a, b, ref c, words[i + 5], Rounds[i + 5]);
            Round(c, d, e, ref f, g, h, a, ref b, words[i + 6], Rounds[i + 6]);
            Round(b, c, d, ref e, f, g, h, ref a, words[i + 7], Rounds[i + 7]);
        }
        // What has no block here keeps its state.
        (state[0], state[1], state[2], state[3]) = (state[0] + (a & active), state[1] + (b & active), state[2] + (c & active), state[3] + (d & active));
        (state[4], state[5], state[6], state[7]) = (state[4] + (e & active), state[5] + (f & active), state[6] + (g & active), state[7] + (h & active));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, ref Vector512<uint> d, Vector512<uint> e, Vector512<uint> f, Vector512<uint> g, ref Vector512<uint> h, Vector512<uint> word, uint constant)
    {
        var sum = h + Vector512.Create(constant) + word + (Avx512F.RotateRight(e, 6) ^ Avx512F.RotateRight(e, 11) ^ Avx512F.RotateRight(e, 25)) + Avx512F.TernaryLogic(e, f, g, 0xCA);
        d += sum;
        h = sum + (Avx512F.RotateRight(a, 2) ^ Avx512F.RotateRight(a, 13) ^ Avx512F.RotateRight(a, 22)) + Avx512F.TernaryLogic(a, b, c, 0xE8);
    }
}
