using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Chaperone.Clinic.Mail.Smtp;

/// <summary>Hands messages over to a mail server (RFC 5321, with STARTTLS, AUTH, SIZE, 8BITMIME and SMTPUTF8), one to a connection.</summary>
/// <remarks>Why our own and not the framework's: docs/decisions/0021. Neither what is sent nor what the server says is logged or kept but for the number it answers.</remarks>
internal sealed class SmtpDelivery(SmtpPatience patience)
{
    /// <summary>Hands one message over. Every way in which that can fail is an outcome; nothing is thrown but for the caller's own cancelling.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="envelope">What.</param>
    /// <param name="greeting">Our name, as the server is greeted with.</param>
    /// <param name="cancel">Stops it before the message is on its way; from then on the answer is waited for, so that nobody has to guess.</param>
    public async Task<SmtpOutcome> SendAsync(SmtpServer server, Envelope envelope, string greeting, CancellationToken cancel)
    {
        using var whole = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        whole.CancelAfter(patience.Whole);
        try
        {
            using var socket = await ConnectAsync(server, whole.Token);
            await using var plain = new NetworkStream(socket, ownsSocket: false);
            await using var secured = server.Tls == MailTls.Implicit ? await SecureAsync(plain, server, whole.Token) : null;
            return await TalkAsync(secured ?? (Stream)plain, server, envelope, greeting, whole.Token);
        }
        catch (SmtpEndedException ended)
        {
            return ended.Outcome;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(MailErrors.Slow, OfServer: true);
        }
        catch (Exception lost) when (lost is IOException or SocketException)
        {
            return new(MailErrors.Lost, OfServer: true);
        }
    }

    private async Task<Socket> ConnectAsync(SmtpServer server, CancellationToken cancel)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        within.CancelAfter(patience.Connect);
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(server.Host, within.Token);
            if (server.Tls == MailTls.None && !addresses.All(IPAddress.IsLoopback)) throw new SmtpEndedException(new(MailErrors.PlainElsewhere, OfServer: true));
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(addresses, server.Port, within.Token);
                return socket;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        catch (SocketException failed)
        {
            throw new SmtpEndedException(new(failed.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain ? MailErrors.NoSuchHost : failed.SocketErrorCode == SocketError.TimedOut ? MailErrors.Slow : MailErrors.Refused, OfServer: true));
        }
    }

    private async Task<SslStream> SecureAsync(Stream plain, SmtpServer server, CancellationToken cancel)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        within.CancelAfter(patience.Connect);
        var believed = true;
        var stream = new SslStream(plain, leaveInnerStreamOpen: true);
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = server.Host,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    CertificateChainPolicy = server.TrustedCa is { } pem ? OnlyTrusting(pem) : null,
                    RemoteCertificateValidationCallback = (_, _, _, errors) => believed = errors == SslPolicyErrors.None,
                }, within.Token);
            return stream;
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException or CryptographicException)
        {
            await stream.DisposeAsync();
            // A handshake that breaks off before there is a certificate: no TLS on this port, or none of a version we take.
            throw new SmtpEndedException(new(believed ? MailErrors.NoTls : MailErrors.Certificate, OfServer: true));
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private static X509ChainPolicy OnlyTrusting(string pem)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(pem);
        return policy;
    }

    private async Task<SmtpOutcome> TalkAsync(Stream stream, SmtpServer server, Envelope envelope, string greeting, CancellationToken cancel)
    {
        var wire = new SmtpWire(stream, patience.Reply);
        Expect(await wire.HearAsync(cancel), MailErrors.Unwilling);
        var offers = await GreetAsync(wire, greeting, cancel);
        if (server.Tls != MailTls.StartTls) return await HandOverAsync(wire, offers, server, envelope, cancel);

        if (!offers.ContainsKey("STARTTLS")) throw new SmtpEndedException(new(MailErrors.NoTls, OfServer: true));
        Expect(await wire.SayAsync("STARTTLS", cancel), MailErrors.NoTls);
        if (wire.HasUnread) throw new SmtpEndedException(new(MailErrors.NotMail, OfServer: true));   // said before TLS began, by whoever
        await using var secured = await SecureAsync(stream, server, cancel);
        wire = new SmtpWire(secured, patience.Reply);
        return await HandOverAsync(wire, await GreetAsync(wire, greeting, cancel), server, envelope, cancel);
    }

    private static async Task<SmtpOutcome> HandOverAsync(SmtpWire wire, IReadOnlyDictionary<string, string> offers, SmtpServer server, Envelope envelope, CancellationToken cancel)
    {
        if (server.User is { } user) await SignInAsync(wire, offers, user, server.Password ?? "", cancel);
        if (MailAddress.Read(envelope.From) is not { } from) return new(MailErrors.SenderRefused, OfServer: true);
        if (MailAddress.Read(envelope.To) is not { } to) return new(MailErrors.RecipientRefused, ForGood: true);
        if (offers.TryGetValue("SIZE", out var most) && long.TryParse(most, out var bytes) && bytes > 0 && envelope.Message.Length > bytes) return new(MailErrors.ContentRefused, ForGood: true);
        var wide = !Ascii.IsValid(from) || !Ascii.IsValid(to);
        if (wide && !offers.ContainsKey("SMTPUTF8")) return new(MailErrors.RecipientRefused, ForGood: true);

        var sender = await wire.SayAsync($"MAIL FROM:<{from}>{(offers.ContainsKey("8BITMIME") ? " BODY=8BITMIME" : "")}{(wide ? " SMTPUTF8" : "")}", cancel);
        if (!sender.IsGood) return new(sender.IsForGood ? MailErrors.SenderRefused : MailErrors.Later, sender.Number, OfServer: true);
        var recipient = await wire.SayAsync($"RCPT TO:<{to}>", cancel);
        if (!recipient.IsGood) return new(recipient.IsForGood ? MailErrors.RecipientRefused : MailErrors.Later, recipient.Number, recipient.IsForGood);
        var data = await wire.SayAsync("DATA", cancel);
        if (data.Number != 354) return new(data.IsForGood ? MailErrors.ContentRefused : MailErrors.Later, data.Number, data.IsForGood);

        // From here on the server may take it at any moment: its answer is waited for, whoever wants to stop.
        await wire.WriteAsync(SmtpWire.Stuffed(envelope.Message.Span), CancellationToken.None);
        var taken = await wire.HearAsync(CancellationToken.None);
        if (!taken.IsGood) return new(taken.IsForGood ? MailErrors.ContentRefused : MailErrors.Later, taken.Number, taken.IsForGood);
        await QuitAsync(wire);
        return SmtpOutcome.Taken;
    }

    private static async Task SignInAsync(SmtpWire wire, IReadOnlyDictionary<string, string> offers, string user, string password, CancellationToken cancel)
    {
        var ways = offers.GetValueOrDefault("AUTH", "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        SmtpReply answer;
        if (ways.Contains("PLAIN", StringComparer.OrdinalIgnoreCase))
        {
            answer = await wire.SayAsync("AUTH PLAIN " + Base64($"\0{user}\0{password}"), cancel);
        }
        else if (ways.Contains("LOGIN", StringComparer.OrdinalIgnoreCase))
        {
            answer = await wire.SayAsync("AUTH LOGIN", cancel);
            if (answer.Number == 334) answer = await wire.SayAsync(Base64(user), cancel);
            if (answer.Number == 334) answer = await wire.SayAsync(Base64(password), cancel);
        }
        else
        {
            throw new SmtpEndedException(new(MailErrors.NoSignIn, OfServer: true));
        }
        if (answer.Number != 235) throw new SmtpEndedException(new(answer.IsForGood ? MailErrors.PasswordRefused : MailErrors.Later, answer.Number, OfServer: true));
    }

    private static async Task<IReadOnlyDictionary<string, string>> GreetAsync(SmtpWire wire, string greeting, CancellationToken cancel)
    {
        var answer = Expect(await wire.SayAsync("EHLO " + greeting, cancel), MailErrors.Unwilling);
        var offers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in answer.Lines.Skip(1))
        {
            var words = line.Split(' ', 2, StringSplitOptions.TrimEntries);
            offers[words[0]] = words.Length > 1 ? words[1] : "";
        }
        return offers;
    }

    private static SmtpReply Expect(SmtpReply reply, Platform.Operations.Error otherwise) =>
        reply.IsGood ? reply : throw new SmtpEndedException(new(reply.IsForGood ? otherwise : MailErrors.Later, reply.Number, OfServer: true));

    // The message is the server's already: whether it says goodbye changes nothing.
    private static async Task QuitAsync(SmtpWire wire)
    {
        try
        {
            await wire.SayAsync("QUIT", CancellationToken.None);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or SmtpEndedException)
        {
            // Some close without a word.
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
