using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.SignIn;

/// <summary>The pages of one's own account: two-factor, backup codes, devices, sessions, password, confirming, one-time links.</summary>
internal static class AccountPages
{
    private const string Home = "/account/security";
    private static readonly Type[] ShowsAccount = [typeof(ViewMe), typeof(ListOwnSessions), typeof(ListOwnDevices)];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.Get("/account", http => Task.FromResult(http.SeeOther(Home))).RunsNothing("leads on");
        routes.Get(Home, http => Account(http)).Runs(ShowsAccount);
        routes.MapPost("/account/security/password", ChangePassword).Runs([.. ShowsAccount, typeof(CountOwnAttempt), typeof(ChangePassword)]);
        routes.Post("/account/security/backup-codes", async http =>
        {
            var codes = await http.Run(new RegenerateBackupCodes());
            return codes.Error is { } error ? await Failed(http, error, Home) : await Codes(http, codes.Value, isNew: false);
        }).Runs(typeof(RegenerateBackupCodes), typeof(ViewMe));
        routes.Post("/account/security/two-factor/disable", async http =>
            (await http.Run(new DisableTwoFactor())).Error is { } error ? await Failed(http, error, Home) : http.SeeOther(Home, "Two-factor sign-in is off."))
            .Runs(typeof(DisableTwoFactor));
        routes.MapPost("/account/security/sessions/{id:guid}/end", async (HttpContext http, Guid id) =>
            (await http.Run(new EndOwnSession(id))).Error is { } error ? await Failed(http, error, Home) : http.SeeOther(Home, "The session has ended."))
            .Runs(typeof(EndOwnSession));
        routes.MapPost("/account/security/devices/{id:guid}/revoke", async (HttpContext http, Guid id) =>
            (await http.Run(new RevokeOwnDevice(id))).Error is { } error ? await Failed(http, error, Home) : http.SeeOther(Home, "The device will ask for a code again."))
            .Runs(typeof(RevokeOwnDevice));

        routes.Get("/enrol", http => Enrol(http)).Runs(typeof(ViewEnrolment));
        routes.Post("/enrol", async http => (await http.Run(new StartEnrolment())).Error is { } error ? await Failed(http, error, "/enrol") : http.SeeOther("/enrol")).Runs(typeof(StartEnrolment));
        routes.MapPost("/enrol/confirm", Confirm).Runs(typeof(CountOwnAttempt), typeof(ConfirmEnrolment), typeof(ViewEnrolment), typeof(ViewMe));

        routes.Get("/step-up", http => StepUp(http, SignInPages.LocalPath(http.Request.Query["to"]))).Runs(typeof(ViewMe));
        routes.MapPost("/step-up", async (HttpContext http, AccountDesk desk) =>
        {
            if (await http.ReadForm(asSent: true) is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var (to, action, kept) = (SignInPages.LocalPath(form.GetValueOrDefault("to")), SignInPages.LocalPath(form.GetValueOrDefault("action")), form.GetValueOrDefault(KeptForm.FieldName));
            var backup = form.GetValueOrDefault("backupCode") is { Length: > 0 };
            var done = await desk.StepUpAsync(http, form.GetValueOrDefault("code"), form.GetValueOrDefault("backupCode"));
            if (done.Error is { } error) return error.Code == SignInErrors.CodeRefused.Code ? await StepUp(http, to, error, backup, kept is null ? null : (action, kept)) : await Failed(http, error, "/step-up");
            if (kept is null) return http.SeeOther(to, "Confirmed. You can go on for five minutes.");
            // 307: the browser posts the same fields again, to where the form was going.
            return KeptForm.Open(http, action, kept) is null
                ? http.SeeOther(to, "Confirmed, but what you had typed is kept for ten minutes only. Please do it again.", Tone.Warning)
                : Results.Redirect(action, preserveMethod: true);
        }).Runs(typeof(CountOwnAttempt), typeof(StepUp), typeof(ViewMe));

        routes.MapGet("/reset/{token}", (HttpContext http, string token) => ChoosePassword(http, token)).Runs(typeof(CheckLink));
        routes.MapPost("/reset", Reset).Runs(typeof(CheckLink), typeof(UseLink), typeof(NoteNetworkLimited));
    }

    /// <summary>The error as a page; what is missing a confirmation gets one first.</summary>
    public static Task<IResult> Failed(HttpContext http, Error error, string back) => http.PageError(error, back);

    private static async Task<IResult> Account(HttpContext http, FormErrors? errors = null)
    {
        var (me, sessions, devices) = (await http.Run(new ViewMe()), await http.Run(new ListOwnSessions()), await http.Run(new ListOwnDevices()));
        if ((me.Error ?? sessions.Error ?? devices.Error) is { } error) return await http.PageError(error);
        return await http.Page<AccountPage>(
            new { Me = me.Value, Sessions = sessions.Value, Devices = devices.Value, http.Context().Tenant!.Zone, Errors = errors }, errors is null ? 200 : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> ChangePassword(HttpContext http, AccountDesk desk)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var done = await desk.ChangePasswordAsync(http, form.GetValueOrDefault("current"), form.GetValueOrDefault("new"));
        if (done.Error is not { } error) return http.SeeOther(Home, "Your password is changed. Other sessions have ended, and devices will ask for a code again.");
        if (error.Code == SignInErrors.PasswordWrong.Code) return await Account(http, new() { { "current", error.Title } });
        if (error.Code == SignInErrors.PasswordRefused.Code) return await Account(http, new() { { "new", error.Fields.GetValueOrDefault("new") ?? error.Title } });
        return await Failed(http, error, Home);
    }

    private static async Task<IResult> Enrol(HttpContext http, FormErrors? errors = null)
    {
        var pending = await http.Run(new ViewEnrolment());
        if (pending.Error is { } error) return await Failed(http, error, "/enrol");
        return await http.Page<EnrolPage>(
            new { pending.Value.Enrolment, pending.Value.IsReplacement, pending.Value.IsRequired, Errors = errors }, errors is null ? 200 : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Confirm(HttpContext http, AccountDesk desk)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var codes = await desk.ConfirmAsync(http, form.GetValueOrDefault("code"));
        if (codes.Error is not { } error) return await Codes(http, codes.Value, isNew: true);
        return error.Code == SignInErrors.CodeRefused.Code
            ? await Enrol(http, new() { { "code", "This code did not work. Wait for the next one in your app and enter that." } })
            : await Failed(http, error, "/enrol");
    }

    // The only answer that shows them; the form that leads here is sent without Turbo, which would want a redirect.
    private static async Task<IResult> Codes(HttpContext http, BackupCodeList codes, bool isNew)
    {
        // The session is enrolled from now on: the page is shown as the next request would be.
        var me = await http.Run(new ViewMe());
        var heading = $"Chaperone backup codes for {me.Value.Email} at {http.Context().Tenant!.Name}";
        return await http.Page<BackupCodesPage>(new { Codes = codes.BackupCodes, Heading = heading, IsNew = isNew });
    }

    /// <summary>Asks for the code between a posted form and what it does.</summary>
    public static Task<IResult> AskForCode(HttpContext http, string back, string kept) => StepUp(http, back, kept: (http.Request.Path, kept));

    private static async Task<IResult> StepUp(HttpContext http, string to, Error? error = null, bool withBackupCode = false, (string Action, string Form)? kept = null)
    {
        // Past the endpoint's own list: any form may end here, as any page shows who is signed in.
        var me = await http.RequestServices.GetRequiredService<ReferenceMonitor>().Run(new ViewMe(), http.Caller(), http.RequestAborted);
        if (me.Error is { } nobody) return await http.PageError(nobody);
        if (!me.Value.TwoFactorEnabled) return http.SeeOther("/enrol", "This step asks for a code. Set up an authenticator app first.", Tone.Info);
        var errors = error is null ? null : new FormErrors { { withBackupCode ? "backupCode" : "code", error.Title + " Each code works once." } };
        return await http.Page<StepUpPage>(
            new { To = to, Errors = errors, WithBackupCode = withBackupCode, kept?.Action, Kept = kept?.Form }, error is null && kept is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Reset(HttpContext http, AccountDesk desk)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var token = form.GetValueOrDefault("token");
        var done = await desk.UseLinkAsync(http, token, form.GetValueOrDefault("new"));
        if (done.Error is not { } error)
        {
            AuthApi.Leave(http);
            return http.SeeOther("/sign-in", "Your password is set. Sign in with it now.");
        }
        return error.Code == SignInErrors.PasswordRefused.Code
            ? await ChoosePassword(http, token!, new() { { "new", error.Fields.GetValueOrDefault("new") ?? error.Title } })
            : await http.PageError(error);
    }

    private static async Task<IResult> ChoosePassword(HttpContext http, string token, FormErrors? errors = null)
    {
        var purpose = await http.Run(new CheckLink(SecretToken.HashOf(token)));
        return purpose.Error is { } ended
            ? await http.PageError(ended)
            : await http.Page<ResetPage>(new { LinkToken = token, Invited = purpose.Value == OneTimeLinkRow.Invite, Errors = errors }, errors is null ? 200 : StatusCodes.Status422UnprocessableEntity);
    }
}
