using System.Net;
using System.Text;
using System.Text.Json;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.SignIn;

/// <summary>A clinic with accounts on the real PostgreSQL, the real monitor and the real routes; requests go straight into the pipeline.</summary>
internal sealed class SignInHouse : IAsyncDisposable
{
    public const string Password = "seven tame herons wade";

    private readonly RequestDelegate pipeline;

    private SignInHouse(TestPlatform platform, RequestDelegate pipeline, Tenant clinic) => (Platform, this.pipeline, Clinic) = (platform, pipeline, clinic);

    public TestPlatform Platform { get; }

    public Tenant Clinic { get; set; }

    public Passwords Passwords => Platform.Services.GetRequiredService<Passwords>();

    /// <summary>Requests that were given away as events of one action.</summary>
    public async Task<int> EventCount(string action) => (await Platform.EventsAsync(Clinic)).Count(happened => happened.Action == action);

    public static async Task<SignInHouse> CreateAsync()
    {
        var platform = await TestPlatform.CreateAsync(
            services =>
            {
                services.AddSingleton(new System.Diagnostics.DiagnosticListener("tests"));
                services.AddRouting();
                services.AddDataProtection();
                services.AddSignIn();
                services.AddPatients().AddSchedule();   // closing an account looks at what is still to come
                services.AddMail();
                services.AddSingleton(new Passwords(1000));
            },
            typeof(SignInFeature).Assembly);
        var app = new ApplicationBuilder(platform.Services);
        app.UseRouting();
        app.UseSessions();
        app.UseEndpoints(SignInFeature.MapSignIn);
        return new(platform, app.Build(), await platform.AddClinicAsync("one.test"));
    }

    /// <summary>An account; its authenticator is enrolled unless said otherwise.</summary>
    public async Task<Person> AddAsync(Role role, bool enrolled = true, Tenant? clinic = null, string? email = null)
    {
        var secret = enrolled ? Totp.NewSecret() : null;
        var address = email ?? $"{role.Code}@one.test";
        var hash = await Passwords.HashAsync(Password, CancellationToken.None);
        var id = await Platform.Monitor.Run(
            new CreateMember("Pat " + role.DisplayName, address, [role], PasswordHash: hash.Value, AuthenticatorSecret: secret),
            new(clinic ?? Clinic, Actor.Operator, new("cli")), CancellationToken.None);
        Assert.True(id.Succeeded, id.Error?.Code);
        return new(this, id.Value, address, secret);
    }

    public Browser Browser(string? agent = null, string ip = "192.0.2.1", Tenant? clinic = null) => new(this, agent ?? Tests.SignIn.Browser.Firefox, ip, clinic);

    public async Task<Answer> SendAsync(HttpContext http)
    {
        await using var scope = Platform.Services.CreateAsyncScope();
        http.RequestServices = scope.ServiceProvider;
        using var body = new MemoryStream();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body));
        await pipeline(http);
        return new(http.Response.StatusCode, Encoding.UTF8.GetString(body.ToArray()), http.Response.Headers);
    }

    public ValueTask DisposeAsync() => Platform.DisposeAsync();
}

internal sealed record Person(SignInHouse House, Guid Id, string Email, byte[]? Secret)
{
    /// <summary>A code that was not used yet: every call moves the clock to a new step.</summary>
    public string NextCode()
    {
        House.Platform.Clock.Advance(TimeSpan.FromSeconds(30));
        return CodeNow();
    }

    public string CodeNow() => Totp.Code(Secret!, Totp.StepAt(House.Platform.Clock.GetUtcNow()));
}

internal sealed record Answer(int Status, string Body, IHeaderDictionary Headers)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string? Code => Body.Length > 0 && Json.TryGetProperty("code", out var code) ? code.GetString() : null;

    public string? SignInStatus => Json.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String ? status.GetString() : null;
}

/// <summary>A client that keeps cookies.</summary>
internal sealed class Browser(SignInHouse house, string agent, string ip, Tenant? clinic = null)
{
    public const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    public const string Chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    public Dictionary<string, string> Cookies { get; init; } = new(StringComparer.Ordinal);

    public string Agent { get; set; } = agent;

    public string Ip { get; set; } = ip;

    public Tenant? Clinic { get; set; } = clinic;

    public Task<Answer> Get(string path) => Send("GET", path, null);

    public Task<Answer> Post(string path, object? body = null) => Send("POST", path, body ?? new { });

    public async Task<Answer> Send(string method, string path, object? body, string? ifMatch = null)
    {
        var http = new DefaultHttpContext();
        var query = path.IndexOf('?', StringComparison.Ordinal);
        (http.Request.Method, http.Request.Path, http.Request.QueryString) = (method, query < 0 ? path : path[..query], new(query < 0 ? "" : path[query..]));
        if (ifMatch is not null) http.Request.Headers.IfMatch = ifMatch;
        http.Request.Headers.UserAgent = Agent;
        if (Cookies.Count > 0) http.Request.Headers.Cookie = string.Join("; ", Cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));
        if (body is not null)
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(body, JsonSerializerOptions.Web);
            (http.Request.ContentType, http.Request.ContentLength, http.Request.Body) = ("application/json", bytes.Length, new MemoryStream(bytes));
        }
        http.Context().Tenant = Clinic ?? house.Clinic;
        http.Context().ClientIp = Ip;
        var answer = await house.SendAsync(http);
        foreach (var set in answer.Headers.SetCookie)
        {
            var (name, value) = (set!.Split('=')[0], set.Split('=', 2)[1].Split(';')[0]);
            Assert.Contains("secure; ", set + " ", StringComparison.Ordinal);
            Assert.Contains("httponly", set, StringComparison.Ordinal);
            Assert.Contains("samesite=lax", set, StringComparison.Ordinal);
            Assert.Contains("path=/", set, StringComparison.Ordinal);
            if (WebUtility.UrlDecode(value).Length == 0) Cookies.Remove(name);
            else Cookies[name] = value;
        }
        return answer;
    }

    public Task<Answer> SignIn(string email, string password, string? code = null, string? backupCode = null, bool rememberDevice = false) =>
        Post("/api/auth/sign-in", new { email, password, code, backupCode, rememberDevice });

    /// <summary>Signs in with password and a fresh code.</summary>
    public async Task<Browser> SignedIn(Person person, bool rememberDevice = false)
    {
        var answer = await SignIn(person.Email, SignInHouse.Password, person.Secret is null ? null : person.NextCode(), rememberDevice: rememberDevice);
        Assert.Equal(200, answer.Status);
        return this;
    }
}
