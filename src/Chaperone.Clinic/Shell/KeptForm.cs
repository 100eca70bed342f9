using System.Security.Cryptography;
using System.Text.Json;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Shell;

/// <summary>Asks for a fresh second factor in the middle of a posted form. The sign-in feature gives it.</summary>
/// <param name="Ask">The page that asks, given where to go back to and the form as <see cref="KeptForm.Keep"/> sealed it.</param>
public sealed record StepUpOfRequest(Func<HttpContext, string, string, Task<IResult>> Ask);

/// <summary>
/// What was typed in a form whose operation asks for a fresh code first. It stands sealed in a hidden field of the page that asks for the code, and is posted to where it was going once the
/// code was right: nothing is typed twice, and nothing of it lies on the server, in an address or in a cookie. It opens in the same session, at the same path, for ten minutes.
/// </summary>
internal static class KeptForm
{
    /// <summary>The hidden field's name.</summary>
    public const string FieldName = "__kept";

    private const int MostBytes = PageResults.MostFormBytes / 2;   // sealed and encoded it must still fit into a form
    private static readonly TimeSpan For = TimeSpan.FromMinutes(10);

    private sealed record Kept(DateTimeOffset Until, Dictionary<string, string> Fields);

    /// <summary>The form of this request, sealed; null when nobody is signed in or it is too large.</summary>
    public static string? Keep(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        if (Protector(http, http.Request.Path) is not { } protector) return null;
        var fields = form.Where(field => field.Key is not (Token.FieldName or FieldName)).ToDictionary();
        var bytes = JsonSerializer.SerializeToUtf8Bytes(new Kept(Now(http) + For, fields));
        return bytes.Length > MostBytes ? null : Convert.ToBase64String(protector.Protect(bytes));
    }

    /// <summary>What <see cref="Keep"/> sealed on the way to <paramref name="path"/>; null when it was altered, is of another session or path, or its time is over.</summary>
    public static IReadOnlyDictionary<string, string>? Open(HttpContext http, string path, string sealedForm)
    {
        try
        {
            return Protector(http, path)?.Unprotect(Convert.FromBase64String(sealedForm)) is { } bytes && JsonSerializer.Deserialize<Kept>(bytes) is { } kept && kept.Until > Now(http) ? kept.Fields : null;
        }
        catch (Exception unreadable) when (unreadable is CryptographicException or FormatException or JsonException)
        {
            return null;
        }
    }

    private static IDataProtector? Protector(HttpContext http, string path) => http.Context() is { Tenant: { } tenant, Actor.SessionId: { } session }
        ? http.RequestServices.GetRequiredService<IDataProtectionProvider>().CreateProtector("Chaperone.KeptForm", tenant.Id.ToString("N"), session.ToString("N"), path)
        : null;

    private static DateTimeOffset Now(HttpContext http) => http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
}
