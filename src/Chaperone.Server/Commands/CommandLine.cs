using System.CommandLine;
using System.Runtime.InteropServices;
using Chaperone.Platform.Postgres;
using Chaperone.Server.Embedded;

namespace Chaperone.Server.Commands;

/// <summary>The verbs of <c>./chaperone</c> that run in this process: <c>up</c>, <c>verify</c>, <c>tenant create</c>, <c>tenant move</c>, <c>tenant plan</c>.</summary>
/// <remarks>Exit codes: 0 done, 1 the check failed (a command's own verdict), 2 refused or wrongly called, with the reason on standard error.</remarks>
internal static class CommandLine
{
    public const int Refused = 2;

    private static readonly Option<string> Data = new("--data")
    {
        Description = "The installation's data folder.", HelpName = "DIR", DefaultValueFactory = _ => "./data",
    };

    private static readonly Option<string?> RootKey = new("--root-key") { Description = "The root key file, where it is not in the data folder.", HelpName = "FILE" };

    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true; // we end by ourselves, PostgreSQL first
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

        var parsed = Root().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync($"chaperone: {error.Message}");
            await Console.Error.WriteLineAsync("See ./chaperone help.");
            return Refused;
        }

        try
        {
            var handling = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(handling, stop.Token);
        }
        catch (Exception refused) when (refused is CommandRefusedException or ClusterException or MigrationRefusedException)
        {
            await Console.Error.WriteLineAsync($"chaperone: {refused.Message}");
            return Refused;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 130; // as shells report an interrupted command
        }
    }

    private static RootCommand Root() => new("Chaperone, a practice system for clinics.") { Up(), Verify(), Tenant() };

    private static Command Up()
    {
        var demo = new Option<bool>("--demo") { Description = "Fill a new installation with two clinics of synthetic people." };
        var port = new Option<int>("--port") { Description = "The port to listen on.", HelpName = "N", DefaultValueFactory = _ => 8080 };
        var certificate = new Option<string?>("--tls-cert") { Description = "Certificate chain (PEM); with it the server listens on every address.", HelpName = "F" };
        var key = new Option<string?>("--tls-key") { Description = "Private key of the certificate (PEM).", HelpName = "F" };
        port.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var number) || number is < 1 or > 65535))
                result.AddError($"--port is {result.Tokens[0].Value}, and must be from 1 to 65535.");
        });

        var command = new Command("up", "Start the server.") { demo, Data, port, certificate, key, RootKey };
        command.SetAction((parsed, cancel) => UpCommand.RunAsync(
            new UpRequest(parsed.GetValue(demo), parsed.GetValue(Data)!, parsed.GetValue(port), parsed.GetValue(certificate), parsed.GetValue(key), parsed.GetValue(RootKey)), cancel));
        return command;
    }

    private static Command Verify()
    {
        var subject = new Argument<string?>("PATH|URL")
        {
            Description = "An export bundle, evidence, a .tlog-proof, a folder of tiles or a log's URL; without it the installation's own database.", Arity = ArgumentArity.ZeroOrOne,
        };
        var key = new Option<string?>("--key") { Description = "File with the log's public key (vkey).", HelpName = "VKEYFILE" };
        var checkpoint = new Option<string?>("--checkpoint") { Description = "An earlier checkpoint the log must be consistent with.", HelpName = "FILE" };
        var line = new Option<string?>("--event") { Description = "The exact line of the event that a .tlog-proof is about.", HelpName = "FILE" };
        var token = new Option<string?>("--token") { Description = "File whose first line is the bearer token for the URL.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON." };
        var command = new Command("verify", "Check a log. Exit code 0 good, 1 tampered, 2 could not check.") { subject, key, checkpoint, line, token, json, Data, RootKey };
        command.SetAction((parsed, cancel) => VerifyCommand.RunAsync(
            new VerifyRequest(
                parsed.GetValue(subject), new(parsed.GetValue(key), parsed.GetValue(checkpoint), parsed.GetValue(line), parsed.GetValue(token)), parsed.GetValue(json), parsed.GetValue(Data)!, parsed.GetValue(RootKey)),
            cancel));
        return command;
    }

    private static Command Tenant()
    {
        var name = new Option<string>("--name") { Description = "The clinic's name.", Required = true };
        var host = new Option<string>("--host") { Description = "The host name it is reached by.", Required = true };
        var owner = new Option<string>("--owner-email") { Description = "The owner's e-mail address; a one-time link for them is printed.", Required = true };
        var create = new Command("create", "Make a clinic.") { name, host, owner, Data, RootKey };
        create.SetAction((parsed, cancel) => TenantCommand.CreateAsync(
            new CreateTenantRequest(parsed.GetValue(name)!, parsed.GetValue(host)!, parsed.GetValue(owner)!, parsed.GetValue(Data)!, parsed.GetValue(RootKey)), cancel));
        var from = new Option<string>("--host") { Description = "The host name it has.", Required = true };
        var to = new Option<string>("--to") { Description = "The host name it gets; the old one leads nowhere from then on.", Required = true };
        var move = new Command("move", "Give a clinic another host name.") { from, to, Data, RootKey };
        move.SetAction((parsed, cancel) => TenantCommand.MoveAsync(new MoveTenantRequest(parsed.GetValue(from)!, parsed.GetValue(to)!, parsed.GetValue(Data)!, parsed.GetValue(RootKey)), cancel));
        var whose = new Option<string>("--host") { Description = "The clinic's host name.", Required = true };
        var code = new Option<string>("--plan") { Description = "self_hosted, starter, pro or team. Starter shows the last 30 days of the log and downloads nothing of it.", Required = true };
        var plan = new Command("plan", "Put a clinic on a plan.") { whose, code, Data, RootKey };
        plan.SetAction((parsed, cancel) => TenantCommand.PlanAsync(new PlanTenantRequest(parsed.GetValue(whose)!, parsed.GetValue(code)!, parsed.GetValue(Data)!, parsed.GetValue(RootKey)), cancel));
        return new Command("tenant", "Manage clinics.") { create, move, plan };
    }
}
