using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Chaperone.Encryption.Tests;

public class SealedPayloadTests
{
    private static readonly SealContext Here = new(Guid.Parse("0198f000-0000-7000-8000-00000000000a"), "patient", Guid.Parse("0198f000-0000-7000-8000-000000000001"), 3);
    private readonly DataKey key = DataKey.Create(Guid.Parse("0198f000-0000-7000-8000-0000000000ff"), 5);

    [Fact]
    public void Open_gives_back_what_was_sealed() =>
        Prop.ForAll<byte[]>(plain => SealedPayload.Open(SealedPayload.Seal(plain, key, Here), key, Here).AsSpan().SequenceEqual(plain)).QuickCheckThrowOnFailure();

    [Fact]
    public void Layout_is_the_documented_one_opened_by_hand()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        using var known = new DataKey(Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), 0x01020304, secret);
        var payload = SealedPayload.Seal("hello"u8, known, Here);

        Assert.Equal(5 + 12 + 5 + 16, payload.Length);
        Assert.Equal("0101020304", Convert.ToHexStringLower(payload[..5]));
        Assert.Equal(0x01020304, SealedPayload.KeyVersionOf(payload));
        byte[] associatedData =
        [
            .. Field("chaperone-sealed-1"u8), .. Field(Here.Tenant.ToByteArray(bigEndian: true)), .. Field("patient"u8), .. Field(Here.RowId.ToByteArray(bigEndian: true)),
            .. Field([0, 0, 0, 0, 0, 0, 0, 3]), .. Field(Convert.FromHexString("00112233445566778899aabbccddeeff")),
        ];
        var plain = new byte[5];
        using var bare = new AesGcm(secret, 16);
        bare.Decrypt(payload.AsSpan(5, 12), payload.AsSpan(17, 5), payload.AsSpan(22), plain, associatedData);
        Assert.Equal("hello", Encoding.UTF8.GetString(plain));

        static byte[] Field(ReadOnlySpan<byte> value)
        {
            var field = new byte[4 + value.Length];
            BinaryPrimitives.WriteInt32BigEndian(field, value.Length);
            value.CopyTo(field.AsSpan(4));
            return field;
        }
    }

    [Fact]
    public void Payload_moved_to_any_other_place_does_not_open()
    {
        var otherId = Guid.Parse("0198f000-0000-7000-8000-000000000002");
        SealContext[] places = [Here, Here with { Tenant = otherId }, Here with { Table = "patienu" }, Here with { Table = "patient2" }, Here with { RowId = otherId }, Here with { RowVersion = 2 }, Here with { RowVersion = 4 },
            Here with { Tenant = Here.RowId, RowId = Here.Tenant }];
        foreach (var from in places)
        {
            var payload = SealedPayload.Seal("x"u8, key, from);
            foreach (var to in places)
            {
                if (to == from) Assert.Equal("x"u8, SealedPayload.Open(payload, key, to));
                else Assert.Throws<SealBrokenException>(() => SealedPayload.Open(payload, key, to));
            }
        }
    }

    [Fact]
    public void Payload_opens_under_its_own_key_id_and_version_only()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        using var own = new DataKey(Here.RowId, 5, secret);
        using var otherSecret = DataKey.Create(Here.RowId, 5);
        using var otherVersion = new DataKey(Here.RowId, 6, secret);
        using var otherId = new DataKey(Here.Tenant, 5, secret);
        var payload = SealedPayload.Seal("x"u8, own, Here);
        Assert.Equal("x"u8, SealedPayload.Open(payload, own, Here));
        foreach (var wrong in new[] { otherSecret, otherVersion, otherId }) Assert.Throws<SealBrokenException>(() => SealedPayload.Open(payload, wrong, Here));
    }

    [Fact]
    public void Every_flipped_bit_breaks_it()
    {
        var payload = SealedPayload.Seal("a name nobody may read"u8, key, Here);
        for (var bit = 0; bit < payload.Length * 8; bit++)
        {
            var flipped = payload.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<SealBrokenException>(() => SealedPayload.Open(flipped, key, Here));
        }
    }

    [Fact]
    public void Every_other_length_breaks_it()
    {
        var payload = SealedPayload.Seal("a name nobody may read"u8, key, Here);
        for (var length = 0; length < payload.Length; length++) Assert.Throws<SealBrokenException>(() => SealedPayload.Open(payload.AsSpan(0, length), key, Here));
        Assert.Throws<SealBrokenException>(() => SealedPayload.Open([.. payload, 0], key, Here));
        Assert.Throws<SealBrokenException>(() => SealedPayload.KeyVersionOf([]));
        Assert.Throws<SealBrokenException>(() => SealedPayload.KeyVersionOf(new byte[64]));
    }

    [Fact]
    public void Broken_seal_names_ids_only()
    {
        var payload = SealedPayload.Seal("Margaret"u8, key, Here);
        payload[^1] ^= 1;
        var broken = Assert.Throws<SealBrokenException>(() => SealedPayload.Open(payload, key, Here));
        Assert.Contains(Here.RowId.ToString(), broken.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Margaret", broken.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Sealing_twice_gives_different_bytes()
    {
        var ivs = Enumerable.Range(0, 10_000).Select(_ => Convert.ToHexString(SealedPayload.Seal([], key, Here).AsSpan(5, 12))).ToHashSet();
        Assert.Equal(10_000, ivs.Count);
        Assert.Equal(10_000, key.MessagesSealed);
    }

    [Fact]
    public void Table_name_of_no_or_too_many_bytes_is_a_bug()
    {
        Assert.Throws<ArgumentException>(() => SealedPayload.Seal([], key, Here with { Table = "" }));
        Assert.Throws<ArgumentException>(() => SealedPayload.Seal([], key, Here with { Table = new string('é', 65) }));
        var longest = Here with { Table = new string('é', 64) };
        Assert.Empty(SealedPayload.Open(SealedPayload.Seal([], key, longest), key, longest));
    }

    [Fact]
    public async Task Key_is_safe_between_threads()
    {
        var work = Enumerable.Range(0, 16).Select(n => Task.Run(() =>
        {
            for (var i = 0; i < 2_000; i++)
            {
                var ctx = Here with { RowVersion = i, RowId = new Guid(n, 0, 0, new byte[8]) };
                var plain = BitConverter.GetBytes(n * 100_000 + i);
                Assert.Equal(plain, SealedPayload.Open(SealedPayload.Seal(plain, key, ctx), key, ctx));
            }
        }));
        await Task.WhenAll(work);
    }

    [Fact]
    public async Task Disposed_key_never_seals_again_even_when_in_use()
    {
        for (var round = 0; round < 50; round++)
        {
            using var shared = DataKey.Create(Here.RowId, 1);
            using var zeros = new DataKey(Here.RowId, 1, new byte[32]);
            var users = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                try
                {
                    while (true)
                    {
                        var payload = SealedPayload.Seal("x"u8, shared, Here);
                        Assert.Throws<SealBrokenException>(() => SealedPayload.Open(payload, zeros, Here));
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            })).ToArray();
            await Task.Delay(2);
            shared.Dispose();
            await Task.WhenAll(users);
            Assert.Throws<ObjectDisposedException>(() => SealedPayload.Seal("x"u8, shared, Here));
            Assert.Throws<ObjectDisposedException>(() => KeyWrap.Wrap(shared, KeyKind.Subject, Here.Tenant, zeros));
        }
    }
}
