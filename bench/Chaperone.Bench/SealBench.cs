using System.Diagnostics;
using System.Security.Cryptography;
using Chaperone.Encryption;
using Chaperone.Platform;

namespace Chaperone.Bench;

/// <summary>Sealing and opening 300 bytes, beside the framework's AES-GCM with as much associated data, made once, and an IV drawn for each message as anybody would.</summary>
internal static class SealBench
{
    private const int Size = 300;

    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var (repetitions, count) = quick ? (9, 20_000) : (31, 50_000);
        using var key = DataKey.Create(Ids.New(TimeProvider.System.GetUtcNow()), 1);
        var context = new SealContext(Ids.New(TimeProvider.System.GetUtcNow()), "patient", Ids.New(TimeProvider.System.GetUtcNow()), 1);
        var plain = RandomNumberGenerator.GetBytes(Size);
        var payload = SealedPayload.Seal(plain, key, context);

        using var bare = new AesGcm(RandomNumberGenerator.GetBytes(DataKey.SecretLength), AesGcm.TagByteSizes.MaxSize);
        // Format, clinic, table, row, version and key, each after four bytes of length.
        var associated = RandomNumberGenerator.GetBytes(6 * 4 + "chaperone-sealed-1".Length + 16 + "patient".Length + 16 + 8 + 16);
        var bareMessage = BareSeal(bare, plain, associated);

        var sealing = await Measure.InTurn("seal", repetitions,
            () => Rate(count, () => SealedPayload.Seal(plain, key, context)),
            () => Rate(count, () => BareSeal(bare, plain, associated)));
        var opening = await Measure.InTurn("open", repetitions,
            () => Rate(count, () => SealedPayload.Open(payload, key, context)),
            () => Rate(count, () => BareOpen(bare, bareMessage, associated)));
        return [new("seal 300 bytes, a second", sealing.Ours, sealing.Reference, 0.8), new("open 300 bytes, a second", opening.Ours, opening.Reference, 0.8)];
    }

    private static Task<double> Rate(int count, Func<byte[]> work)
    {
        var from = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++) work();
        return Task.FromResult(count / Stopwatch.GetElapsedTime(from).TotalSeconds);
    }

    private static byte[] BareSeal(AesGcm cipher, byte[] plain, byte[] associated)
    {
        var message = GC.AllocateUninitializedArray<byte>(12 + plain.Length + 16);
        var iv = message.AsSpan(0, 12);
        RandomNumberGenerator.Fill(iv);
        cipher.Encrypt(iv, plain, message.AsSpan(12, plain.Length), message.AsSpan(12 + plain.Length), associated);
        return message;
    }

    private static byte[] BareOpen(AesGcm cipher, byte[] message, byte[] associated)
    {
        var plain = GC.AllocateUninitializedArray<byte>(message.Length - 28);
        cipher.Decrypt(message.AsSpan(0, 12), message.AsSpan(12, plain.Length), message.AsSpan(12 + plain.Length), plain, associated);
        return plain;
    }
}
