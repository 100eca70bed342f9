using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.Mail.Smtp;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Mail;

/// <summary>Where and as whom the clinic's mail is handed over.</summary>
internal sealed record MailServerSettings : ISealedPayload<MailServerSettings>
{
    public static JsonTypeInfo<MailServerSettings> Json => MailJson.Default.MailServerSettings;

    public string Host { get; init; } = "";

    public int Port { get; init; } = 587;

    public MailTls Tls { get; init; }

    public string? User { get; init; }

    public string? Password { get; init; }

    public string FromAddress { get; init; } = "";

    public string FromName { get; init; } = "";

    /// <summary>PEM of the only authority that is believed, or null.</summary>
    public string? TrustedCa { get; init; }

    public SmtpServer Server => new(Host, Port, Tls, User, Password, TrustedCa);

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(MailServerSettings);
}

/// <summary>The clinic's mail settings: one row with the clinic's own id.</summary>
internal sealed class MailSettingsRow : SealedRow<MailServerSettings>
{
    /// <summary>Whether mail is sent.</summary>
    public bool Enabled { get; set; }
}

/// <summary>The settings as they are shown: with whether there is a password, never with it.</summary>
/// <param name="Enabled">Whether mail is sent.</param>
/// <param name="Host">The mail server's name.</param>
/// <param name="Port">Its port.</param>
/// <param name="Tls">starttls, implicit or none.</param>
/// <param name="User">Account there, or null.</param>
/// <param name="HasPassword">Whether a password is kept.</param>
/// <param name="FromAddress">The sender's address.</param>
/// <param name="FromName">The sender's name.</param>
/// <param name="TrustedCa">PEM of the only authority that is believed, or null.</param>
public sealed record MailSettingsView(bool Enabled, string Host, int Port, string Tls, string? User, bool HasPassword, string FromAddress, string FromName, string? TrustedCa);

/// <summary>Shows the mail settings; before there are any, those that a form begins with.</summary>
internal sealed record ViewMailSettings : IOperation<MailSettingsView>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class ViewMailSettingsHandler : IHandler<ViewMailSettings, MailSettingsView>
{
    public async Task<Result<MailSettingsView>> Handle(ViewMailSettings request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("mail");
        return await scope.OpenOne(scope.Db.Set<MailSettingsRow>().AsNoTracking(), cancel) is { } row ? Of(row) : new(false, "", 587, MailSettingsRules.Name(MailTls.StartTls), null, false, "", scope.Tenant.Name, null);
    }

    public static MailSettingsView Of(MailSettingsRow row)
    {
        var settings = row.Payload;
        return new(row.Enabled, settings.Host, settings.Port, MailSettingsRules.Name(settings.Tls), settings.User, settings.Password is not null, settings.FromAddress, settings.FromName, settings.TrustedCa);
    }
}

/// <summary>What is asked to be set.</summary>
/// <param name="Enabled">Whether mail is to be sent; null for yes.</param>
/// <param name="Host">The mail server's name.</param>
/// <param name="Port">Its port; null for the usual one.</param>
/// <param name="Tls">starttls, implicit or none.</param>
/// <param name="User">Account there; empty for none.</param>
/// <param name="Password">Its password; empty to keep the one that is kept.</param>
/// <param name="FromAddress">The sender's address.</param>
/// <param name="FromName">The sender's name; empty for the clinic's.</param>
/// <param name="TrustedCa">PEM of the only authority to believe; empty for the machine's.</param>
internal sealed record MailSettingsInput(bool? Enabled, string? Host, int? Port, string? Tls, string? User, string? Password, string? FromAddress, string? FromName, string? TrustedCa)
{
    // Records are printed by whoever logs them.
    public override string ToString() => nameof(MailSettingsInput);
}

/// <summary>Sets where mail is handed over. The event names what changed, not what it is.</summary>
/// <remarks>A password that is kept is never sent to another server than it was entered for: whoever changes server, port, security or account enters it again.</remarks>
internal sealed record ChangeMailSettings(MailSettingsInput Wanted) : IOperation<MailSettingsView>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(Resource.Clinic).WithStepUp();

    public override string ToString() => nameof(ChangeMailSettings);
}

internal sealed class ChangeMailSettingsHandler(MailBell bell) : IHandler<ChangeMailSettings, MailSettingsView>
{
    public async Task<Result<MailSettingsView>> Handle(ChangeMailSettings request, OperationScope scope, CancellationToken cancel)
    {
        var row = await scope.OpenOne(scope.Db.Set<MailSettingsRow>(), cancel);
        var read = MailSettingsRules.Read(request.Wanted, row?.Payload, scope.Tenant.Name);
        if (read.Error is { } invalid) return invalid;
        var enabled = request.Wanted.Enabled ?? true;
        scope.Because("mail");
        scope.NoteChange("mail_enabled", row is null ? null : row.Enabled ? "true" : "false", enabled ? "true" : "false");
        if (row is null)
        {
            row = new() { Id = scope.Tenant.Id, Enabled = enabled, Payload = read.Value };
            scope.Add(row);
        }
        else
        {
            (row.Enabled, row.Payload) = (enabled, read.Value);
        }
        bell.RingAfter(scope);
        return ViewMailSettingsHandler.Of(row);
    }
}

/// <summary>What mail settings must be.</summary>
internal static class MailSettingsRules
{
    private const int MostCa = 20_000, MostText = 200;

    public static string Name(MailTls tls) => tls switch { MailTls.Implicit => "implicit", MailTls.None => "none", _ => "starttls" };

    public static Result<MailServerSettings> Read(MailSettingsInput wanted, MailServerSettings? now, string clinic)
    {
        var error = MailErrors.Invalid;
        var (typed, user, password) = (wanted.Host?.Trim() ?? "", Blank(wanted.User), Blank(wanted.Password));
        var tls = wanted.Tls switch { null or "" or "starttls" => MailTls.StartTls, "implicit" => MailTls.Implicit, "none" => MailTls.None, _ => (MailTls?)null };
        if (typed.Length == 0 || HostOf(typed) is not { } host) (host, error) = ("", error.With("host", "Enter the mail server's host name, such as smtp.example.org, without port."));
        if (tls is null) error = error.With("tls", "Choose STARTTLS, TLS from the start, or none.");
        if (tls == MailTls.None && !IsHere(host)) error = error.With("tls", "Without TLS mail is only handed to a server on this machine. Choose STARTTLS or TLS from the start.");
        var port = wanted.Port ?? (tls == MailTls.Implicit ? 465 : 587);
        // A mail server is asked to be there, not whatever else listens on a machine within reach.
        if (port is not (25 or 465 or 587) and not (>= 1024 and <= 65535)) error = error.With("port", "Enter 25, 465, 587, or a port from 1024 to 65535.");
        if (user is { Length: > MostText } || user?.Any(char.IsControl) == true) error = error.With("user", "Enter the user name as your mail provider gave it to you.");
        if (password is { Length: > MostText } || password?.Any(char.IsControl) == true) error = error.With("password", "Enter the password as your mail provider gave it to you.");
        if (MailAddress.Read(wanted.FromAddress) is null) error = error.With("fromAddress", "Enter an email address, such as clinic@example.org.");
        var name = Blank(wanted.FromName)?.Trim() ?? clinic;
        if (name.Length > MostText || name.Any(char.IsControl)) error = error.With("fromName", "Enter a name of at most 200 characters.");
        var ca = Blank(wanted.TrustedCa)?.Trim();
        if (ca is not null && !IsCertificate(ca)) error = error.With("trustedCa", "Paste one certificate or more in PEM form, or leave it empty.");

        var sameServer = now is not null && tls is { } kind && (now.Host, now.Port, now.Tls, now.User, now.TrustedCa) == (host, port, kind, user, ca);
        if (user is not null && password is null && !(sameServer && now!.Password is not null)) error = error.With("password", "Enter the password. A password that is kept is only used with the server and user name it was entered for.");
        if (error.Fields.Count > 0) return error;
        return new MailServerSettings
        {
            Host = host, Port = port, Tls = tls!.Value, User = user, Password = user is null ? null : password ?? now!.Password,
            FromAddress = wanted.FromAddress!.Trim(), FromName = name, TrustedCa = ca,
        };
    }

    private static string? HostOf(string typed) => System.Net.IPAddress.TryParse(typed.Trim('[', ']'), out var address) ? address.ToString() : MailAddress.Host(typed);

    private static bool IsHere(string host) => host == "localhost" || (System.Net.IPAddress.TryParse(host, out var address) && System.Net.IPAddress.IsLoopback(address));

    private static bool IsCertificate(string pem)
    {
        if (pem.Length > MostCa || pem.Contains("PRIVATE KEY", StringComparison.Ordinal)) return false;
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

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
