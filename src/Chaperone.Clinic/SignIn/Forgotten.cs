using System.Threading.Channels;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.SignIn;

/// <summary>Mails a link to set a new password to the account of an address, if there is one.</summary>
/// <remarks>Runs after its request was answered, so neither answer nor time tells whether there is. Who was invited and has no password yet keeps the invitation.</remarks>
internal sealed record RequestReset(string Email) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("auth.password_reset_requested").ForAnybody("whoever forgot a password");

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(RequestReset);
}

internal sealed class RequestResetHandler(OneTimeLinks links, MailQueue mail) : IHandler<RequestReset, Done>
{
    // Nobody's inbox is filled by strangers.
    private const int MostAnHour = 3;

    public async Task<Result<Done>> Handle(RequestReset request, OperationScope scope, CancellationToken cancel)
    {
        var token = await MemberAddress.TokenAsync(scope, request.Email, cancel);
        scope.Typed(Convert.ToHexStringLower(token));
        var id = await scope.Db.Set<BlindIndexRow>().Where(row => row.IndexId == MemberAddress.IndexId && row.Token == token).Select(row => (Guid?)row.RowId).FirstOrDefaultAsync(cancel);
        var member = await scope.Db.Set<MemberRow>().Where(row => row.Id == id && row.Status == MemberRow.Active).Select(row => new { row.Id, row.SubjectId }).FirstOrDefaultAsync(cancel);
        if (member is null || !await MailQueue.IsSetUpAsync(scope, cancel)) return SignInErrors.Refused;
        scope.Concerns("member", member.Id);
        var anHourAgo = scope.Now.AddHours(-1);
        var recent = await scope.Db.Set<OneTimeLinkRow>().CountAsync(link => link.MemberId == member.Id && link.Purpose == OneTimeLinkRow.Reset && link.CreatedAt > anHourAgo, cancel);
        var hasPassword = await scope.Db.Set<CredentialRow>().AnyAsync(credential => credential.Id == member.Id && credential.PasswordChangedAt != null, cancel);
        if (recent >= MostAnHour || !hasPassword) return SignInErrors.Refused;
        scope.Show(member.SubjectId!.Value);
        var path = OneTimeLinks.Path(await links.MakeAsync(scope, member.Id, OneTimeLinkRow.Reset, cancel));
        await mail.ToAsync(scope, MailTemplates.Reset, member.Id, member.SubjectId.Value, new(path, Until: scope.Now + OneTimeLinks.ResetFor), cancel);
        return default(Done);
    }
}

/// <summary>Whether links for forgotten passwords can be mailed here.</summary>
internal sealed record CanMailLinks : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Unlogged("whether the clinic sends mail at all; shows nobody").ForAnybody("whoever forgot a password");
}

internal sealed class CanMailLinksHandler : IHandler<CanMailLinks, bool>
{
    public async Task<Result<bool>> Handle(CanMailLinks request, OperationScope scope, CancellationToken cancel) => await MailQueue.IsSetUpAsync(scope, cancel);
}

/// <summary>Takes requests for links and works them off after their answer. What waits when the process ends is lost: the person asks once more.</summary>
internal sealed class ForgottenDesk(ReferenceMonitor monitor, NetworkLimit limit, ILogger<ForgottenDesk> log) : BackgroundService
{
    private const int MostWaiting = 500;
    private readonly Channel<(string Email, Caller Caller)> waiting = Channel.CreateBounded<(string, Caller)>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Takes a request; the same for every address.</summary>
    public async Task<Result<Done>> TakeAsync(HttpContext http, string email)
    {
        var caller = http.Caller();
        if (limit.Enter(caller.Tenant.Id, caller.Source.Ip) is { } refused) return await refused.TellAsync(http, monitor, caller);
        waiting.Writer.TryWrite((email, caller with { Actor = Actor.Anonymous }));
        return default(Done);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var (email, caller) in waiting.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await monitor.Run(new RequestReset(email), caller, stoppingToken);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogError("A link for a forgotten password could not be made ({Fault}).", failed.GetType().Name);
            }
        }
    }
}

/// <summary>The page "Forgotten your password?", and its API.</summary>
internal static class ForgottenPages
{
    private const string Path = "/forgotten";

    private sealed record Input(string? Email);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.Get(Path, http => Show(http)).Runs(typeof(CanMailLinks)).ExcludeFromDescription();
        routes.MapPost(Path, async (HttpContext http, ForgottenDesk desk) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            if (form.GetValueOrDefault("email") is not { } email || !MemberAddress.IsPlausible(email)) return await Show(http, new() { { "email", "Enter the email address you sign in with." } });
            var taken = await desk.TakeAsync(http, email);
            return taken.Error is { } error ? await http.PageError(error)
                : http.SeeOther("/sign-in", "If an account here has this address, a link to set a new password is on its way to it. It works once, for 24 hours.", Tone.Info);
        }).Runs(typeof(RequestReset), typeof(NoteNetworkLimited), typeof(CanMailLinks)).ExcludeFromDescription();
        routes.MapPost("/api/auth/forgotten", async (HttpContext http, ForgottenDesk desk) =>
            await AuthApi.Body<Input>(http) is { Email: { } email } && MemberAddress.IsPlausible(email) ? (await desk.TakeAsync(http, email)).Match(_ => Results.Accepted()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(RequestReset), typeof(NoteNetworkLimited)).WithTags("Signing in").WithSummary("Mails a link to set a new password, if an account has this address. 202 for every address.");
    }

    private static async Task<IResult> Show(HttpContext http, FormErrors? errors = null) => await http.Page<ForgottenPage>(
        new { CanMail = (await http.Run(new CanMailLinks())) is { Succeeded: true, Value: true }, Errors = errors }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
}
