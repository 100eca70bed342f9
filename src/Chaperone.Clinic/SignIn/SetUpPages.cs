using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.SignIn;

/// <summary>The operator's one-time link to make the first clinic. Only its hash is kept.</summary>
internal sealed class SetUpLinks(Databases databases, TimeProvider clock)
{
    /// <summary>Whether the link could be used now.</summary>
    public async Task<bool> WorksAsync(string? token, CancellationToken cancel) =>
        await RunAsync("SELECT count(*) FROM directory.setup_link WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2", token, cancel) is 1L;

    /// <summary>Uses it up; false when somebody was faster.</summary>
    public async Task<bool> TakeAsync(string? token, CancellationToken cancel) =>
        await RunAsync("UPDATE directory.setup_link SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING 1::bigint", token, cancel) is 1L;

    /// <summary>Gives it back: nothing was made by it.</summary>
    public Task GiveBackAsync(string? token, CancellationToken cancel) =>
        RunAsync("UPDATE directory.setup_link SET used_at = NULL WHERE token_hash = $1 AND expires_at > $2", token, cancel);

    private async Task<object?> RunAsync(string sql, string? token, CancellationToken cancel)
    {
        if (SecretToken.HashOf(token) is not { } hash) return null;
        await using var command = databases.App.CreateCommand(sql);
        command.Parameters.Add(new() { Value = hash });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        return await command.ExecuteScalarAsync(cancel);
    }
}

/// <summary>The page that makes the first clinic and its owner, behind the operator's one-time link. It answers on loopback names, where there is no clinic.</summary>
public static class SetUpPages
{
    private const string Because = "there is no clinic yet whose log could hold it; making the clinic is its first event";

    /// <summary>Maps it. The caller says that these routes need no clinic.</summary>
    public static RouteGroupBuilder MapSetUp(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("");
        group.MapGet("/set-up/{token}", async (HttpContext http, string token, SetUpLinks links) =>
            await links.WorksAsync(token, http.RequestAborted) ? await http.Page<SetUpPage>(new { LinkToken = token }) : await http.PageError(SignInErrors.LinkEnded)).RunsNothing(Because);
        group.MapPost("/set-up", SetUp).RunsNothing(Because);
        return group;
    }

    private static async Task<IResult> SetUp(HttpContext http, SetUpLinks links, ClinicCreation creation)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        string Field(string name) => form.GetValueOrDefault(name) ?? "";
        var token = Field("token");
        if (!await links.TakeAsync(token, http.RequestAborted)) return await http.PageError(SignInErrors.LinkEnded);
        Result<MadeClinic> made;
        try
        {
            made = await creation.CreateAsync(
                new(Field("clinic"), Field("host"), Field("name"), Field("email"), Field("password"), Field("practises") == "true"),
                new("web", "POST /set-up", http.Context().ClientIp, ClientFamily.Of(http.Request.Headers.UserAgent.ToString())), CancellationToken.None);
        }
        catch
        {
            await links.GiveBackAsync(token, CancellationToken.None);
            throw;
        }
        if (made.Error is { } error)
        {
            await links.GiveBackAsync(token, CancellationToken.None);
            if (error.Code != SignInErrors.MemberInvalid.Code && error.Code != SignInErrors.HostRefused.Code) return await http.PageError(error);
            var errors = new FormErrors();
            foreach (var name in new[] { "clinic", "host", "name", "email", "password" })
                if (error.Fields.TryGetValue(name, out var sentence)) errors.Add(name, sentence);
            if (errors.IsEmpty) errors.Add("host", error.Title + " " + error.Next);
            return await http.Page<SetUpPage>(
                new { LinkToken = token, Clinic = Field("clinic"), Host = Field("host"), Name = Field("name"), Email = Field("email"), Practises = Field("practises") == "true", Errors = errors },
                StatusCodes.Status422UnprocessableEntity);
        }
        var port = http.Request.Host.Port is { } number ? $":{number}" : "";
        return await http.Page<SetUpDonePage>(new { made.Value.Tenant.Name, Url = $"{http.Request.Scheme}://{made.Value.Tenant.Host}{port}/sign-in" });
    }
}
