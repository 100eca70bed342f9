using System.Buffers.Binary;
using System.Text;
using Chaperone.Clinic.Settings;
using Chaperone.Clinic.Tests.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Settings;

public sealed class ClinicLogoTests : IAsyncLifetime
{
    private SignInHouse house = null!;

    public async ValueTask InitializeAsync() => house = await SignInHouse.CreateAsync();

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    public static TheoryData<string, byte[]> Pictures => new()
    {
        { "image/png 300x40", Png(300, 40) },
        { "image/jpeg 640x480", Jpeg(640, 480) },
        { "image/webp 200x100", WebP("VP8 ", [0, 0, 0, 0x9D, 0x01, 0x2A, 200, 0, 100, 0]) },
        { "image/webp 200x100", WebP("VP8L", [0x2F, 199, 0xC0, 0x18, 0, 0, 0, 0, 0, 0]) },
        { "image/webp 200x100", WebP("VP8X", [0, 0, 0, 0, 199, 0, 0, 99, 0, 0]) },
    };

    public static TheoryData<string, byte[]> Others => new()
    {
        { "nothing", [] },
        { "SVG", Encoding.UTF8.GetBytes("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>") },
        { "GIF", [.. "GIF89a"u8, .. new byte[40]] },
        { "HTML", Encoding.UTF8.GetBytes("<!DOCTYPE html><script>alert(1)</script>" + new string(' ', 40)) },
        { "PDF", [.. "%PDF-1.7"u8, .. new byte[40]] },
        { "PNG without a header", [.. Png(100, 100)[..20]] },
        { "PNG, endless", Png(2001, 100) },
        { "PNG, a dot", Png(15, 15) },
        { "PNG, negative", Png(-5, 100) },
        { "PNG, too many bytes", [.. Png(100, 100), .. new byte[ChangeLogo.MostBytes]] },
        { "JPEG without a frame", [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0, 0xFF, 0xD9, 0, 0, 0, 0] },
        { "JPEG with a segment of no length", [0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] },
        { "WebP of another sort", WebP("ALPH", new byte[10]) },
    };

    [Theory]
    [MemberData(nameof(Pictures))]
    public void Pictures_are_told_by_their_bytes(string expected, byte[] bytes)
    {
        var check = ImageCheck.Of(bytes)!;
        Assert.Equal(expected, $"{check.ContentType} {check.Width}x{check.Height}");
        for (var length = 0; length < bytes.Length; length++) ImageCheck.Of(bytes.AsSpan(0, length));   // cut short anywhere: an answer, never a fault
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Everything_else_is_refused(string what, byte[] bytes)
    {
        var refused = await house.Platform.Monitor.Run(new ChangeLogo(bytes), house.Platform.As(house.Clinic, BuiltInRole.Owner), default);
        Assert.True(refused.Error == SettingsErrors.LogoRefused, what);
        Assert.Null((await house.Platform.Services.GetRequiredService<TenantDirectory>().GetAsync(house.Clinic.Id, default))!.LogoId);
    }

    [Fact]
    public async Task A_logo_is_sealed_served_as_what_it_is_to_its_clinic_only_and_can_go()
    {
        byte[] picture = [.. Png(120, 60), .. "find me"u8];
        var owner = house.Platform.As(house.Clinic, BuiltInRole.Owner);
        Assert.True((await house.Platform.Monitor.Run(new ChangeLogo(Jpeg(64, 64)), owner, default)).Succeeded);
        var id = (await house.Platform.Monitor.Run(new ChangeLogo(picture), owner, default)).Value!.Value;

        Assert.Equal(1L, await house.Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.clinic_logo"));
        Assert.Equal(0L, await house.Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.clinic_logo WHERE position('find me'::bytea IN sealed) > 0 OR position('IHDR'::bytea IN sealed) > 0"));
        var doctor = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Doctor));
        var shown = await doctor.Get($"/logo/{id}");
        Assert.Equal((200, "image/png", "default-src 'none'; sandbox"), (shown.Status, shown.Headers.ContentType.ToString(), shown.Headers.ContentSecurityPolicy.ToString()));
        Assert.Contains("find me", shown.Body, StringComparison.Ordinal);

        var second = await house.Platform.AddClinicAsync("second.test");
        Assert.Equal(PlatformErrors.NotFound, (await house.Platform.Monitor.Run(new ViewLogo(id), house.Platform.As(second, BuiltInRole.Owner), default)).Error);
        Assert.Equal(PlatformErrors.Forbidden, (await house.Platform.Monitor.Run(new ChangeLogo(picture), house.Platform.As(house.Clinic, BuiltInRole.Manager), default)).Error);

        Assert.True((await house.Platform.Monitor.Run(new ChangeLogo(null), owner, default)).Succeeded);
        Assert.Equal(PlatformErrors.NotFound, (await house.Platform.Monitor.Run(new ViewLogo(id), owner, default)).Error);
        Assert.Equal(
            [("logo", null, "image/jpeg, 64 x 64"), ("logo", "a picture", "image/png, 120 x 60"), ("logo", "a picture", null)],
            (await house.Platform.EventsAsync(house.Clinic)).Where(happened => happened is { Action: "settings.modified", Outcome: EventOutcome.Success })
                .Select(happened => happened.Changes.Single(change => change.Field == "logo")).Select(change => (change.Field, change.Before, change.After)));
    }

    private static byte[] Png(int width, int height)
    {
        byte[] bytes = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8, .. new byte[17]];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), height);
        return bytes;
    }

    private static byte[] Jpeg(int width, int height) =>
        [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xFF, 0xC4, 0, 3, 9, 0xFF, 0xC2, 0, 11, 8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 0, 0, 0];

    private static byte[] WebP(string kind, byte[] data) => [.. "RIFF"u8, 0, 0, 0, 0, .. "WEBP"u8, .. Encoding.ASCII.GetBytes(kind), 0, 0, 0, 0, .. data, .. new byte[8]];
}
