using System.Text;
using Chaperone.Clinic.SignIn;
using Chaperone.Encryption;

namespace Chaperone.Clinic.Tests.SignIn;

public sealed class TotpTests
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");

    // RFC 6238, appendix B, the SHA-1 rows.
    [Theory]
    [InlineData(59, "94287082")]
    [InlineData(1111111109, "07081804")]
    [InlineData(1111111111, "14050471")]
    [InlineData(1234567890, "89005924")]
    [InlineData(2000000000, "69279037")]
    [InlineData(20000000000, "65353130")]
    public void Codes_are_those_of_RFC_6238(long seconds, string code) =>
        Assert.Equal(code, Totp.Code(Secret, Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(seconds)), digits: 8));

    // RFC 4226, appendix D.
    [Theory]
    [InlineData(0, "755224")]
    [InlineData(1, "287082")]
    [InlineData(9, "520489")]
    public void Codes_are_those_of_RFC_4226(long counter, string code) => Assert.Equal(code, Totp.Code(Secret, counter));

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void One_step_of_tolerance_either_way(int steps, bool matches)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1111111111);
        Assert.Equal(matches ? Totp.StepAt(now) + steps : null, Totp.Match(Secret, Totp.Code(Secret, Totp.StepAt(now) + steps), now));
    }

    [Theory]
    [InlineData("")]
    [InlineData("12345")]
    [InlineData("1234567")]
    [InlineData("12345a")]
    [InlineData("１２３４５６")]
    public void What_is_no_code_matches_nothing(string typed) => Assert.Null(Totp.Match(Secret, typed, DateTimeOffset.FromUnixTimeSeconds(59)));

    [Fact]
    public void Code_with_spaces_is_taken() => Assert.Equal(1, Totp.Match(Secret, " 287 082 ", DateTimeOffset.FromUnixTimeSeconds(59)));

    // RFC 4648, section 10.
    [Theory]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base32_is_that_of_RFC_4648(string plain, string encoded)
    {
        Assert.Equal(encoded, Base32.Encode(Encoding.ASCII.GetBytes(plain)));
        Assert.Equal(Encoding.ASCII.GetBytes(plain), Base32.Decode(encoded.ToLowerInvariant()));
    }

    [Fact]
    public void Uri_names_clinic_and_account() =>
        Assert.Equal("otpauth://totp/Clinic%20%26%20Sons:ada%40one.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Clinic%20%26%20Sons&algorithm=SHA1&digits=6&period=30", Totp.Uri(Secret, "Clinic & Sons", "ada@one.test"));

    [Fact]
    public void Backup_codes_have_eighty_bits_in_four_groups_and_are_kept_as_HMAC_bound_to_the_account()
    {
        using var key = new BlindIndexKey(0, 1, Enumerable.Range(0, 32).Select(n => (byte)n).ToArray());
        var codes = BackupCode.NewCodes();
        Assert.Equal(10, codes.Distinct().Count());
        Assert.All(codes, code => Assert.Matches("^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$", code));
        var (one, other) = (new Guid("01980000-0000-7000-8000-000000000001"), new Guid("01980000-0000-7000-8000-000000000002"));
        var kept = codes.Select(code => BackupCode.Kept(key, one, code)!).ToList();
        Assert.Equal(9, BackupCode.Without(kept, BackupCode.Kept(key, one, codes[3].Replace("-", " ", StringComparison.Ordinal).ToLowerInvariant())!)!.Count);
        Assert.Null(BackupCode.Without(kept, BackupCode.Kept(key, other, codes[3])!));
        Assert.Null(BackupCode.Kept(key, one, "ABCD-ABCD"));
    }
}

public sealed class PasswordTests
{
    [Theory]
    [InlineData("Password1234!")]
    [InlineData("P@ssw0rd2024")]
    [InlineData("qwertyuiop12")]
    [InlineData("123456789012")]
    [InlineData("aaaaaaaaaaaa")]
    [InlineData("abcabcabcabc")]
    [InlineData("letmeinletmein")]
    [InlineData("Summer2026!!")]
    [InlineData("!!Welcome2026!!")]
    [InlineData("1qaz2wsx3edc")]
    [InlineData("iloveyoudoctor")]
    [InlineData("zyxwvutsrqponm")]
    [InlineData("short")]
    public void Common_and_short_ones_are_refused(string password) => Assert.NotNull(Passwords.Refusal(password));

    [Theory]
    [InlineData("correct horse battery staple")]
    [InlineData("seven tame herons wade")]
    [InlineData("x7Kq-93vz-Lm2p")]
    [InlineData("die Brücke über den Bach")]
    [InlineData("пароль из четырёх слов")]
    [InlineData("tractor willow spoon")]
    public void Phrases_and_random_ones_are_taken(string password) => Assert.Null(Passwords.Refusal(password));

    [Fact]
    public void Own_address_is_refused() => Assert.NotNull(Passwords.Refusal("ada.lovelace@one.test", "Ada.Lovelace@one.test"));

    [Fact]
    public async Task Hash_is_PBKDF2_HMAC_SHA512_with_the_iterations_set_and_made_anew_when_they_rise()
    {
        using var fewer = new Passwords(1000);
        using var more = new Passwords(2000);
        var hash = (await fewer.HashAsync("seven tame herons wade", default)).Value;
        var bytes = Convert.FromBase64String(hash);
        Assert.Equal((1, 2u, 1000u), (bytes[0], System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1)), System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(5))));

        var verdict = (await more.CheckAsync(hash, "seven tame herons wade", default)).Value;

        Assert.True(verdict.IsRight);
        Assert.Equal(2000u, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(Convert.FromBase64String(verdict.Rehashed!).AsSpan(5)));
        Assert.False((await more.CheckAsync(hash, "seven tame herons", default)).Value.IsRight);
        Assert.True(Passwords.FewestIterations >= 210_000);
    }
}
