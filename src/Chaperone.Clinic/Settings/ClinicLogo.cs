using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>A picture's bytes, as they were sent.</summary>
internal sealed record LogoImage(byte[] Bytes) : ISealedPayload<LogoImage>
{
    public static JsonTypeInfo<LogoImage> Json => ClinicSettingsJson.Default.LogoImage;

    public override string ToString() => nameof(LogoImage);
}

/// <summary>The clinic's logo; the row in the directory names it. At most one is kept.</summary>
internal sealed class ClinicLogoRow : SealedRow<LogoImage>;

/// <summary>Makes a picture the clinic's logo, or takes the logo away.</summary>
/// <param name="Bytes">PNG, JPEG or WebP by its own bytes, whatever a name or header says; null for none.</param>
internal sealed record ChangeLogo(byte[]? Bytes) : IOperation<Guid?>
{
    public const int MostBytes = 512 * 1024, LeastPixels = 16, MostPixels = 2000;

    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(Resource.Clinic);

    public override string ToString() => nameof(ChangeLogo);
}

internal sealed class ChangeLogoHandler(TenantDirectory directory) : IHandler<ChangeLogo, Guid?>
{
    public async Task<Result<Guid?>> Handle(ChangeLogo request, OperationScope scope, CancellationToken cancel)
    {
        var picture = request.Bytes is { Length: <= ChangeLogo.MostBytes } bytes ? ImageCheck.Of(bytes) : null;
        if (request.Bytes is not null && picture is not { Width: >= ChangeLogo.LeastPixels and <= ChangeLogo.MostPixels, Height: >= ChangeLogo.LeastPixels and <= ChangeLogo.MostPixels }) return SettingsErrors.LogoRefused;

        var before = await scope.Open(scope.Db.Set<ClinicLogoRow>(), cancel);
        scope.Db.RemoveRange(before);
        Guid? made = request.Bytes is null ? null : scope.NewId();
        if (made is { } id) scope.Add(new ClinicLogoRow { Id = id, Payload = new(request.Bytes!) });
        var tenant = scope.Tenant.Id;
        await scope.Db.Database.ExecuteSqlAsync($"UPDATE directory.tenant SET logo_id = {made} WHERE id = {tenant}", cancel);
        scope.NoteChange("logo", before.Count > 0 ? "a picture" : null, picture is null ? null : $"{picture.ContentType}, {picture.Width} x {picture.Height}");
        scope.AfterCommit(_ =>
        {
            directory.Forget();
            return Task.CompletedTask;
        });
        return made;
    }
}

/// <summary>The clinic's logo, for whoever is signed in.</summary>
internal sealed record ViewLogo(Guid Logo) : IOperation<LogoFile>
{
    public static Policy Policy { get; } = Policy.Unlogged("the clinic's own picture, on every page; nobody's data").ForSelf("everybody signed in sees the clinic's logo", beforeEnrolment: true);
}

/// <summary>The picture, and what it is by its own bytes.</summary>
internal sealed record LogoFile(byte[] Bytes, string ContentType);

internal sealed class ViewLogoHandler : IHandler<ViewLogo, LogoFile>
{
    public async Task<Result<LogoFile>> Handle(ViewLogo request, OperationScope scope, CancellationToken cancel) =>
        await scope.OpenOne(scope.Db.Set<ClinicLogoRow>().AsNoTracking().Where(row => row.Id == request.Logo), cancel) is { } row && ImageCheck.Of(row.Payload.Bytes) is { } picture
            ? new LogoFile(row.Payload.Bytes, picture.ContentType)
            : PlatformErrors.NotFound;
}
