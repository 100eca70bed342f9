using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Shell;

/// <summary>What a page offers whom. For what is shown only: the operation behind decides.</summary>
internal static class Offered
{
    /// <summary>Whether the caller's roles include it.</summary>
    public static bool May(this HttpContext http, Permission permission) => http.MayNot(permission) is null;

    /// <summary>Why the caller's roles do not include it, or null.</summary>
    public static Error? MayNot(this HttpContext http, Permission permission)
    {
        var actor = http.Context().Actor;
        if (actor.Id is null) return PlatformErrors.SignInRequired;
        if (!actor.State.Enrolled) return PlatformErrors.EnrolmentRequired;
        return actor.Rights.Holds(permission, actor.State.Elevated, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow()) ? null : PlatformErrors.Forbidden;
    }
}
