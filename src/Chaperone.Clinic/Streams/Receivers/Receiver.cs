using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Platform;

namespace Chaperone.Clinic.Streams.Receivers;

/// <summary>Why a receiver did not take a message.</summary>
internal enum StreamFault
{
    Unreachable,
    Slow,
    Forbidden,
    Certificate,
    NoTls,
    Lost,
    Redirects,
    Closed,
    Busy,
    Failing,
    Refused,
    Gone,
    NotAsSigned,
}

/// <summary>What came of handing a message over.</summary>
/// <param name="Fault">Why it is not acknowledged; null: it is.</param>
/// <param name="Answer">The number the receiver answered, where it did.</param>
/// <param name="RetryAfter">How long it asks to be left alone.</param>
internal readonly record struct Delivery(StreamFault? Fault, int? Answer = null, TimeSpan? RetryAfter = null);

/// <summary>A run of events to be handed over and acknowledged as one.</summary>
/// <param name="Stream">Whose.</param>
/// <param name="From">First index it stands for.</param>
/// <param name="End">End of the indexes it stands for.</param>
/// <param name="Events">Those of them that the stream's filter lets through.</param>
/// <param name="Shape">How they are written.</param>
/// <param name="Context">What the shapes say besides.</param>
internal sealed record StreamMessage(Guid Stream, long From, long End, IReadOnlyList<Platform.Ledger.SliceEvent> Events, string Shape, ShapeContext Context);

/// <summary>Hands messages over to one receiver, one after the other.</summary>
internal interface IReceiver : IDisposable
{
    /// <summary>Hands one over and waits until it is acknowledged. Never throws for what a receiver or a network does.</summary>
    Task<Delivery> SendAsync(StreamMessage message, CancellationToken cancel);

    /// <summary>Hands over a message that says that it is a test.</summary>
    Task<Delivery> TestAsync(ShapeContext context, CancellationToken cancel);
}

/// <summary>Makes receivers.</summary>
internal sealed class ReceiverMaker(OutsideNetworks networks, TimeProvider clock, ReceiverPatience patience)
{
    public IReceiver Of(StreamRow stream) => stream.Kind == StreamRow.Syslog ? new SyslogReceiver(stream.Payload, networks, patience, clock) : new WebhookReceiver(stream.Payload, networks, patience, clock);
}

/// <summary>How long a receiver may take for one message, connecting included.</summary>
internal sealed record ReceiverPatience(TimeSpan Whole)
{
    public static ReceiverPatience Usual { get; } = new(TimeSpan.FromSeconds(30));
}

/// <summary>TLS as streams speak it, and its faults.</summary>
internal static class ReceiverTls
{
    public static SslClientAuthenticationOptions Options(StreamDetails details, string host)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateChainPolicy = details.TrustedCa is { } pem ? OnlyTrusting(pem) : null,
            RemoteCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.None ? true : throw new UntrustedException(),
        };
        if (details is { ClientCertificate: { } certificate, ClientKey: { } key }) options.ClientCertificates = [X509Certificate2.CreateFromPem(certificate, key)];
        return options;
    }

    /// <summary>What a failed connection means.</summary>
    public static StreamFault FaultOf(Exception failed)
    {
        for (var cause = failed; cause is not null; cause = cause.InnerException!)
        {
            switch (cause)
            {
                case ForbiddenAddressException: return StreamFault.Forbidden;
                case UntrustedException: return StreamFault.Certificate;
                case AuthenticationException or System.Security.Cryptography.CryptographicException: return StreamFault.NoTls;
                case TimeoutException: return StreamFault.Slow;
            }
        }
        return StreamFault.Unreachable;
    }

    private static X509ChainPolicy OnlyTrusting(string pem)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(pem);
        return policy;
    }

    private sealed class UntrustedException() : AuthenticationException("The receiver's certificate is not to be believed.");
}
