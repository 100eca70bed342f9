using System.Net;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Witness;

namespace Chaperone.TestSupport;

/// <summary>The real witness on a real socket, that a test may stop, start again and listen to.</summary>
public sealed class TestWitness : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("chaperone-test-witness-").FullName;
    private WitnessFile? file;
    private WitnessServer? server;
    private int port;

    private TestWitness() { }

    /// <summary>Its key.</summary>
    public VerifierKey Key { get; private set; } = null!;

    /// <summary>Where it answers.</summary>
    public Uri Address => new($"http://127.0.0.1:{port}");

    /// <summary>What it cosigned last of a log; 0 for nothing.</summary>
    public long SizeOf(string origin) => file?.State.Latest(origin)?.Size ?? 0;

    /// <summary>A new witness that knows these logs.</summary>
    public static async Task<TestWitness> StartAsync(params IEnumerable<VerifierKey> logs)
    {
        var witness = new TestWitness();
        await witness.StartAgainAsync([.. logs]);
        return witness;
    }

    /// <summary>Starts it after it was stopped: same state, same port.</summary>
    public async Task StartAgainAsync(params VerifierKey[] logs)
    {
        file = WitnessFile.Open(Path.Combine(folder, "state"), null, logs);
        Key = file.State.Key;
        server = await WitnessServer.StartAsync(file, new(IPAddress.Loopback, port), null, TimeProvider.System);
        port = server.Address.Port;
    }

    /// <summary>As one whose laptop was shut.</summary>
    public async Task StopAsync()
    {
        if (server is not null) await server.DisposeAsync();
        file?.Dispose();
        (server, file) = (null, null);
    }

    /// <summary>As the operator, or with an id as a clinic, has entered it.</summary>
    public LogWitness AsEntered(Guid? id = null) => new(id, "Data protection officer", Address, Key, Required: false);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
