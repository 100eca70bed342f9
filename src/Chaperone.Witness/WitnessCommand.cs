using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Chaperone.Ledger;

namespace Chaperone.Witness;

/// <summary>The command line. Exit code 0: it was told to stop; 2: it did not start, with the reason on standard error.</summary>
internal static class WitnessCommand
{
    private const int Refused = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var listen = new Option<string>("--listen") { Description = "Where to answer, such as 127.0.0.1:8765 or [::]:8765.", HelpName = "ADDRESS", Required = true };
        var state = new Option<string>("--state") { Description = "The file that holds its key and what it has cosigned; made at the first start.", HelpName = "FILE", Required = true };
        var log = new Option<string[]>("--log") { Description = "Verifier key (vkey) of a log to guard; once given it stays known.", HelpName = "VKEY" };
        var name = new Option<string?>("--name") { Description = "The key's name at the first start, such as witness.example.org/practice.", HelpName = "NAME" };
        var certificate = new Option<string?>("--tls-cert") { Description = "Certificate chain (PEM), for HTTPS.", HelpName = "F" };
        var key = new Option<string?>("--tls-key") { Description = "Private key of the certificate (PEM).", HelpName = "F" };
        var command = new RootCommand("Guards transparency logs: cosigns what a log signs, and never a log that forked (c2sp.org/tlog-witness).") { listen, state, log, name, certificate, key };
        command.SetAction(async (parsed, cancel) =>
        {
            try
            {
                using var file = WitnessFile.Open(parsed.GetRequiredValue(state), parsed.GetValue(name), (parsed.GetValue(log) ?? []).Select(KeyOf));
                using var tls = Certificate(parsed.GetValue(certificate), parsed.GetValue(key));
                await ServeAsync(file, Address(parsed.GetRequiredValue(listen)), tls, cancel);
                return 0;
            }
            catch (WitnessRefusedException refused)
            {
                await Console.Error.WriteLineAsync($"chaperone-witness: {refused.Message}");
                return Refused;
            }
        });
        var read = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var exit = await read.InvokeAsync();
        return read.Errors.Count > 0 ? Refused : exit;
    }

    private static async Task ServeAsync(WitnessFile file, IPEndPoint listen, X509Certificate2? tls, CancellationToken cancel)
    {
        WitnessServer server;
        try
        {
            server = await WitnessServer.StartAsync(file, listen, tls, TimeProvider.System);
        }
        catch (Exception taken) when (taken is IOException or SocketException or UnauthorizedAccessException)
        {
            throw new WitnessRefusedException($"It cannot listen on {listen}: {taken.Message}", taken);
        }
        await using (server)
        {
            foreach (var origin in file.State.Logs.Keys) Console.Out.WriteLine($"log: {origin}, cosigned to {file.State.Latest(origin)?.Size ?? 0} entries");
            Console.Out.WriteLine($"vkey: {file.State.Key}");
            Console.Out.WriteLine($"ready: {server.Address.ToString().TrimEnd('/')}");
            await server.WaitAsync(cancel);
        }
    }

    private static VerifierKey KeyOf(string text)
    {
        if (!VerifierKey.TryParse(text, out var key)) throw new WitnessRefusedException($"--log {text} is not a verifier key; it looks like <installation>/ledger/<clinic>+a1b2c3d4+AbCd…");
        return key.Type == SignatureType.Ed25519 ? key : throw new WitnessRefusedException($"--log {text} is a witness's key, not a log's.");
    }

    private static IPEndPoint Address(string text) => IPEndPoint.TryParse(text, out var address) && address.Port > 0 && text.EndsWith($":{address.Port}", StringComparison.Ordinal)
        ? address
        : throw new WitnessRefusedException($"--listen is {text}, and must be an address with a port, such as 127.0.0.1:8765 or [::]:8765.");

    private static X509Certificate2? Certificate(string? file, string? key)
    {
        if (file is null && key is null) return null;
        if (file is null || key is null) throw new WitnessRefusedException("--tls-cert and --tls-key go together.");
        try
        {
            return X509Certificate2.CreateFromPemFile(file, key);
        }
        catch (Exception unusable) when (unusable is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new WitnessRefusedException($"--tls-cert {file} and --tls-key {key} are not a certificate and its private key in PEM form: {unusable.Message}", unusable);
        }
    }
}
