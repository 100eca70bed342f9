using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Chaperone.Server.Commands;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Chaperone.Server.Hosting;

/// <summary>Where the server listens: 127.0.0.1 in plain HTTP, or with a certificate every address in TLS 1.3. There is no third way.</summary>
internal sealed class Listening : IDisposable
{
    private readonly X509Certificate2? certificate;
    private readonly X509Certificate2Collection chain;

    private Listening(int port, X509Certificate2? certificate, X509Certificate2Collection chain) =>
        (Port, this.certificate, this.chain) = (port, certificate, chain);

    public int Port { get; }

    public bool IsTls => certificate is not null;

    /// <exception cref="CommandRefusedException">One file without the other, or files that are not a certificate and its key.</exception>
    public static Listening Create(int port, string? certificateFile, string? keyFile)
    {
        if (certificateFile is null && keyFile is null) return new Listening(port, null, []);
        if (certificateFile is null) throw new CommandRefusedException("--tls-key is given without --tls-cert: TLS needs both.");
        if (keyFile is null) throw new CommandRefusedException("--tls-cert is given without --tls-key: TLS needs both.");
        try
        {
            var issuers = new X509Certificate2Collection();
            issuers.ImportFromPemFile(certificateFile);
            return new Listening(port, X509Certificate2.CreateFromPemFile(certificateFile, keyFile), issuers);
        }
        catch (Exception unusable) when (unusable is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandRefusedException($"--tls-cert {certificateFile} and --tls-key {keyFile} are not a certificate and its private key in PEM form: {unusable.Message}", unusable);
        }
    }

    public string Url(string host) => (IsTls, Port) is (true, 443) or (false, 80)
        ? $"{(IsTls ? "https" : "http")}://{host}"
        : $"{(IsTls ? "https" : "http")}://{host}:{Port}";

    /// <summary>Asked before the database starts, so that a taken port leaves nothing half done.</summary>
    /// <exception cref="CommandRefusedException">Somebody listens there, or this user may not.</exception>
    public void RequireFreePort()
    {
        using var probe = new TcpListener(Address, Port);
        try
        {
            if (Address.Equals(IPAddress.IPv6Any)) probe.Server.DualMode = true;
            probe.Start();
        }
        catch (SocketException taken)
        {
            throw Refusal(taken);
        }
    }

    public CommandRefusedException Refusal(Exception taken) => taken is SocketException { SocketErrorCode: SocketError.AccessDenied }
        ? new CommandRefusedException($"{Environment.UserName} may not listen on port {Port}: choose one above 1023 with --port.", taken)
        : new CommandRefusedException($"Port {Port} is in use: stop the program that listens there, or choose another with --port.", taken);

    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        if (certificate is null) kestrel.Listen(Address, Port);
        else kestrel.ListenAnyIP(Port, endpoint => endpoint.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.ServerCertificateChain = chain;
            https.SslProtocols = SslProtocols.Tls13;
        }));
    }

    public void Dispose()
    {
        certificate?.Dispose();
        foreach (var one in chain) one.Dispose();
    }

    private IPAddress Address => !IsTls ? IPAddress.Loopback : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
}
