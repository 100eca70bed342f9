using System.Globalization;
using Chaperone.Clinic.Mail.Smtp;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Mail;

/// <summary>Mail settings and what was not delivered, under <c>/api</c>.</summary>
internal static class MailApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var settings = routes.MapGroup("/api/settings/mail").WithTags("Mail");
        settings.Get("", async http => Problem.Json(await http.Run(new ViewMailSettings()))).Runs(typeof(ViewMailSettings)).WithSummary("How the clinic's mail is handed over; without the password. Before it is set up there is no host.");
        settings.Put("", async http =>
        {
            var body = await http.ReadJson(MailJson.Default.MailSettingsInput);
            return body.Error is { } error ? Problem.Of(error) : Problem.Json(await http.Run(new ChangeMailSettings(body.Value)));
        }).Runs(typeof(ChangeMailSettings)).WithSummary("Sets it. Needs a fresh second factor. An empty password keeps the one that is kept, for the same server and user.");
        settings.Post("/test", async http =>
        {
            var sent = await SendTestAsync(http);
            return sent.Error is { } error ? Problem.Of(error) : Results.Json(new { delivered = sent.Value.Error is null, code = sent.Value.Error?.Code, title = sent.Value.Error?.Title, next = sent.Value.Error?.Next, reply = sent.Value.Reply });
        }).Runs(typeof(PrepareTestMail), typeof(NoteTestMail)).WithSummary("Sends a test mail to oneself now, and says what came of it.");

        var mail = routes.MapGroup("/api/mail").WithTags("Mail");
        mail.Get("/undelivered", async http => (await http.Run(new ListUndelivered())).Match(items => Results.Json(new { items, next = (string?)null }))).Runs(typeof(ListUndelivered)).WithSummary("Mails given up, and those that wait to be tried again.");
        mail.MapPost("/{id:guid}/retry", async (HttpContext http, Guid id) => (await http.Run(new RetryMail(id))).Match(_ => Results.NoContent())).Runs(typeof(RetryMail));
        mail.MapPost("/{id:guid}/discard", async (HttpContext http, Guid id) => (await http.Run(new DiscardMail(id))).Match(_ => Results.NoContent())).Runs(typeof(DiscardMail));
    }

    /// <summary>Sends a test mail to whoever asks: the outcome, or why it could not be tried.</summary>
    public static async Task<Result<SmtpOutcome>> SendTestAsync(HttpContext http)
    {
        var work = await http.Run(new PrepareTestMail());
        if (work.Error is { } error) return error;
        var delivery = http.RequestServices.GetRequiredService<SmtpDelivery>();
        var turns = http.RequestServices.GetRequiredService<TestMailTurns>();
        if (!turns.Enter(http.Context().Tenant!.Id))
        {
            http.Response.Headers.RetryAfter = TestMailTurns.Apart.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            return PlatformErrors.TooMany;
        }
        var outcome = await delivery.SendAsync(work.Value.Server!, work.Value.Envelope!, http.Context().Tenant!.Host, http.RequestAborted);
        var noted = await http.Run(new NoteTestMail(work.Value.Id, outcome));
        return noted.Error is { } untold ? untold : outcome;
    }
}

/// <summary>Test mails of a clinic, five seconds apart: the button is no way of asking a network what is there.</summary>
internal sealed class TestMailTurns(TimeProvider clock)
{
    public static readonly TimeSpan Apart = TimeSpan.FromSeconds(5);
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Guid, long> last = new();

    public bool Enter(Guid tenant)
    {
        var now = clock.GetTimestamp();
        while (true)
        {
            if (!last.TryGetValue(tenant, out var before))
            {
                if (last.TryAdd(tenant, now)) return true;
                continue;
            }
            if (clock.GetElapsedTime(before, now) < Apart) return false;
            if (last.TryUpdate(tenant, now, before)) return true;
        }
    }
}
