using System.CommandLine;
using Chaperone.Ledger;

var location = new Argument<string>("PATH|URL") { Description = "An export bundle or evidence (folder or .zip), a .tlog-proof, a report on who looked (.json), a folder of tlog-tiles, or the http(s) address of a log." };
var key = new Option<FileInfo?>("--key") { Description = "File with the log's verifier key, from somewhere you trust.", HelpName = "VKEYFILE" };
var checkpoint = new Option<FileInfo?>("--checkpoint") { Description = "File with an older signed checkpoint that the log must continue.", HelpName = "FILE" };
var line = new Option<FileInfo?>("--event") { Description = "File with the exact line of the event that a .tlog-proof is about.", HelpName = "FILE" };
var token = new Option<FileInfo?>("--token") { Description = "File whose first line is the bearer token for the address.", HelpName = "FILE" };
var json = new Option<bool>("--json") { Description = "Print one JSON object instead of text." };
var command = new RootCommand("Verifies a log of Chaperone's, or of anybody who publishes C2SP tlog-tiles. Exit code 0: good; 1: tampered; 2: could not check.")
{
    location, key, checkpoint, line, token, json,
};
command.SetAction(arguments =>
{
    var place = arguments.GetRequiredValue(location);
    var pace = new VerifyPace(TimeProvider.System, arguments.GetValue(json) || Console.IsErrorRedirected ? null : Console.Error);
    var report = Verifier.VerifyAt(
        place, new(arguments.GetValue(key)?.FullName, arguments.GetValue(checkpoint)?.FullName, arguments.GetValue(line)?.FullName, arguments.GetValue(token)?.FullName), progress: (done, total) => pace.Report(place, done, total));
    pace.End();
    Console.Out.Write(arguments.GetValue(json) ? report.ToJson() + "\n" : report.ToText());
    return report.ExitCode;
});
var parsed = command.Parse(args);
var exit = parsed.Invoke();
return parsed.Errors.Count > 0 ? 2 : exit;   // a mistyped command has verified nothing
