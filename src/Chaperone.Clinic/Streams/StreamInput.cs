using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Streams;

/// <summary>What is asked to be set of a stream.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Kind">syslog or webhook; stays as it was made.</param>
/// <param name="Shape">native, ocsf or fhir.</param>
/// <param name="Url">Of a webhook: where it answers.</param>
/// <param name="Host">Of syslog: the receiver's host.</param>
/// <param name="Port">Of syslog: its port; null for 6514.</param>
/// <param name="TrustedCa">PEM of the only authorities to believe; empty for the machine's.</param>
/// <param name="ClientCertificate">PEM of the certificate to show; empty for none.</param>
/// <param name="ClientKey">PEM of its key; empty to keep the one that is kept.</param>
/// <param name="Categories">Only these; empty for all.</param>
/// <param name="Severity">Only what matters as much; empty for all.</param>
/// <param name="Actions">Only these; empty for all.</param>
/// <param name="Start">Of a new one: now, or beginning.</param>
internal sealed record StreamInput(
    string? Name, string? Kind, string? Shape, string? Url, string? Host, int? Port, string? TrustedCa, string? ClientCertificate, string? ClientKey, IReadOnlyList<string>? Categories, string? Severity,
    IReadOnlyList<string>? Actions, string? Start)
{
    public const string Now = "now", Beginning = "beginning";

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(StreamInput);
}

/// <summary>What a stream must be.</summary>
internal static class StreamInputs
{
    public static readonly string[] Fields = ["name", "kind", "shape", "url", "host", "port", "trustedCa", "clientCertificate", "clientKey", "categories", "severity", "actions", "start"];

    private const int LongestName = 80, LongestUrl = 500, LongestHost = 253, LongestPem = 20_000, UsualPort = 6514, MostActions = 100;

    /// <summary>The details and the shape; what stays of <paramref name="now"/> is taken over.</summary>
    public static Result<(StreamDetails Details, string Shape)> Read(StreamInput wanted, string? kind, StreamDetails? now, OutsideNetworks networks)
    {
        var error = StreamErrors.Invalid;
        var (name, url, host, port) = (wanted.Name?.Trim() ?? "", Blank(wanted.Url), Blank(wanted.Host), wanted.Port ?? UsualPort);
        var (ca, certificate, key) = (Blank(wanted.TrustedCa), Blank(wanted.ClientCertificate), Blank(wanted.ClientKey));
        if (name.Length is 0 or > LongestName || name.Any(char.IsControl)) Wrong("name", $"Enter a name of at most {LongestName} characters, such as SIEM.");
        if (kind is not (StreamRow.Syslog or StreamRow.Webhook)) Wrong("kind", "Choose syslog or webhook.");
        if (wanted.Shape is not (StreamRow.Native or StreamRow.Ocsf or StreamRow.Fhir)) Wrong("shape", "Choose native, ocsf or fhir.");
        if (kind == StreamRow.Webhook && UrlProblem(url, networks) is { } badUrl) Wrong("url", badUrl);
        if (kind == StreamRow.Syslog)
        {
            if (host is null || host.Length > LongestHost || Uri.CheckHostName(host) == UriHostNameType.Unknown) Wrong("host", "Enter the receiver's host name, such as logs.example.org, without port.");
            else if (AddressProblem(host, networks) is { } closed) Wrong("host", closed);
            // A receiver is asked to be there, not whatever else listens on a machine within reach.
            if (port is not 443 and not (>= 1024 and <= 65535)) Wrong("port", "Enter 6514, which is usual for syslog over TLS, 443, or another port from 1024 on.");
        }
        if (ca is not null && !AreCertificates(ca)) Wrong("trustedCa", "Paste one certificate or more in PEM form, or leave it empty.");
        if (certificate is null && key is not null) Wrong("clientCertificate", "Paste the certificate that belongs to the key.");
        if (certificate is not null)
        {
            key ??= now is not null && now.ClientCertificate == certificate ? now.ClientKey : null;
            if (!AreCertificates(certificate)) Wrong("clientCertificate", "Paste the certificate in PEM form, or leave it empty.");
            else if (key is null || !Belong(certificate, key)) Wrong("clientKey", "Paste the certificate's private key in PEM form, without a password.");
        }
        var categories = Chosen(wanted.Categories);
        if (categories.Except(Enum.GetValues<EventCategory>().Select(EventJson.Name)).Any()) Wrong("categories", "Choose categories of the event catalogue.");
        var severity = Blank(wanted.Severity);
        if (severity is not null && !Enum.GetValues<EventSeverity>().Select(EventJson.Name).Contains(severity)) Wrong("severity", "Choose info, warning or critical.");
        var actions = Chosen(wanted.Actions);
        if (actions.Count > MostActions || !actions.All(EventCatalogue.Knows)) Wrong("actions", $"Enter up to {MostActions} actions of the event catalogue, such as patient.viewed, one in each line.");
        if (now is null && wanted.Start is not (null or "" or StreamInput.Now or StreamInput.Beginning)) Wrong("start", "Choose now or beginning.");
        if (error.Fields.Count > 0) return error;
        var webhook = kind == StreamRow.Webhook;
        return ((now ?? new()) with
        {
            Name = name, Url = webhook ? url : null, Host = webhook ? null : host, Port = webhook ? null : port, TrustedCa = ca, ClientCertificate = certificate, ClientKey = certificate is null ? null : key,
            Categories = categories, Severity = severity == EventJson.Name(EventSeverity.Info) ? null : severity, Actions = actions,
        }, wanted.Shape!);

        void Wrong(string field, string sentence) => error = error.With(field, sentence);
    }

    // What leads where is decided again at each connection; here people are told early what can never be.
    private static string? UrlProblem(string? text, OutsideNetworks networks)
    {
        const string Wanted = "Enter the address at which the receiver answers, such as https://siem.example.org/hook";
        if (text is null || text.Length > LongestUrl || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps) return Wanted + ".";
        if (url.UserInfo.Length > 0 || url.Fragment.Length > 0) return Wanted + ", without a name or # in it.";
        if (url.Port is not 443 and < 1024) return "The port must be 443, or one from 1024 on.";
        return AddressProblem(url.Host, networks);
    }

    private static string? AddressProblem(string host, OutsideNetworks networks) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var address) && !networks.MayConnect(address, tls: true) ? $"{StreamErrors.Forbidden.Title} {StreamErrors.Forbidden.Next}" : null;

    private static bool AreCertificates(string pem)
    {
        if (pem.Length > LongestPem || pem.Contains("PRIVATE KEY", StringComparison.Ordinal)) return false;
        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPem(pem);
            foreach (var certificate in found) certificate.Dispose();
            return found.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool Belong(string certificate, string key)
    {
        if (key.Length > LongestPem) return false;
        try
        {
            using var both = X509Certificate2.CreateFromPem(certificate, key);
            return both.HasPrivateKey;
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    private static List<string> Chosen(IReadOnlyList<string>? values) => [.. (values ?? []).Select(value => value?.Trim() ?? "").Where(value => value.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
