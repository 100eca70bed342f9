using System.Text;
using System.Text.Json;
using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Compliance;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.AccessHistory;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Investigations;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Witnesses;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.AuditLog;

/// <summary>Two clinics on the real PostgreSQL, in one of which a doctor has done a few things; the log's operations, routes and pages.</summary>
public abstract class AuditWorld : IAsyncLifetime
{
    private RequestDelegate pipeline = null!;

    private protected TestPlatform Platform { get; private set; } = null!;

    private protected Tenant Clinic { get; private set; } = null!;

    private protected Tenant OtherClinic { get; private set; } = null!;

    private protected Caller Doctor { get; private set; } = null!;

    private protected Caller Reviewer { get; private set; } = null!;

    private protected Caller Owner { get; private set; } = null!;

    private protected Guid Ada { get; private set; }

    private protected Guid Grace { get; private set; }

    /// <summary>What is known of test runs.</summary>
    private protected virtual TestPasses Tests => TestPasses.None;

    public async ValueTask InitializeAsync()
    {
        Platform = await TestPlatform.CreateAsync(
            services =>
            {
                services.AddSingleton(new System.Diagnostics.DiagnosticListener("tests"));
                var host = WebApplication.CreateSlimBuilder();
                services.AddSingleton<IConfiguration>(host.Configuration).AddSingleton<IWebHostEnvironment>(host.Environment);
                services.AddRouting();
                services.AddDataProtection();
                services.AddRazorComponents();
                services.AddAntiforgery();
                services.AddSingleton(Shell.Rendering.Page.Assets);
                services.AddSignIn();
                services.AddMail();
                services.AddJobs();
                services.AddSingleton(new Passwords(1000));
                services.AddPatients();
                services.AddAuditLog();
                services.AddAccessHistory();
                services.AddWitnesses();
                services.AddCompliance();
                services.AddSingleton(Tests);
                services.AddInvestigations();
            },
            typeof(AuditLogFeature).Assembly);
        var app = new ApplicationBuilder(Platform.Services);
        app.UseRouting();
        app.UseEndpoints(routes =>
        {
            AuditLogFeature.MapAuditLog(routes);
            routes.MapAccessHistory();
            routes.MapCompliance();
            routes.MapInvestigations();
        });
        pipeline = app.Build();

        Clinic = await Platform.AddClinicAsync("one.test");
        OtherClinic = await Platform.AddClinicAsync("two.test");
        Doctor = await MemberAsync("Wilma Quist", BuiltInRole.Doctor);
        Reviewer = await MemberAsync("Rudi Exton", BuiltInRole.ReadOnly);
        Owner = await MemberAsync("Olu Marsh", BuiltInRole.Owner);
        Ada = (await Run(new RegisterPatient(Person("Adelaide", "Zimmerstein")), Doctor)).Id;
        Grace = (await Run(new RegisterPatient(Person("Graciela", "Yellowhammer")), Doctor)).Id;
        for (var i = 0; i < 3; i++) await Run(new ViewPatient(Ada), Doctor);
        await Run(new ViewPatient(Grace), Platform.As(Clinic, BuiltInRole.Nurse));
        Assert.NotNull((await Try(new ViewPatient(Grace), await MemberAsync("Hal Rowe", BuiltInRole.Hr))).Error);
        Assert.NotNull((await Try(new ViewPatient(Guid.NewGuid()), Doctor)).Error);
        await Run(new RegisterPatient(Person("Other", "Clinic")), Platform.As(OtherClinic, BuiltInRole.Doctor));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Platform.DisposeAsync();
    }

    /// <summary>Somebody with an account, signed in.</summary>
    private protected async Task<Caller> MemberAsync(string name, Role role)
    {
        var id = await Run(new CreateMember(name, $"{name.Replace(' ', '.')}@one.test", [role]), new(Clinic, Actor.Operator, new("cli", "tenant create")));
        var caller = Platform.As(Clinic, role);
        return caller with { Actor = caller.Actor with { Id = id } };
    }

    private protected static PersonDetails Person(string given, string family) => new() { GivenNames = given, FamilyName = family, DateOfBirth = new(1980, 2, 29), Gender = "female" };

    private protected Task<Result<T>> Try<T>(IOperation<T> operation, Caller caller) => Platform.Monitor.Run(operation, caller, CancellationToken.None);

    private protected async Task<T> Run<T>(IOperation<T> operation, Caller caller)
    {
        var result = await Try(operation, caller);
        Assert.True(result.Succeeded, result.Error?.Code + " " + string.Join(", ", result.Error?.Fields.Keys ?? []) + " " + string.Join(Environment.NewLine, Platform.Logs.Lines.TakeLast(3)));
        return result.Value;
    }

    private protected static AuditQuery Query(params (string Name, string Value)[] fields) => AuditQuery.Of(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));

    /// <summary>Every page of a query, joined.</summary>
    private protected async Task<List<ReadEvent>> All(AuditQuery query, Caller? caller = null)
    {
        var found = new List<ReadEvent>();
        for (var next = query; ;)
        {
            var page = await Run(new ViewAuditLog(next), caller ?? Reviewer);
            found.AddRange(page.Events);
            if (page.Next is null) return found;
            next = query.With(AuditQuery.Cursor, page.Next);
        }
    }

    /// <summary>Sends a request straight into the routes, as somebody.</summary>
    private protected async Task<(int Status, byte[] Body, IHeaderDictionary Headers)> Send(string method, string address, Caller caller, IReadOnlyDictionary<string, string>? form = null)
    {
        var http = new DefaultHttpContext();
        var parts = address.Split('?', 2);
        (http.Request.Method, http.Request.Path, http.Request.Scheme, http.Request.Host) = (method, parts[0], "https", new("one.test"));
        if (parts.Length == 2) http.Request.QueryString = new("?" + parts[1]);
        if (form is not null)
        {
            var bytes = Encoding.UTF8.GetBytes(string.Join('&', form.Select(field => $"{field.Key}={Uri.EscapeDataString(field.Value)}")));
            (http.Request.ContentType, http.Request.ContentLength, http.Request.Body) = ("application/x-www-form-urlencoded", bytes.Length, new MemoryStream(bytes));
        }
        (http.Context().Tenant, http.Context().Actor, http.Context().ClientIp) = (caller.Tenant, caller.Actor, "192.0.2.44");
        await using var scope = Platform.Services.CreateAsyncScope();
        http.RequestServices = scope.ServiceProvider;
        using var body = new MemoryStream();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        await pipeline(http);
        return (http.Response.StatusCode, body.ToArray(), http.Response.Headers);
    }

    private protected async Task<(int Status, JsonElement Json)> Api(string address, Caller? caller = null)
    {
        var (status, body, _) = await Send("GET", "/api/audit/" + address, caller ?? Reviewer);
        return (status, JsonDocument.Parse(body).RootElement);
    }

    private protected async Task<LedgerEvent> LastEvent(Tenant? clinic = null) => (await Platform.EventsAsync(clinic ?? Clinic)).MaxBy(happened => happened.Id)!;
}
