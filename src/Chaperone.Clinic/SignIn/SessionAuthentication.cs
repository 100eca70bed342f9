using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>
/// Tells who makes a request: reads the session's cookie, and the session, the account's state and its rights afresh each time, so that sign-out, suspension and changed
/// rights hold from the next request on every node. A cookie that turns up from another client family ends its session. Comes after the clinic was found from the host.
/// </summary>
internal sealed class SessionAuthentication(RequestDelegate next, SessionReader sessions, Actors actors, ReferenceMonitor monitor)
{
    public async Task InvokeAsync(HttpContext http)
    {
        var context = http.Context();
        if (context.Tenant is { } tenant && http.Request.Cookies.TryGetValue(SignInCookies.Session, out var cookie))
        {
            if (SecretToken.HashOf(cookie) is not { } hash || await sessions.FindAsync(tenant, hash, http.RequestAborted) is not { } session || session.Status != MemberRow.Active)
            {
                SignInCookies.DropSession(http);
            }
            else if (!session.IsProven)
            {
                SignInCookies.DropSession(http);
                await monitor.Run(new EndForgedSession(session.Id), http.Caller(), CancellationToken.None);
            }
            else if (session.Client != ClientFamily.Of(http.Request.Headers.UserAgent.ToString()))
            {
                SignInCookies.DropSession(http);
                await monitor.Run(new EndHijackedSession(session.Id, session.MemberId, session.SubjectId), http.Caller(), CancellationToken.None);
            }
            else
            {
                // From another network the second factor given before does not count: what needs it asks again.
                var network = await sessions.NetworkAsync(tenant, context.ClientIp, http.RequestAborted);
                var confirmed = network.AsSpan().SequenceEqual(session.Network) ? session.SecondFactorAt : null;
                context.Actor = actors.Of(tenant, session.MemberId, session.PatientId, session.Roles, session.RightsVersion, session.TwoFactorEnabled, session.Id, confirmed);
                if (http.GetEndpoint()?.Metadata.GetMetadata<AsksInBackground>() is null && !http.Request.Headers.ContainsKey(PageResults.BackgroundHeader)) await sessions.SeenAsync(tenant, session, http.RequestAborted);
            }
        }
        await next(http);
    }
}

/// <summary>Ends a session whose cookie came from another browser engine or operating system than it was made for: a copied cookie.</summary>
internal sealed record EndHijackedSession(Guid Session, Guid Member, Guid Subject) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("security.session_hijack").ForAnybody("whoever holds a copied cookie must not keep its session alive");
}

internal sealed class EndHijackedSessionHandler(SignInMails mails) : IHandler<EndHijackedSession, Done>
{
    public async Task<Result<Done>> Handle(EndHijackedSession request, OperationScope scope, CancellationToken cancel)
    {
        var ended = await scope.Db.Set<SessionRow>().Where(row => row.Id == request.Session && row.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, scope.Now), cancel);
        scope.Concerns("session", request.Session);
        scope.Show(request.Subject);
        if (ended == 1) await mails.HijackedAsync(scope, request.Member, request.Subject, cancel);   // of several requests with it at once, the one that ended it tells
        return default(Done);
    }
}

/// <summary>Ends a session whose row the server did not write as it stands: somebody else can write to the database.</summary>
internal sealed record EndForgedSession(Guid Session) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("security.session_forged").ForAnybody("whoever comes with a forged session is nobody, and must not keep it");
}

internal sealed class EndForgedSessionHandler : IHandler<EndForgedSession, Done>
{
    public async Task<Result<Done>> Handle(EndForgedSession request, OperationScope scope, CancellationToken cancel)
    {
        await scope.Db.Set<SessionRow>().Where(row => row.Id == request.Session && row.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, scope.Now), cancel);
        scope.Concerns("session", request.Session);
        return default(Done);
    }
}

/// <summary>Endpoint metadata: pages ask here by themselves, so being asked is no sign that somebody is there, and does not keep the session open.</summary>
internal sealed record AsksInBackground;

/// <summary>Puts sessions into the request pipeline.</summary>
public static class SessionPipeline
{
    /// <summary>Reads the session of each request. After the clinic was found, before anything that asks who acts.</summary>
    public static IApplicationBuilder UseSessions(this IApplicationBuilder app) => app.UseMiddleware<SessionAuthentication>();

    /// <summary>Pages ask here by themselves: an unattended one must not keep its session open.</summary>
    internal static RouteHandlerBuilder InBackground(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(new AsksInBackground());
}
