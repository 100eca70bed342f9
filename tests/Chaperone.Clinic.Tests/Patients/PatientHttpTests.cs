using System.Net;
using System.Text.Json;
using System.Text;
using Chaperone.Clinic.Notices;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Tests.Patients;

/// <summary>The real routes, API and pages, on the real monitor; requests go straight into the pipeline as one doctor.</summary>
public sealed class PatientHttpTests : IAsyncLifetime
{
    private TestPlatform platform = null!;
    private Tenant clinic = null!;
    private RequestDelegate pipeline = null!;
    private Caller caller = null!;

    public async ValueTask InitializeAsync()
    {
        platform = await TestPlatform.CreateAsync(
            services =>
            {
                services.AddSingleton(new System.Diagnostics.DiagnosticListener("tests"));
                var host = WebApplication.CreateBuilder();   // what rendering pages takes from a host: environment, configuration, options
                host.Logging.ClearProviders();
                foreach (var service in host.Services.Where(service => service.ServiceType != typeof(TimeProvider))) services.TryAdd(service);
                services.AddSingleton(new System.Diagnostics.ActivitySource("tests"));
                services.AddRouting();
                services.AddAntiforgery();
                services.AddDataProtection();
                services.AddRazorComponents();
                services.AddSingleton(Shell.Rendering.Page.Assets);
                services.AddPatients().AddSchedule().AddNotices();
            },
            typeof(PatientsFeature).Assembly);
        clinic = await platform.AddClinicAsync("one.test");
        caller = platform.As(clinic, BuiltInRole.Doctor);
        var app = new ApplicationBuilder(platform.Services);
        app.UseRouting();
        app.Use((http, next) =>
        {
            (http.Context().Tenant, http.Context().Actor) = (clinic, caller.Actor);
            return next(http);
        });
        app.UseEndpoints(routes => routes.MapPatients());
        pipeline = app.Build();
    }

    public async ValueTask DisposeAsync() => await platform.DisposeAsync();

    [Fact]
    public async Task Api_creates_reads_changes_archives_and_restores_with_versions()
    {
        var created = await Json("POST", "/api/patients", """{"givenNames":"Ada","familyName":"Lovelace","dateOfBirth":"1815-12-10"}""");
        Assert.Equal(422, created.Status);
        Assert.True(created.Body.GetProperty("fields").TryGetProperty("dateOfBirth", out _));
        Assert.Equal(422, (await Json("POST", "/api/patients", """{"familyName":"Lovelace","dateOfBirth":"1980-02-30"}""")).Status);

        created = await Json("POST", "/api/patients", """{"givenNames":"Ada","familyName":"Lovelace","dateOfBirth":"1980-02-29","nhsNumber":"943 476 5919","address":{"lines":["1 High St",null],"city":"Leeds"},"identifiers":[null,{"type":"passport","value":"1"}]}""");
        Assert.Equal((201, "\"1\""), (created.Status, created.Header("ETag")));
        var id = created.Body.GetProperty("id").GetGuid();
        Assert.Equal($"/api/patients/{id}", created.Header("Location"));

        var twin = await Json("POST", "/api/patients", """{"givenNames":"Ada","familyName":"Lovelace","dateOfBirth":"1980-02-29"}""");
        Assert.Equal((409, "CHP-PATIENT-0002", id), (twin.Status, twin.Body.GetProperty("code").GetString(), twin.Body.GetProperty("twins")[0].GetGuid()));
        Assert.Equal(201, (await Json("POST", "/api/patients", """{"givenNames":"Ada","familyName":"Lovelace","dateOfBirth":"1980-02-29","confirmedNotDuplicate":true}""")).Status);

        var read = await Json("GET", $"/api/patients/{id}");
        Assert.Equal(("Lovelace", "1 High St", "\"1\""), (read.Body.GetProperty("familyName").GetString(), read.Body.GetProperty("address").GetProperty("lines")[0].GetString(), read.Header("ETag")));
        var changed = read.Text.Replace("Lovelace", "King", StringComparison.Ordinal);
        Assert.Equal(428, (await Json("PUT", $"/api/patients/{id}", changed)).Status);
        Assert.Equal(412, (await Json("PUT", $"/api/patients/{id}", changed, "\"9\"")).Status);
        Assert.Equal(412, (await Json("PUT", $"/api/patients/{id}", changed, "W/\"1\"")).Status);
        Assert.Equal((200, "\"2\""), await Json("PUT", $"/api/patients/{id}", changed, "\"1\"") is var put ? (put.Status, put.Header("ETag")) : default);

        Assert.Equal(428, (await Json("DELETE", $"/api/patients/{id}?reason=moved_away")).Status);
        Assert.Equal(422, (await Json("DELETE", $"/api/patients/{id}?reason=whim", ifMatch: "\"2\"")).Status);
        Assert.Equal("archived", (await Json("DELETE", $"/api/patients/{id}?reason=moved_away", ifMatch: "\"2\"")).Body.GetProperty("status").GetString());
        Assert.Equal("active", (await Json("POST", $"/api/patients/{id}/restore")).Body.GetProperty("status").GetString());

        Assert.Equal(id, Assert.Single((await Json("GET", "/api/patients?find=king")).Body.GetProperty("items").EnumerateArray()).GetProperty("id").GetGuid());
        Assert.Equal(1, (await Json("POST", "/api/patients/find", """{"text":"29 Feb 1980 king"}""")).Body.GetProperty("items").GetArrayLength());
        var list = (await Json("GET", "/api/patients?limit=1")).Body;
        Assert.NotNull(list.GetProperty("next").GetString());
        Assert.Equal(JsonValueKind.Null, (await Json("GET", "/api/patients?limit=1&cursor=" + list.GetProperty("next").GetString())).Body.GetProperty("next").ValueKind);
        Assert.Equal(404, (await Json("GET", $"/api/patients/{clinic.Id}")).Status);
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("[]", 400)]
    [InlineData("null", 400)]
    [InlineData("""{"familyNam":"x"}""", 400)]
    [InlineData("""{"familyName":7}""", 400)]
    [InlineData("""{"familyName":"\ud800","dateOfBirthUnknown":true}""", 400)]
    [InlineData("""{"familyName":"a\u0000b","dateOfBirthUnknown":true}""", 422)]
    [InlineData("""{"familyName":"","dateOfBirthUnknown":true}""", 422)]
    public async Task Api_refuses_what_is_no_patient(string body, int status)
    {
        Assert.Equal(status, (await Json("POST", "/api/patients", body)).Status);
        Assert.Equal(413, (await Json("POST", "/api/patients", "{\"familyName\":\"" + new string('x', 300_000) + "\"}")).Status);
    }

    [Fact]
    public async Task Pages_show_names_as_text_and_keep_what_was_typed()
    {
        var refused = await Form("/patients/new", ("familyName", "<script>alert('x')</script>"), ("dateOfBirth", "30/02/1980"));
        Assert.Equal(422, refused.Status);
        Assert.Contains("&lt;script&gt;", refused.Text, StringComparison.Ordinal);
        Assert.Contains("30/02/1980", refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", refused.Text, StringComparison.Ordinal);

        var made = await Form("/patients/new", ("givenNames", "Ada"), ("familyName", "<script>alert('x')</script>"), ("dateOfBirth", "29/02/1980"), ("identifiers.0.type", "passport"), ("identifiers.0.value", "P1"), ("address.lines", "1 High St\r\nLeeds"));
        Assert.Equal(303, made.Status);
        var at = made.Header("Location");
        Assert.Matches("^/patients/[0-9a-f-]{36}$", at);
        Assert.Contains("&lt;SCRIPT&gt;", (await Get(at)).Text, StringComparison.Ordinal);
        Assert.Equal(409, (await Form("/patients/new", ("givenNames", "Ada"), ("familyName", "<script>alert('x')</script>"), ("dateOfBirth", "29 Feb 1980"))).Status);
        foreach (var path in new[] { "/patients", at, at + "/edit", at + "/archive", "/patients/new" })
        {
            var page = await Get(path);
            Assert.Equal((path, 200), (path, page.Status));
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.OrdinalIgnoreCase);
        }
        Assert.Contains(at, (await Form("/patients", ("text", "script"))).Text, StringComparison.Ordinal);

        Assert.Equal(303, (await Form(at + "/edit", ("version", "1"), ("familyName", "King"), ("dateOfBirth", "29/02/1980"), ("phone", "020 7946 0000"))).Status);
        var stale = await Form(at + "/edit", ("version", "1"), ("familyName", "Typed"), ("dateOfBirth", "29/02/1980"));
        Assert.Equal(412, stale.Status);
        Assert.Contains("in the meantime", stale.Text, StringComparison.Ordinal);
        Assert.Contains("020 7946 0000", stale.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"Typed\"", stale.Text, StringComparison.Ordinal);
        Assert.Contains("name=\"version\" value=\"2\"", stale.Text, StringComparison.Ordinal);

        Assert.Equal(422, (await Form(at + "/archive", ("version", "2"), ("reason", ""))).Status);
        Assert.Equal(303, (await Form(at + "/archive", ("version", "2"), ("reason", "moved_away"))).Status);
        Assert.Contains("Undo", (await Get(at)).Text, StringComparison.Ordinal);
        Assert.Equal(303, (await Form(at + "/restore")).Status);
    }

    [Fact]
    public async Task Pages_hide_what_the_role_cannot_do()
    {
        var at = (await Form("/patients/new", ("familyName", "Secretname"), ("dateOfBirth", "29/02/1980"), ("phone", "020 7946 0000"))).Header("Location");
        caller = platform.As(clinic, BuiltInRole.Admin);
        Assert.DoesNotContain("/edit", (await Get(at)).Text, StringComparison.Ordinal);
        Assert.Equal(403, (await Get("/patients/new")).Status);
        caller = platform.As(clinic, BuiltInRole.ReadOnly);
        foreach (var path in new[] { at, "/patients" })
        {
            var masked = await Get(path);
            Assert.Equal(200, masked.Status);
            Assert.DoesNotContain("secretname", masked.Text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("7946", masked.Text, StringComparison.Ordinal);
        }
        caller = platform.As(clinic, BuiltInRole.Hr);
        Assert.Equal(403, (await Get(at)).Status);
    }

    private Task<Answer> Get(string path) => Send("GET", path, null, null, null);

    private Task<Answer> Json(string method, string path, string? body = null, string? ifMatch = null) => Send(method, path, body, "application/json", ifMatch);

    private Task<Answer> Form(string path, params (string Name, string Value)[] fields) =>
        Send("POST", path, string.Join('&', fields.Select(field => $"{WebUtility.UrlEncode(field.Name)}={WebUtility.UrlEncode(field.Value)}")), "application/x-www-form-urlencoded", null);

    private async Task<Answer> Send(string method, string path, string? body, string? type, string? ifMatch)
    {
        await using var scope = platform.Services.CreateAsyncScope();
        var http = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        http.Request.Method = method;
        (http.Request.Scheme, http.Request.Host) = ("https", new HostString("one.test"));
        (http.Request.Path, http.Request.QueryString) = path.Split('?') is [var place, var query] ? (place, new QueryString("?" + query)) : (path, default);
        if (body is not null)
        {
            var bytes = Encoding.UTF8.GetBytes(body);
            (http.Request.Body, http.Request.ContentLength, http.Request.ContentType) = (new MemoryStream(bytes), bytes.Length, type);
        }
        if (ifMatch is not null) http.Request.Headers.IfMatch = ifMatch;
        using var answer = new MemoryStream();
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        await pipeline(http);
        await http.Response.CompleteAsync();
        return new(http.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()), http.Response.Headers);
    }

    private sealed record Answer(int Status, string Text, IHeaderDictionary Headers)
    {
        public JsonElement Body => JsonDocument.Parse(Text).RootElement;

        public string Header(string name) => Headers[name].ToString();
    }
}
