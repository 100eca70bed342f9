using System.Security.Cryptography;
using System.Text;

namespace Chaperone.Encryption.Tests;

/// <summary>Published vectors, through the code that seals, so that a runtime or build that computes something else is noticed.</summary>
public class PrimitiveVectorTests
{
    // NIST CAVP, gcmEncryptExtIV256.rsp (Keylen 256, IVlen 96, AADlen 0, Taglen 128): PTlen 128 count 0, 104 count 3, 256 count 6, 408 count 8.
    // The last, with associated data: Project Wycheproof, aes_gcm_test.json, test 91.
    public static TheoryData<string, string, string, string, string, string> AesGcm256 => new()
    {
        { "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22", "0d18e06c7c725ac9e362e1ce", "", "2db5168e932556f8089a0622981d017d", "fa4362189661d163fcd6a56d8bf0405a", "d636ac1bbedd5cc3ee727dc2ab4a9489" },
        { "e5a0eb92cc2b064e1bc80891faf1fab5e9a17a9c3a984e25416720e30e6c2b21", "4742357c335913153ff0eb0f", "", "8499893e16b0ba8b007d54665a", "eb8e6175f1fe38eb1acf95fd51", "88a8b74bb74fda553e91020a23deed45" },
        { "37f39137416bafde6f75022a7a527cc593b6000a83ff51ec04871a0ff5360e4e", "a291484c3de8bec6b47f525f", "", "fafd94cede8b5a0730394bec68a8e77dba288d6ccaa8e1563a81d6e7ccc7fc97", "44dc868006b21d49284016565ffb3979cc4271d967628bf7cdaf86db888e92e5", "01a2b578aa2f41ec6379a44a31cc019c" },
        { "595f259c55abe00ae07535ca5d9b09d6efb9f7e9abb64605c337acbd6b14fc7e", "92f258071d79af3e63672285", "", "a6fee33eb110a2d769bbc52b0f36969c287874f665681477a25fc4c48015c541fbe2394133ba490a34ee2dd67b898177849a91", "bbca4a9e09ae9690c0f6f8d405e53dccd666aa9c5fa13c8758bc30abe1ddd1bcce0d36a1eaaaaffef20cd3c5970b9673f8a65c", "26ccecb9976fd6ac9c2c0f372c52c821" },
        { "92ace3e348cd821092cd921aa3546374299ab46209691bc28b8752d17f123c20", "00112233445566778899aabb", "00000000ffffffff", "00010203040506070809", "e27abdd2d2a53d2f136b", "9a4a2579529301bcfb71c78d4060f52c" },
    };

    [Theory, MemberData(nameof(AesGcm256))]
    public void Aes_gcm_vectors_hold(string key, string iv, string associatedData, string plain, string cipherText, string tag)
    {
        using var dataKey = new DataKey(Guid.Empty, 1, Convert.FromHexString(key));
        var (p, a, i) = (Convert.FromHexString(plain), Convert.FromHexString(associatedData), Convert.FromHexString(iv));
        var (c, t) = (new byte[p.Length], new byte[16]);
        dataKey.Encrypt(i, p, c, t, a);
        Assert.Equal(cipherText, Convert.ToHexStringLower(c));
        Assert.Equal(tag, Convert.ToHexStringLower(t));
        var opened = new byte[p.Length];
        dataKey.Decrypt(i, c, t, opened, a);
        Assert.Equal(p, opened);
    }

    // RFC 4231, section 4: test cases 1 to 4.
    public static TheoryData<string, string, string> HmacSha256 => new()
    {
        { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", string.Concat(Enumerable.Repeat("dd", 50)), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
        { "0102030405060708090a0b0c0d0e0f10111213141516171819", string.Concat(Enumerable.Repeat("cd", 50)), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
    };

    [Theory, MemberData(nameof(HmacSha256))]
    public void Hmac_sha256_vectors_hold(string key, string data, string mac) =>
        Assert.Equal(mac, Convert.ToHexStringLower(HMACSHA256.HashData(Convert.FromHexString(key), Convert.FromHexString(data))));

    [Fact]
    public void Tokens_are_hmac_of_kind_and_value()
    {
        var secret = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        using var index = new BlindIndexKey(7, 2, secret);
        Assert.Equal(HMACSHA256.HashData(secret, (byte[])[0x01, .. Encoding.UTF8.GetBytes("9434765919")])[..16], index.Exact("9434765919"));
        Assert.Equal(HMACSHA256.HashData(secret, (byte[])[0x02, .. Encoding.UTF8.GetBytes("ann")])[..8], index.QueryToken("Ann"));
    }
}
