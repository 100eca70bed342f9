using System.Text;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Mail.Smtp;
using Chaperone.Platform.Operations;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.Mail;

/// <summary>Handing a message to a real mail server, in every way that goes right or wrong.</summary>
public sealed class SmtpDeliveryTests
{
    private static readonly (string Ca, string Certificate, string Key) Good = MailServer.Certify("localhost"), OfAnother = MailServer.Certify("mail.example.org");
    private static readonly SmtpPatience Short = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(6));
    private readonly SmtpDelivery delivery = new(Short);

    [Theory]
    [InlineData("starttls", "PLAIN")]
    [InlineData("starttls", "LOGIN")]
    [InlineData("implicit", "PLAIN")]
    public async Task A_message_arrives_over_tls_after_signing_in(string tls, string method)
    {
        await using var server = await Start(new { key = Good.Key, cert = Good.Certificate, secure = tls == "implicit", user = "clinic", password = "pässword", authMethods = new[] { method } });
        var outcome = await Send(server, tls == "implicit" ? MailTls.Implicit : MailTls.StartTls, "clinic", "pässword");
        Assert.Equal(SmtpOutcome.Taken, outcome);
        var mail = await server.NextAsync();
        Assert.True(mail.Secure);
        Assert.Equal(("clinic@first.test", "nora@example.org", "clinic"), (mail.From, Assert.Single(mail.To), mail.User));
        Assert.Equal("Änderung „heute“ – a subject that is longer than one encoded word may be, with ✓", mail.Subject);
        Assert.Equal(".one\r\n..two\r\n.\r\nQUIT\r\n", mail.Text);
        Assert.Equal("<p>.Grüße</p>", mail.Html);
        Assert.Equal("<0123@first.test>", mail.MessageId);
        Assert.Equal("auto-generated", mail.Headers["Auto-Submitted"]);
        Assert.Equal([method], server.Events.Where(told => told.GetProperty("event").GetString() == "auth").Select(told => told.GetProperty("method").GetString()));
    }

    [Fact]
    public async Task Without_tls_only_a_server_on_this_machine_gets_mail()
    {
        await using var server = await Start(new { disabled = new[] { "STARTTLS" } });
        Assert.Equal(SmtpOutcome.Taken, await Send(server, MailTls.None));
        Assert.False((await server.NextAsync()).Secure);
        Assert.Equal(MailErrors.PlainElsewhere, (await delivery.SendAsync(new("192.0.2.1", server.Port, MailTls.None, null, null, null), Letter(), "first.test", CancellationToken.None)).Error);
    }

    [Fact]
    public async Task A_certificate_that_is_not_to_be_believed_is_refused_and_nothing_was_said()
    {
        await using var other = await Start(new { key = OfAnother.Key, cert = OfAnother.Certificate, user = "clinic", password = "secret" });
        Assert.Equal(MailErrors.Certificate, (await Send(other, MailTls.StartTls, "clinic", "secret", OfAnother.Ca)).Error);   // another host's
        await using var good = await Start(new { key = Good.Key, cert = Good.Certificate, secure = true, user = "clinic", password = "secret" });
        Assert.Equal(MailErrors.Certificate, (await Send(good, MailTls.Implicit, "clinic", "secret", OfAnother.Ca)).Error);    // not of the authority that is set
        Assert.Equal(MailErrors.Certificate, (await Send(good, MailTls.Implicit, "clinic", "secret", useCa: false)).Error);    // of none the machine knows
        Assert.DoesNotContain(other.Events.Concat(good.Events), told => told.GetProperty("event").GetString() is "auth" or "mail");
    }

    [Fact]
    public async Task A_server_without_starttls_gets_neither_password_nor_mail()
    {
        await using var server = await Start(new { disabled = new[] { "STARTTLS" }, user = "clinic", password = "secret" });
        Assert.Equal(MailErrors.NoTls, (await Send(server, MailTls.StartTls, "clinic", "secret")).Error);
        Assert.Equal(MailErrors.NoTls, (await Send(server, MailTls.Implicit, "clinic", "secret")).Error);
        Assert.DoesNotContain(server.Events, told => told.GetProperty("event").GetString() is "auth" or "mail");
    }

    [Fact]
    public async Task What_is_said_before_tls_begins_is_not_believed()
    {
        await using var server = await Start(new { says = "220 here\r\n250-here\r\n250 STARTTLS\r\n220 go\r\n250 AUTH PLAIN\r\n" });
        Assert.Equal(MailErrors.NotMail, (await Send(server, MailTls.StartTls, "clinic", "secret")).Error);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("220")]
    [InlineData("220 good\n999 nonsense\r\n")]
    public async Task What_is_no_mail_server_is_said_to_be_none(string says)
    {
        await using var server = await Start(new { says });
        Assert.Contains((await Send(server, MailTls.StartTls)).Error, new Error?[] { MailErrors.NotMail, MailErrors.Lost });
    }

    [Fact]
    public async Task An_answer_without_an_end_is_cut_off()
    {
        await using var server = await Start(new { says = "220 " + new string('a', 100_000) });
        Assert.Equal(MailErrors.NotMail, (await Send(server, MailTls.StartTls)).Error);
        await using var lines = await Start(new { says = string.Concat(Enumerable.Repeat("220-more\r\n", 5000)) });
        Assert.Equal(MailErrors.NotMail, (await Send(lines, MailTls.StartTls)).Error);
    }

    [Fact]
    public async Task A_wrong_password_a_refused_sender_and_a_server_that_is_not_there_say_what_to_correct()
    {
        await using var server = await Start(new { key = Good.Key, cert = Good.Certificate, user = "clinic", password = "secret" });
        Assert.Equal(new SmtpOutcome(MailErrors.PasswordRefused, 535, OfServer: true), await Send(server, MailTls.StartTls, "clinic", "wrong"));
        await server.ChangeAsync(new { refuseSender = 550 });
        Assert.Equal(new SmtpOutcome(MailErrors.SenderRefused, 550, OfServer: true), await Send(server, MailTls.StartTls, "clinic", "secret"));
        Assert.Equal(MailErrors.Refused, (await delivery.SendAsync(new("127.0.0.1", ServerProcess.FreePort(), MailTls.StartTls, null, null, null), Letter(), "first.test", CancellationToken.None)).Error);
        Assert.Equal(MailErrors.NoSuchHost, (await delivery.SendAsync(new("no-such-host.invalid", 587, MailTls.StartTls, null, null, null), Letter(), "first.test", CancellationToken.None)).Error);
    }

    [Fact]
    public async Task A_refused_recipient_or_message_is_for_good_and_a_busy_server_is_not()
    {
        await using var server = await Start(new { disabled = new[] { "STARTTLS" }, refuseRecipient = 550 });
        Assert.Equal(new SmtpOutcome(MailErrors.RecipientRefused, 550, ForGood: true), await Send(server, MailTls.None));
        await server.ChangeAsync(new { refuseRecipient = 0, busyTimes = 1 });
        Assert.Equal(new SmtpOutcome(MailErrors.Later, 451), await Send(server, MailTls.None));
        await server.ChangeAsync(new { refuseContent = 554 });
        Assert.Equal(new SmtpOutcome(MailErrors.ContentRefused, 554, ForGood: true), await Send(server, MailTls.None));
        await using var small = await Start(new { disabled = new[] { "STARTTLS" }, size = 200 });
        Assert.Equal(new SmtpOutcome(MailErrors.ContentRefused, ForGood: true), await Send(small, MailTls.None));
        Assert.Equal(0, server.Count + small.Count);
    }

    [Fact]
    public async Task A_server_that_is_silent_or_hangs_is_left_in_time()
    {
        await using var silent = await Start(new { silent = true });
        Assert.Equal(new SmtpOutcome(MailErrors.Slow, OfServer: true), await Send(silent, MailTls.StartTls));
        await using var hanging = await Start(new { disabled = new[] { "STARTTLS" }, hangAfterData = true });
        Assert.Equal(MailErrors.Slow, (await Send(hanging, MailTls.None)).Error);
        Assert.Equal(1, hanging.Count);
    }

    [Theory]
    [InlineData("nora@example.org>\r\nRCPT TO:<eve@evil.test")]
    [InlineData("nora@example.org\r\nDATA")]
    [InlineData("nora example@example.org")]
    [InlineData("\"nora>\"@example.org")]
    [InlineData("nora@exam ple.org")]
    [InlineData("nora@[127.0.0.1]")]
    [InlineData("nora..n@example.org")]
    [InlineData("nora\u200b@example.org")]
    public async Task An_address_that_would_be_more_than_an_address_reaches_no_server(string address)
    {
        await using var server = await Start(new { disabled = new[] { "STARTTLS" } });
        var outcome = await delivery.SendAsync(new("localhost", server.Port, MailTls.None, null, null, null), new("clinic@first.test", address, Letter().Message), "first.test", CancellationToken.None);
        Assert.Equal(new SmtpOutcome(MailErrors.RecipientRefused, ForGood: true), outcome);
        Assert.Equal(0, server.Count);
    }

    [Fact]
    public async Task A_host_of_any_script_is_sent_to_in_ascii_and_a_name_of_any_script_where_the_server_takes_it()
    {
        await using var server = await Start(new { disabled = new[] { "STARTTLS" } });
        var host = new SmtpServer("localhost", server.Port, MailTls.None, null, null, null);
        Assert.Equal(SmtpOutcome.Taken, await delivery.SendAsync(host, new("clinic@first.test", "nora@bücher.example", Letter().Message), "first.test", CancellationToken.None));
        Assert.Equal("nora@bücher.example", Assert.Single((await server.NextAsync()).To));   // which shows it as it is read
        Assert.Equal("nora@xn--bcher-kva.example", MailAddress.Read(" nora@Bücher.example "));
        await using var narrow = await Start(new { says = "220 here\r\n250 here\r\n" });
        Assert.Equal(MailErrors.RecipientRefused, (await delivery.SendAsync(host with { Port = narrow.Port }, new("clinic@first.test", "jürgen@example.org", Letter().Message), "first.test", CancellationToken.None)).Error);
    }

    private static Task<MailServer> Start(object how) => MailServer.StartAsync(how);

    private Task<SmtpOutcome> Send(MailServer server, MailTls tls, string? user = null, string? password = null, string? ca = null, bool useCa = true) =>
        delivery.SendAsync(new("localhost", server.Port, tls, user, password, useCa ? ca ?? Good.Ca : null), Letter(), "first.test", CancellationToken.None);

    private static Envelope Letter() => new("clinic@first.test", "nora@example.org", MessageText.Write(new(
        "0123@first.test", "The “Clinic”", "clinic@first.test", "nora@example.org", new(2026, 11, 21, 9, 30, 0, TimeSpan.Zero),
        new("Änderung „heute“ – a subject that is longer than one encoded word may be, with ✓", ".one\n..two\n.\nQUIT\n", "<p>.Grüße</p>"))));
}
