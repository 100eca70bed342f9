using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Team;

/// <summary>The forms for what an account knows of its person: somebody's under Settings › Team, and one's own.</summary>
internal static class ProfilePages
{
    public const string Own = "/account/profile";

    private static readonly string[] Fields = ["name", "email", "title", "registrationBody", "registerName", "registrationNumber", "colour"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet(TeamPages.List + "/{id:guid}/edit", (HttpContext http, Guid id) => Edit(http, id)).Runs(typeof(ViewMember));
        pages.MapPost(TeamPages.List + "/{id:guid}/edit", Change).Runs(typeof(ChangeProfile), typeof(ViewMember));
        pages.Get(Own, http => EditOwn(http)).Runs(typeof(ViewMe));
        pages.Post(Own, ChangeOwn).Runs(typeof(ChangeOwnProfile), typeof(ViewMe));
    }

    private static async Task<IResult> Edit(HttpContext http, Guid id, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var found = await http.Run(new ViewMember(id));
        if (found.Error is { } error) return await http.PageError(error);
        var member = found.Value.Member;
        if (!found.Value.MayChange) return await http.PageError(SignInErrors.OutOfReach);
        if (member.State == MemberStates.Past) return await http.PageError(TeamErrors.NoAddress);
        return await Form(http, TeamPages.PathOf(id), member.Name, form ?? FormOf(member.Name, member.Email, member.Title, member.Registration, member.Colour, member.Version), errors, TeamRoles.IsPatient(member.Roles));
    }

    private static async Task<IResult> EditOwn(HttpContext http, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var found = await http.Run(new ViewMe());
        if (found.Error is { } error) return await http.PageError(error);
        var me = found.Value;
        if (me.EnrolmentRequired) return await http.PageError(PlatformErrors.EnrolmentRequired);
        return await Form(http, null, me.Name, form ?? FormOf(me.Name, me.Email, me.Title, me.Registration, me.Colour, me.Version), errors, me.PatientId is not null);
    }

    private static Task<IResult> Form(HttpContext http, string? back, string name, IReadOnlyDictionary<string, string> form, FormErrors? errors, bool isPatient) =>
        http.Page<ProfilePage>(new { Back = back, Name = name, Form = form, Errors = errors, IsPatient = isPatient }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);

    private static async Task<IResult> Change(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var changed = await http.Run(new ChangeProfile(id, WantedOf(form), VersionOf(form)));
        if (changed.Error is not { } error) return http.SeeOther(TeamPages.PathOf(id), "The details are changed.");
        return ErrorsOf(error) is { } errors ? await Edit(http, id, form, errors) : await AccountPages.Failed(http, error, TeamPages.PathOf(id) + "/edit");
    }

    private static async Task<IResult> ChangeOwn(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var changed = await http.Run(new ChangeOwnProfile(WantedOf(form), VersionOf(form)));
        if (changed.Error is not { } error) return http.SeeOther(Own, "Your details are changed.");
        return ErrorsOf(error) is { } errors ? await EditOwn(http, form, errors) : await AccountPages.Failed(http, error, Own);
    }

    private static WantedProfile WantedOf(IReadOnlyDictionary<string, string> form) => new(
        form.GetValueOrDefault("name"), form.GetValueOrDefault("email"), form.GetValueOrDefault("title"), form.GetValueOrDefault("registrationBody"), form.GetValueOrDefault("registrationNumber"),
        form.GetValueOrDefault("registerName"), form.GetValueOrDefault("colour"));

    private static long? VersionOf(IReadOnlyDictionary<string, string> form) => long.TryParse(form.GetValueOrDefault("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static Dictionary<string, string> FormOf(string name, string email, string? title, Registration? registration, string? colour, long version) => new(StringComparer.Ordinal)
    {
        ["name"] = name, ["email"] = email, ["title"] = title ?? "", ["registrationBody"] = registration?.Body ?? "", ["registrationNumber"] = registration?.Number ?? "",
        ["registerName"] = registration?.Register ?? "", ["colour"] = colour ?? "", ["version"] = version.ToString(CultureInfo.InvariantCulture),
    };

    // Whatever a person who fills in the form can put right, beside its field.
    private static FormErrors? ErrorsOf(Error error)
    {
        if (error.Code == SignInErrors.EmailTaken.Code) return new() { { "email", "Somebody in your clinic has this address already." } };
        if (error.Code == PlatformErrors.Changed.Code) return new() { { "", "Somebody changed these details in the meantime. Open the page anew to see them, then make your change again." } };
        if (error.Fields.Count == 0) return null;
        var errors = new FormErrors();
        foreach (var field in Fields)
            if (error.Fields.TryGetValue(field, out var sentence)) errors.Add(field, sentence);
        return errors;
    }
}
