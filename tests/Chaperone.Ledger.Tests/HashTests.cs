using System.Security.Cryptography;

namespace Chaperone.Ledger.Tests;

public class HashTests
{
    [Fact]
    public void Direct_and_framework_hashes_agree_at_every_length()
    {
        Assert.True(Sha256.Direct, "libcrypto's functions are expected on the systems we test on");
        var data = new byte[9000];
        for (var i = 0; i < data.Length; i++) data[i] = (byte)(i * 31);
        Span<byte> hash = stackalloc byte[32];
        for (var length = 0; length <= data.Length; length += length < 300 ? 1 : 97)
        {
            var expected = SHA256.HashData(data.AsSpan(0, length));
            Sha256.Hash(data.AsSpan(0, length), hash);
            Assert.True(hash.SequenceEqual(expected), $"length {length}");
            Sha256.Hash(data.AsSpan(0, length / 3), data.AsSpan(length / 3, length / 2), data.AsSpan((length / 3) + (length / 2), length - (length / 3) - (length / 2)), hash);
            Assert.True(hash.SequenceEqual(expected), $"length {length} in parts");
        }
        Assert.Throws<ArgumentException>(() => Sha256.Hash([], new byte[31]));
        Assert.Throws<ArgumentException>(() => Sha256.Hash([], [], [], new byte[31]));
    }

    [Fact]
    public void Text_forms_go_there_and_back()
    {
        var hash = Hash256.Of("abc"u8);   // FIPS 180-2's example
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash.ToString());
        Assert.True(Hash256.TryParseHex(hash.ToString(), out var hex) && hex == hash);
        Assert.True(Hash256.TryParseBase64(hash.ToBase64(), out var base64) && base64 == hash);
        Assert.Equal(hash, new Hash256(hash.ToArray()));
        foreach (var wrong in new[] { "", "zz", hash.ToString()[1..], hash + "00", new string('g', 64) }) Assert.False(Hash256.TryParseHex(wrong, out _));
        foreach (var wrong in new[] { "", "AAAA", hash.ToBase64()[..^1], " " + hash.ToBase64(), hash.ToBase64().Insert(4, "\n") }) Assert.False(Hash256.TryParseBase64(wrong, out _));
        Assert.Throws<ArgumentException>(() => new Hash256(new byte[31]));
    }
}
