using Chaperone.Clinic.Mail;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Chaperone.Server.Hosting;

/// <summary>Where people reach a clinic, for links in mails: never from a request, whose host anybody can make up.</summary>
internal static class PublicAddress
{
    /// <summary>The clinic's own host, by HTTPS at the usual port behind a proxy, else as this server listens.</summary>
    public static ClinicAddress Of(IServiceProvider services, AppParts parts) => new(clinic =>
    {
        if (parts.TrustedProxies.Count > 0) return $"https://{clinic.Host}";
        var listens = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
        var scheme = parts.Tls ? "https" : "http";
        return listens is not null && Uri.TryCreate(listens.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal), UriKind.Absolute, out var uri) && !uri.IsDefaultPort
            ? $"{scheme}://{clinic.Host}:{uri.Port}" : $"{scheme}://{clinic.Host}";
    });
}
