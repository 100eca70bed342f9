using System.Security.Cryptography;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.SignIn;

/// <summary>
/// The operator's one-time link to make the first clinic. Only its hash is kept, with its end sealed by Data Protection: there is no clinic yet whose key could prove it.
/// </summary>
internal sealed class SetUpLinks(Databases databases, IDataProtectionProvider protection, TimeProvider clock)
{
    private static readonly TimeSpan For = TimeSpan.FromHours(24);

    private readonly IDataProtector protector = protection.CreateProtector("Chaperone.SetUpLink");

    /// <summary>A new link's path. It works for 24 hours.</summary>
    public async Task<string> MakeAsync(CancellationToken cancel)
    {
        var (token, ends) = (SecretToken.New(), clock.GetUtcNow() + For);
        await using var command = databases.App.CreateCommand("INSERT INTO directory.setup_link (token_hash, proof, expires_at) VALUES ($1, $2, $3)");
        command.Parameters.Add(new() { Value = token.Hash });
        command.Parameters.Add(new() { Value = protector.Protect(Said(token.Hash, ends)) });
        command.Parameters.Add(new() { Value = ends });
        await command.ExecuteNonQueryAsync(cancel);
        return "/set-up/" + token.Text;
    }

    /// <summary>Whether the link could be used now.</summary>
    public async Task<bool> WorksAsync(string? token, CancellationToken cancel) =>
        await RunAsync("SELECT 1::bigint FROM directory.setup_link WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2", token, cancel) is 1L;

    /// <summary>Uses it up; false when somebody was faster.</summary>
    public async Task<bool> TakeAsync(string? token, CancellationToken cancel) =>
        await RunAsync("UPDATE directory.setup_link SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING 1::bigint", token, cancel) is 1L;

    /// <summary>Gives it back: nothing was made by it.</summary>
    public Task GiveBackAsync(string? token, CancellationToken cancel) =>
        RunAsync("UPDATE directory.setup_link SET used_at = NULL WHERE token_hash = $1 AND expires_at > $2", token, cancel);

    private async Task<object?> RunAsync(string sql, string? token, CancellationToken cancel)
    {
        if (SecretToken.HashOf(token) is not { } hash || !await IsProvenAsync(hash, cancel)) return null;
        await using var command = databases.App.CreateCommand(sql);
        command.Parameters.Add(new() { Value = hash });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        return await command.ExecuteScalarAsync(cancel);
    }

    private async Task<bool> IsProvenAsync(byte[] hash, CancellationToken cancel)
    {
        await using var command = databases.App.CreateCommand("SELECT proof, expires_at FROM directory.setup_link WHERE token_hash = $1");
        command.Parameters.Add(new() { Value = hash });
        await using var row = await command.ExecuteReaderAsync(cancel);
        if (!await row.ReadAsync(cancel)) return false;
        try
        {
            return protector.Unprotect(row.GetString(0)) == Said(hash, row.GetFieldValue<DateTimeOffset>(1));
        }
        catch (CryptographicException)
        {
            return false;   // somebody else's
        }
    }

    private static string Said(byte[] hash, DateTimeOffset ends) => $"{Convert.ToHexStringLower(hash)}|{ends.ToUnixTimeMilliseconds()}";
}

/// <summary>The page that makes the first clinic and its owner, behind the operator's one-time link. It answers on loopback names, where there is no clinic.</summary>
public static class SetUpPages
{
    private const string Because = "there is no clinic yet whose log could hold it; making the clinic is its first event";
    private static readonly Error Ended = SignInErrors.LinkEnded with { Next = "Set-up links work once and for 24 hours. While there is no clinic yet, restart the server: it prints a new one." };

    /// <summary>Maps it. The caller says that these routes need no clinic.</summary>
    public static RouteGroupBuilder MapSetUp(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("");
        group.MapGet("/set-up/{token}", async (HttpContext http, string token, SetUpLinks links) =>
            await links.WorksAsync(token, http.RequestAborted) ? await http.Page<SetUpPage>(new { LinkToken = token }) : await http.PageError(Ended)).RunsNothing(Because);
        group.MapPost("/set-up", SetUp).RunsNothing(Because);
        return group;
    }

    private static async Task<IResult> SetUp(HttpContext http, SetUpLinks links, ClinicCreation creation)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        string Field(string name) => form.GetValueOrDefault(name) ?? "";
        var token = Field("token");
        if (!await links.TakeAsync(token, http.RequestAborted)) return await http.PageError(Ended);
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
