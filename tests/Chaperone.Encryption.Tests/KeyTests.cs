using System.Security.Cryptography;

namespace Chaperone.Encryption.Tests;

public sealed class KeyTests : IDisposable
{
    private static readonly Guid Tenant = Guid.Parse("0198f000-0000-7000-8000-00000000000a");
    private static readonly Guid Other = Guid.Parse("0198f000-0000-7000-8000-00000000000b");
    private readonly string folder = Directory.CreateTempSubdirectory("chaperone-keys-").FullName;

    private string KeyPath => Path.Combine(folder, "secrets", "root.key");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Wrapped_key_opens_what_the_key_sealed()
    {
        using var clinic = DataKey.Create(Tenant, 1);
        using var subject = DataKey.Create(Other, 4);
        var wrapped = KeyWrap.Wrap(subject, KeyKind.Subject, Tenant, clinic);
        Assert.Equal(1, KeyWrap.WrappingVersionOf(wrapped));
        using var unwrapped = KeyWrap.UnwrapKey(wrapped, new(Tenant, Other, KeyKind.Subject, 4), clinic);
        var place = new SealContext(Tenant, "patient", Other, 1);
        Assert.Equal("x"u8, SealedPayload.Open(SealedPayload.Seal("x"u8, subject, place), unwrapped, place));
    }

    [Fact]
    public void Wrapped_key_is_no_other_key()
    {
        using var clinic = DataKey.Create(Tenant, 1);
        using var otherClinic = DataKey.Create(Tenant, 1);
        using var subject = DataKey.Create(Other, 4);
        var wrapped = KeyWrap.Wrap(subject, KeyKind.Subject, Tenant, clinic);
        var right = new WrapContext(Tenant, Other, KeyKind.Subject, 4);
        foreach (var wrong in new[] { right with { Tenant = Other }, right with { KeyId = Tenant }, right with { Kind = KeyKind.Blob }, right with { Version = 5 } })
            Assert.Throws<SealBrokenException>(() => KeyWrap.UnwrapKey(wrapped, wrong, clinic));
        Assert.Throws<SealBrokenException>(() => KeyWrap.UnwrapKey(wrapped, right, otherClinic));
        Assert.Throws<SealBrokenException>(() => KeyWrap.UnwrapKey(new byte[wrapped.Length], right, clinic)); // destroyed by overwriting
        for (var bit = 0; bit < wrapped.Length * 8; bit++)
        {
            var flipped = wrapped.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<SealBrokenException>(() => KeyWrap.UnwrapKey(flipped, right, clinic));
        }
    }

    [Fact]
    public void Wrapped_key_is_not_a_payload_nor_the_other_way_round()
    {
        using var clinic = DataKey.Create(Tenant, 1);
        var place = new SealContext(Tenant, KeyKind.Subject, Other, 4);
        var wrap = new WrapContext(Tenant, Other, KeyKind.Subject, 4);
        var secret = RandomNumberGenerator.GetBytes(32);
        Assert.Throws<SealBrokenException>(() => SealedPayload.Open(KeyWrap.Wrap(secret, wrap, clinic), clinic, place));
        Assert.Throws<SealBrokenException>(() => KeyWrap.Unwrap(SealedPayload.Seal(secret, clinic, place), wrap, clinic));
    }

    [Fact]
    public void Secret_of_another_length_is_no_data_key()
    {
        using var clinic = DataKey.Create(Tenant, 1);
        var wrap = new WrapContext(Tenant, Other, KeyKind.LogSigning, 1);
        var wrapped = KeyWrap.Wrap(new byte[64], wrap, clinic);
        Assert.Equal(64, KeyWrap.Unwrap(wrapped, wrap, clinic).Length);
        Assert.Throws<SealBrokenException>(() => KeyWrap.UnwrapKey(wrapped, wrap, clinic));
        Assert.Throws<ArgumentException>(() => new DataKey(Tenant, 1, new byte[31]));
    }

    [Fact]
    public async Task Root_key_file_made_and_read_again_is_the_same_key()
    {
        using var made = RootKeyFile.Create(KeyPath);
        using var read = RootKeyFile.Load(KeyPath);
        Assert.Equal(made.Mark, read.Mark);
        using var clinic = DataKey.Create(Tenant, 1);
        var wrapped = await made.Wrap(clinic, KeyKind.Clinic, Tenant, CancellationToken.None);
        Assert.Equal(read.Version, KeyWrap.WrappingVersionOf(wrapped));
        using var unwrapped = await read.UnwrapKey(wrapped, new(Tenant, Tenant, KeyKind.Clinic, 1), CancellationToken.None);
        Assert.Equal(clinic.Id, unwrapped.Id);

        using var another = RootKeyFile.Create(Path.Combine(folder, "another.key"));
        Assert.NotEqual(made.Mark, another.Mark);
        await Assert.ThrowsAsync<SealBrokenException>(async () => await another.UnwrapKey(wrapped, new(Tenant, Tenant, KeyKind.Clinic, 1), CancellationToken.None));
    }

    [Fact]
    public void Root_key_file_is_for_its_owner_only()
    {
        RootKeyFile.Create(KeyPath).Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(KeyPath)!));
        Assert.StartsWith("chaperone-root-key-v1:", File.ReadAllText(KeyPath), StringComparison.Ordinal);
        foreach (var extra in new[] { UnixFileMode.GroupRead, UnixFileMode.GroupWrite, UnixFileMode.OtherRead, UnixFileMode.OtherWrite, UnixFileMode.OtherExecute })
        {
            File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | extra);
            Refused("chmod 600");
        }
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead);
        RootKeyFile.Load(KeyPath).Dispose();
    }

    [Fact]
    public void Root_key_file_is_never_overwritten()
    {
        RootKeyFile.Create(KeyPath).Dispose();
        var before = File.ReadAllText(KeyPath);
        Assert.Contains("never overwritten", Assert.Throws<RootKeyException>(() => RootKeyFile.Create(KeyPath)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(KeyPath));
    }

    [Fact]
    public void Root_key_file_missing_or_wrong_is_refused_by_name()
    {
        Refused("no root key file");
        Directory.CreateDirectory(Path.GetDirectoryName(KeyPath)!);
        Refused("no root key file");
        Written("", "is not a root key file");
        Written("hunter2", "is not a root key file");
        Written("chaperone-root-key-v1:", "has 0 bytes");
        Written("chaperone-root-key-v1:****", "not valid base64");
        Written("chaperone-root-key-v1:" + Convert.ToBase64String(new byte[31]), "has 31 bytes");
        Written("chaperone-root-key-v1:" + Convert.ToBase64String(new byte[33]), "has 33 bytes");
        Written("chaperone-root-key-v1:" + Convert.ToBase64String(new byte[32]), "all zeros");
        Written(new string('x', 100_000), "too long");
        File.Delete(KeyPath);
        Directory.CreateDirectory(KeyPath);
        Refused("cannot be read");
    }

    private void Written(string content, string expected)
    {
        File.WriteAllText(KeyPath, content);
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Refused(expected);
    }

    private void Refused(string expected)
    {
        var refused = Assert.Throws<RootKeyException>(() => RootKeyFile.Load(KeyPath));
        Assert.StartsWith("Chaperone:RootKey: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"'{KeyPath}'", refused.Message, StringComparison.Ordinal);
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }
}
