using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Chaperone.Witness;

namespace Chaperone.Ledger.Tests;

/// <summary>The witness as others meet it: real sockets, real files, and as a process that is killed.</summary>
public sealed class WitnessServerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("chaperone-witness-").FullName;
    private readonly HttpClient http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string State => Path.Combine(folder, "state");

    public void Dispose()
    {
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task It_cosigns_what_continues_answers_as_specified_and_remembers_after_a_restart()
    {
        VerifierKey key;
        using (var file = Open())
        await using (var server = await Start(file))
        {
            key = file.State.Key;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(State));
            Assert.Equal((409, "0\n"), await Post(server.Address, WitnessRulesTests.Ask(5, 9)));
            Assert.Equal(422, (await Post(server.Address, WitnessRulesTests.Ask(5, 9) with { OldSize = 0 })).Status);
            await Cosigned(server, key, WitnessRulesTests.Ask(0, 5));
            var (_, _, type) = await PostFull(server.Address, WitnessRulesTests.Ask(0, 5).ToBytes());
            Assert.Equal("text/x.tlog.size", type);
            await Cosigned(server, key, WitnessRulesTests.Ask(5, 300));
            await Cosigned(server, key, WitnessRulesTests.Ask(300, 300));
        }
        using (var file = Open())
        await using (var server = await Start(file))
        {
            Assert.Equal(key, file.State.Key);
            Assert.Equal((409, "300\n"), await Post(server.Address, WitnessRulesTests.Ask(5, 300)));
            await Cosigned(server, key, WitnessRulesTests.Ask(300, 700));
            // What it cosigned last can be looked at, with the log's signature and its own.
            var origin = Hash256.Of(Encoding.UTF8.GetBytes(TestLog.Origin));
            var shown = await http.GetByteArrayAsync(new Uri(server.Address, $"{origin}/checkpoint"), Cancel);
            Assert.True(SignedNote.TryParse(shown, out var note) && note.IsCosignedBy(key, out _) && note.IsSignedBy(TestLog.OfSize(1).Signer.Key) && note.Text == WitnessRulesTests.Head(700).ToText());
            using var unknown = await http.GetAsync(new Uri(server.Address, $"{Hash256.Of("other"u8)}/checkpoint"), Cancel);
            Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        }
    }

    [Fact]
    public async Task A_fork_is_refused_for_ever_whoever_signs_it()
    {
        var log = TestLog.OfSize(300);
        var forked = new Checkpoint(TestLog.Origin, 310, Hash256.Of("rewritten"u8)).Sign(log.Signer);
        using var file = Open();
        await using var server = await Start(file);
        await Cosigned(server, file.State.Key, WitnessRulesTests.Ask(0, 300));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(422, (await Post(server.Address, WitnessRulesTests.Ask(300, 310) with { Note = forked })).Status);
            Assert.Equal(409, (await Post(server.Address, new(0, [], forked))).Status);
            Assert.Equal(400, (await Post(server.Address, new(300, [], WitnessRulesTests.Head(299).Sign(log.Signer)))).Status);      // the tail cut off
            Assert.Equal(422, (await Post(server.Address, new(300, [], new Checkpoint(TestLog.Origin, 300, Hash256.Of("same size"u8)).Sign(log.Signer)))).Status);
        }
        using var stranger = new NoteSigner("stranger.example", Hash256.Of("stranger"u8).ToArray());
        using var thief = new NoteSigner(TestLog.Origin, Hash256.Of("thief"u8).ToArray());
        Assert.Equal(404, (await Post(server.Address, new(0, [], new Checkpoint("stranger.example", 0, Merkle.EmptyRoot).Sign(stranger)))).Status);
        Assert.Equal(403, (await Post(server.Address, WitnessRulesTests.Ask(300, 310) with { Note = WitnessRulesTests.Head(310).Sign(thief) })).Status);
        await Cosigned(server, file.State.Key, WitnessRulesTests.Ask(300, 310));
    }

    [Fact]
    public async Task Of_two_forks_at_once_only_one_is_ever_cosigned()
    {
        var log = TestLog.OfSize(300);
        using var file = Open();
        await using var server = await Start(file);
        await Cosigned(server, file.State.Key, WitnessRulesTests.Ask(0, 256));
        var honest = WitnessRulesTests.Ask(256, 300);
        // Both continue 256; they differ after it.
        var leaves = log.Leaves.Take(256).Concat(Enumerable.Range(0, 44).Select(i => Hash256.Of([(byte)i]))).ToArray();
        var fork = new WitnessRequest(256, Merkle.ConsistencyProof(256, 300, Naive.Nodes(leaves)), new Checkpoint(TestLog.Origin, 300, Naive.Root(leaves)).Sign(log.Signer));
        Assert.Equal(WitnessVerdict.Cosign, WitnessRules.Judge(fork, [log.Signer.Key], WitnessRulesTests.Head(256)));
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(async i => (Fork: i % 2 == 1, (await Post(server.Address, i % 2 == 1 ? fork : honest)).Status)));
        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(15, answers.Count(answer => answer.Status == 409));
        var won = answers.Single(answer => answer.Status == 200).Fork;
        Assert.Equal(won ? 422 : 200, (await Post(server.Address, honest with { OldSize = 300, Proof = [] })).Status);
        Assert.Equal(won ? 200 : 422, (await Post(server.Address, fork with { OldSize = 300, Proof = [] })).Status);
    }

    [Fact]
    public async Task What_cannot_be_written_down_is_not_cosigned()
    {
        using var file = Open();
        await using var server = await Start(file);
        await Cosigned(server, file.State.Key, WitnessRulesTests.Ask(0, 5));
        var before = await File.ReadAllBytesAsync(State, Cancel);
        Directory.CreateDirectory(State + ".new");      // as a full disk: the file beside cannot be written
        Assert.Equal(503, (await Post(server.Address, WitnessRulesTests.Ask(5, 9))).Status);
        Assert.Equal((409, "5\n"), await Post(server.Address, WitnessRulesTests.Ask(3, 9)));
        Assert.Equal(before, await File.ReadAllBytesAsync(State, Cancel));
        Directory.Delete(State + ".new");
        await Cosigned(server, file.State.Key, WitnessRulesTests.Ask(5, 9));
    }

    [Fact]
    public async Task A_damaged_lost_shared_or_open_state_file_is_refused()
    {
        using (var file = Open())
        {
            await using var server = await Start(file);
            await Cosigned(server, file.State.Key, WitnessRulesTests.Ask(0, 5));
            Assert.Contains("Another witness runs", Refusal(), StringComparison.Ordinal);
        }
        var good = await File.ReadAllBytesAsync(State, Cancel);
        for (var at = 0; at < good.Length; at++)
        {
            Write([.. good[..at], (byte)(good[at] ^ 1), .. good[(at + 1)..]]);
            if (at % 16 == 0 || at > good.Length - 80) Assert.Contains("damaged", Refusal(), StringComparison.Ordinal);
        }
        foreach (var torn in new[] { [], good[..^1], good[..(good.Length / 2)], [.. good, (byte)'\n'], [.. good, .. good] })
        {
            Write(torn);
            Assert.Contains("damaged", Refusal(), StringComparison.Ordinal);
        }
        // Whoever may edit the file can make the digest right again, but not the signatures in it.
        var lines = Encoding.UTF8.GetString(good).Split('\n').ToList();
        lines.RemoveAll(line => line.StartsWith("log ", StringComparison.Ordinal));
        var text = string.Join('\n', lines[..^2]) + "\n";
        Write(Encoding.UTF8.GetBytes(text + $"sha256 {Hash256.Of(Encoding.UTF8.GetBytes(text))}\n"));
        Assert.Contains("damaged", Refusal(), StringComparison.Ordinal);
        Write(good);
        File.SetUnixFileMode(State, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains("private key", Refusal(), StringComparison.Ordinal);
        File.Delete(State);
        Assert.Contains("is gone", Refusal(), StringComparison.Ordinal);
        Write(good);
        File.SetUnixFileMode(State, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Open().Dispose();
    }

    [Fact]
    public async Task Bodies_are_limited_and_malformed_ones_refused()
    {
        using var file = Open();
        await using var server = await Start(file);
        Assert.Equal(413, (await PostFull(server.Address, new byte[WitnessRequest.LongestBody + 1])).Status);
        using (var endless = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Address, "add-checkpoint")) { Content = new StreamContent(new MemoryStream(new byte[1_000_000])) })
        {
            endless.Headers.TransferEncodingChunked = true;
            using var answer = await http.SendAsync(endless, Cancel);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }
        foreach (var wrong in new byte[][] { [], [0], "old 0\n\n"u8.ToArray(), [.. "old 0\n\n"u8, 0xFF, 0xFE] }) Assert.Equal(400, (await PostFull(server.Address, wrong)).Status);
        using var get = await http.GetAsync(new Uri(server.Address, "add-checkpoint"), Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
        foreach (var path in new[] { "", "state", "../state", "add-checkpoint/x", new string('a', 64) + "/checkpoint" })
        {
            using var nothing = await http.GetAsync(new Uri(server.Address, path), Cancel);
            Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        }
    }

    [Fact]
    public async Task Killed_at_any_moment_it_has_forgotten_nothing_that_it_cosigned()
    {
        var (size, key) = (0, (VerifierKey?)null);
        for (var round = 0; round < 4; round++)
        {
            using var process = WitnessProcess.Start("--state", State, "--log", TestLog.OfSize(1).Signer.Key.ToString());
            var address = await process.Ready;
            Assert.Equal(key ??= process.Key, process.Key);
            var (status, said) = await Post(address, WitnessRulesTests.Ask(699, 699));
            Assert.Equal(409, status);
            var stood = int.Parse(said, System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(stood >= size, $"it forgot: {stood} after {size}");     // ahead when it wrote and could not answer any more
            size = stood;
            var killing = Task.Delay(20 + (round * 35), Cancel).ContinueWith(_ => process.Kill(), TaskScheduler.Default);
            try
            {
                for (; size < 690; size += 5) Assert.Equal(200, (await Post(address, WitnessRulesTests.Ask(size, size + 5))).Status);
            }
            catch (HttpRequestException)
            {
                // killed in the middle of an answer
            }
            await killing;
        }
        Assert.True(size > 0);
        // Not even the whole program asked nicely cosigns another tree of what was acknowledged.
        using var last = WitnessProcess.Start("--state", State);
        var fork = new WitnessRequest(0, [], new Checkpoint(TestLog.Origin, size + 1, Hash256.Of("fork"u8)).Sign(TestLog.OfSize(1).Signer));
        Assert.Equal(409, (await Post(await last.Ready, fork)).Status);
    }

    [Fact]
    public async Task The_command_says_why_it_does_not_start()
    {
        var log = TestLog.OfSize(1).Signer.Key.ToString();
        foreach (var (arguments, why) in new (string[], string)[]
        {
            (["--state", State], "--listen"), (["--listen", "127.0.0.1:0", "--state", State], "must be an address with a port"), (["--listen", "here", "--state", State], "must be an address with a port"),
            (["--listen", "127.0.0.1:8799", "--state", State, "--log", "nonsense"], "not a verifier key"), (["--listen", "127.0.0.1:8799", "--state", Path.Combine(folder, "no", "such")], "cannot be used"),
            (["--listen", "127.0.0.1:8799", "--state", State + "2", "--name", "a b"], "cannot be a witness's name"), (["--listen", "127.0.0.1:8799", "--state", State, "--log", log, "--tls-cert", "x"], "go together"),
        })
        {
            var (code, said) = await WitnessProcess.RunAsync(arguments);
            Assert.True(code == 2 && said.Contains(why, StringComparison.Ordinal), $"{code}: {said}");
        }
    }

    private WitnessFile Open() => WitnessFile.Open(State, "witness.example/test", [TestLog.OfSize(1).Signer.Key]);

    private string Refusal()
    {
        var refused = Assert.Throws<WitnessRefusedException>(() => WitnessFile.Open(State, null, []).Dispose());
        return refused.Message;
    }

    private void Write(byte[] bytes)
    {
        File.WriteAllBytes(State, bytes);
        File.SetUnixFileMode(State, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static Task<WitnessServer> Start(WitnessFile file) => WitnessServer.StartAsync(file, new(IPAddress.Loopback, 0), null, TimeProvider.System);

    private async Task Cosigned(WitnessServer server, VerifierKey key, WitnessRequest request)
    {
        var (status, body) = await Post(server.Address, request);
        Assert.True(status == 200, $"{status}: {body}");
        Assert.NotNull(WitnessRules.FindCosignature(Encoding.UTF8.GetBytes(body), request.Note, key));
    }

    private async Task<(int Status, string Body)> Post(Uri address, WitnessRequest request) => await PostFull(address, request.ToBytes()) is var (status, body, _) ? (status, body) : default;

    private async Task<(int Status, string Body, string? Type)> PostFull(Uri address, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using var answer = await http.PostAsync(new Uri(address, "add-checkpoint"), content, Cancel);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel), answer.Content.Headers.ContentType?.MediaType);
    }
}

/// <summary>The real program as a process of its own.</summary>
internal sealed class WitnessProcess : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder said = new();
    private readonly TaskCompletionSource<Uri> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WitnessProcess(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "chaperone-witness.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        process = new() { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("It ended before it was ready."));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Task<Uri> Ready => ready.Task.WaitAsync(TimeSpan.FromSeconds(60));

    public VerifierKey? Key { get; private set; }

    public static WitnessProcess Start(params string[] arguments)
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        return new(["--listen", $"127.0.0.1:{port}", .. arguments]);
    }

    public static async Task<(int Code, string Said)> RunAsync(string[] arguments)
    {
        using var witness = new WitnessProcess(arguments);
        _ = witness.ready.Task.ContinueWith(ended => _ = ended.Exception, TaskScheduler.Default);
        await witness.process.WaitForExitAsync(TestContext.Current.CancellationToken);
        lock (witness.said) return (witness.process.ExitCode, witness.said.ToString());
    }

    public void Kill() => process.Kill();

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (said) said.AppendLine(line);
        if (line.StartsWith("vkey: ", StringComparison.Ordinal)) Key = VerifierKey.Parse(line[6..]);
        if (line.StartsWith("ready: ", StringComparison.Ordinal)) ready.TrySetResult(new(line[7..] + "/"));
    }
}
