using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.Server.Commands;
using Chaperone.Server.Demo;
using Chaperone.Server.Hosting;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chaperone.Bench;

/// <summary>The real program on a real port and a fresh database of the real PostgreSQL, with one clinic whose owner is a doctor; logging and clock as in production.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    public const string Host = "bench.test";

    /// <summary>Of an import.</summary>
    public const int Batch = 500;

    private const string Email = "owner@bench.test", Password = "seven tame herons wade";
    private static readonly CallSource Source = new("cli", "bench");

    private readonly WebApplication app;
    private readonly RootKey root;
    private readonly string folder;
    private readonly byte[] authenticator = Totp.NewSecret();

    private BenchServer(WebApplication app, TestDatabase database, Databases databases, RootKey root, string folder) =>
        (this.app, Database, Databases, this.root, this.folder) = (app, database, databases, root, folder);

    public TestDatabase Database { get; }

    public Databases Databases { get; }

    public Tenant Clinic { get; private set; } = null!;

    public int Port => new Uri(app.Urls.First()).Port;

    public IServiceProvider Services => app.Services;

    public ReferenceMonitor Monitor => app.Services.GetRequiredService<ReferenceMonitor>();

    public static async Task<BenchServer> StartAsync()
    {
        var database = await TestCluster.CreateDatabaseAsync();
        var databases = new Databases(database.App, database.Ledger, database.Operator);
        var root = new RootKey(RandomNumberGenerator.GetBytes(32));
        var folder = Directory.CreateTempSubdirectory("chaperone-bench-").FullName;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        Logs.Configure(builder.Logging);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var installation = new Installation(Ids.New(TimeProvider.System.GetUtcNow()), root);
        var app = ChaperoneApp.Build(builder, new AppParts(databases, installation, folder, Tls: false, TimeProvider.System));
        var server = new BenchServer(app, database, databases, root, folder);
        await app.StartAsync();
        var clinic = new NewClinic("Bench", Host, "Olive Owner", Email, Password, AlsoPractises: true, AuthenticatorSecret: server.authenticator);
        server.Clinic = (await app.Services.GetRequiredService<ClinicCreation>().CreateAsync(clinic, Source, CancellationToken.None)).Value.Tenant;
        return server;
    }

    /// <summary>The system itself in the clinic.</summary>
    public Caller AsSystem => new(Clinic, Actor.Operator, Source);

    /// <summary>A doctor, signed in and enrolled, past HTTP.</summary>
    public Caller AsDoctor => As(BuiltInRole.Doctor);

    /// <summary>Somebody with this role, signed in and enrolled, past HTTP.</summary>
    public Caller As(Role role) => new(
        Clinic,
        new()
        {
            Kind = ActorKind.User,
            Id = Ids.New(TimeProvider.System.GetUtcNow()),
            Role = role.Code,
            SessionId = Ids.New(TimeProvider.System.GetUtcNow()),
            Rights = ActorRights.Compile([new(role)], [], []),
            State = new(Enrolled: true, Elevated: false, SteppedUpAt: TimeProvider.System.GetUtcNow(), Suspended: false),
        },
        new("web", "POST /patients/find", "127.0.0.1", "blink/linux"));

    /// <summary>Registers people through the monitor: sealed, indexed, with their digests in the events, a commit for each batch.</summary>
    public async Task<List<Guid>> AddAsync(IEnumerable<PersonDetails> people)
    {
        var ids = new List<Guid>();
        foreach (var batch in people.Chunk(Batch)) ids.AddRange((await Monitor.Run(new AddDemoPatients(batch), AsSystem, CancellationToken.None)).Value);
        return ids;
    }

    /// <summary>Signs in with password and code as anybody does; the Cookie header of the session. <c>User-Agent</c> must stay as <see cref="UserAgent"/>.</summary>
    public async Task<string> SignInAsync()
    {
        var code = Totp.Code(authenticator, Totp.StepAt(TimeProvider.System.GetUtcNow()));
        return await SignInAsync(Port, Host, Email, Password, code);
    }

    public const string UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    /// <summary>The same at any server on this machine.</summary>
    public static async Task<string> SignInAsync(int port, string host, string email, string password, string code)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/api/auth/sign-in") { Content = JsonContent.Create(new { email, password, code }) };
        request.Headers.Host = $"{host}:{port}";
        request.Headers.UserAgent.ParseAdd(UserAgent);
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode || !text.Contains("signed_in", StringComparison.Ordinal)) throw new InvalidOperationException($"Could not sign in: {(int)answer.StatusCode} {text}");
        return string.Join("; ", answer.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]));
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        await Databases.DisposeAsync();
        root.Dispose();
        await Database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
