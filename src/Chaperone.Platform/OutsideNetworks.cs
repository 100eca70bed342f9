using System.Net;
using System.Net.Sockets;

namespace Chaperone.Platform;

/// <summary>To which addresses that a clinic entered the server connects: witnesses, receivers of the log. What the operator enters leads wherever the operator says.</summary>
/// <remarks>
/// Public addresses, by TLS; and whatever the operator allows, without it too. Decided where the connection is made, for the very address that is connected to, so that a name which
/// leads elsewhere at the next question changes nothing.
/// </remarks>
public sealed class OutsideNetworks(IReadOnlyList<IPNetwork> allowed)
{
    // IANA's special-purpose registries: what is not for the whole internet.
    private static readonly IPNetwork[] Special =
    [
        .. ((string[])["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]).Select(text => IPNetwork.Parse(text)),
    ];
    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3");

    /// <summary>Whether the operator allows any network beyond the public ones.</summary>
    public bool AllowsMore => allowed.Count > 0;

    /// <summary>Whether a connection to that address may be made.</summary>
    public bool MayConnect(IPAddress address, bool tls)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return allowed.Any(network => network.Contains(address)) || (tls && IsPublic(address));
    }

    /// <summary>Looks the host up and connects to one of its addresses that may be connected to.</summary>
    /// <exception cref="ForbiddenAddressException">It has none.</exception>
    public async Task<Socket> ConnectAsync(string host, int port, bool tls, CancellationToken cancel)
    {
        var found = await Dns.GetHostAddressesAsync(host, cancel);
        var open = found.Where(address => MayConnect(address, tls)).ToArray();
        if (open.Length == 0 && found.Length > 0) throw new ForbiddenAddressException();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(open, port, cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsPublic(IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetwork || Global.Contains(address)) && !Special.Any(network => network.Contains(address));
}

/// <summary>A host leads only to addresses to which the server does not connect for a clinic.</summary>
public sealed class ForbiddenAddressException() : IOException("The address is not one to which the server connects for a clinic.");
