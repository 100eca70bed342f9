using System.Text.Json;
using Chaperone.Clinic.Tests.SignIn;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Tests.Settings;

public sealed class SecurityTests : IAsyncLifetime
{
    private SignInHouse house = null!;
    private Person administrator = null!;
    private Browser admin = null!;

    public async ValueTask InitializeAsync()
    {
        house = await SignInHouse.CreateAsync();
        administrator = await house.AddAsync(BuiltInRole.Admin);
        admin = await house.Browser(ip: "198.51.100.7").SignedIn(administrator, rememberDevice: true);
    }

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Overview_names_who_is_missing_something_or_locked_out_and_nobody_else()
    {
        var (doctor, nurse) = (await house.AddAsync(BuiltInRole.Doctor), await house.AddAsync(BuiltInRole.Nurse, enrolled: false));
        var invited = (await admin.Post("/api/team", new { name = "Ina Invited", email = "ina@one.test", roles = new[] { "reception" } })).Json.GetProperty("id").GetGuid();
        var left = await house.AddAsync(BuiltInRole.Clinical, enrolled: false);
        Assert.Equal(204, (await admin.Post($"/api/team/{left.Id}/deactivate")).Status);
        for (var i = 0; i < 5; i++) await house.Browser().SignIn(doctor.Email, "wrong");

        var overview = (await admin.Get("/api/settings/security")).Json;

        Assert.Equal((4, 2, 1, 1), (Number("accounts"), Number("withTwoFactor"), Number("sessions"), Number("devices")));
        Assert.Equal(new[] { nurse.Id, invited }.Order(), Ids("missingTwoFactor").Order());
        Assert.Equal([doctor.Id], Ids("locked"));
        Assert.Equal([invited], Ids("withoutPassword"));
        Assert.Equal((12, 5, 30), (overview.GetProperty("password").GetProperty("shortestLength").GetInt32(), overview.GetProperty("password").GetProperty("failuresBeforeLock").GetInt32(), overview.GetProperty("password").GetProperty("lockMinutes").GetInt32()));
        var seen = (await house.Platform.EventsAsync(house.Clinic)).Last(happened => happened.Action == "settings.viewed");
        Assert.Equal(new[] { doctor.Id, nurse.Id, invited }.Order(), seen.Subjects.Order());

        int Number(string name) => overview.GetProperty(name).GetInt32();
        Guid[] Ids(string name) => [.. overview.GetProperty(name).EnumerateArray().Select(item => item.GetProperty("id").GetGuid())];
    }

    [Fact]
    public async Task Everybodys_sessions_are_paged_marked_logged_and_ended()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var theirs = await house.Browser(Browser.Chrome, "203.0.113.9").SignedIn(doctor);
        var gone = await house.Browser().SignedIn(doctor);
        Assert.Equal(204, (await gone.Post("/api/auth/sign-out")).Status);

        var first = (await admin.Get("/api/sessions?limit=1")).Json;
        var session = Assert.Single(first.GetProperty("items").EnumerateArray());
        Assert.Equal(("Pat Doctor", "203.0.113.9", false, false), (Text(session, "memberName"), Text(session, "ip"), Flag(session, "isThis"), Flag(session, "isOwn")));
        Assert.Contains("Chrome/140", Text(session, "userAgent"), StringComparison.Ordinal);
        var rest = (await admin.Get($"/api/sessions?limit=1&cursor={first.GetProperty("next").GetString()}")).Json;
        var own = Assert.Single(rest.GetProperty("items").EnumerateArray());
        Assert.Equal(("Pat Administrator", true, true, JsonValueKind.Null), (Text(own, "memberName"), Flag(own, "isThis"), Flag(own, "isOwn"), rest.GetProperty("next").ValueKind));
        foreach (var bad in new[] { "limit=0", "limit=201", "limit=x", "cursor=x" }) Assert.Equal(400, (await admin.Get("/api/sessions?" + bad)).Status);
        var looked = (await house.Platform.EventsAsync(house.Clinic)).Where(happened => happened is { Action: "auth.sessions_viewed", Outcome: Ledger.EventOutcome.Success }).ToList();
        Assert.Equal([[doctor.Id], [administrator.Id]], looked.Select(happened => happened.Subjects.ToArray()));

        Assert.Equal(204, (await admin.Send("DELETE", $"/api/sessions/{session.GetProperty("id").GetGuid()}", null)).Status);
        Assert.Equal(401, (await theirs.Get("/api/me")).Status);
        Assert.Equal(404, (await admin.Send("DELETE", $"/api/sessions/{session.GetProperty("id").GetGuid()}", null)).Status);
        Assert.Single((await admin.Get("/api/sessions")).Json.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task Everybodys_devices_are_listed_and_forgotten()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var theirs = await house.Browser().SignedIn(doctor, rememberDevice: true);
        var items = (await admin.Get("/api/devices")).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([("Pat Doctor", false), ("Pat Administrator", true)], items.Select(item => (Text(item, "memberName"), Flag(item, "isOwn"))));

        Assert.Equal(204, (await admin.Send("DELETE", $"/api/devices/{items[0].GetProperty("id").GetGuid()}", null)).Status);

        Assert.Equal("code_required", (await theirs.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
        Assert.Single((await admin.Get("/api/devices")).Json.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task Nobody_without_the_permission_and_nobody_of_another_clinic_sees_or_ends_any()
    {
        var second = await house.Platform.AddClinicAsync("second.test");
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var theirs = await house.Browser().SignedIn(doctor, rememberDevice: true);
        var session = (await admin.Get("/api/sessions")).Json.GetProperty("items")[0].GetProperty("id").GetGuid();
        var device = (await admin.Get("/api/devices")).Json.GetProperty("items")[0].GetProperty("id").GetGuid();
        var stranger = await house.AddAsync(BuiltInRole.Owner, clinic: second, email: "stranger@second.test");
        var other = await house.Browser(clinic: second).SignedIn(stranger);
        var manager = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Manager));

        foreach (var path in new[] { $"/api/sessions/{session}", $"/api/devices/{device}", $"/api/team/{stranger.Id}/sessions/{session}", $"/api/team/{stranger.Id}/devices/{device}" })
            Assert.Equal(404, (await other.Send("DELETE", path, null)).Status);
        foreach (var path in new[] { $"/api/sessions/{session}", $"/api/devices/{device}" }) Assert.Equal(403, (await manager.Send("DELETE", path, null)).Status);
        foreach (var path in new[] { "/api/settings/security", "/api/sessions", "/api/devices" }) Assert.Equal(403, (await manager.Get(path)).Status);
        Assert.Equal(["Pat Owner"], (await other.Get("/api/sessions")).Json.GetProperty("items").EnumerateArray().Select(item => Text(item, "memberName")));
        // Through somebody's own page only what is theirs.
        Assert.Equal(404, (await admin.Send("DELETE", $"/api/team/{administrator.Id}/sessions/{session}", null)).Status);
        Assert.Equal(200, (await theirs.Get("/api/me")).Status);
        Assert.Equal(204, (await admin.Send("DELETE", $"/api/team/{doctor.Id}/sessions/{session}", null)).Status);
        Assert.Equal(401, (await theirs.Get("/api/me")).Status);
    }

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();

    private static bool Flag(JsonElement item, string name) => item.GetProperty(name).GetBoolean();
}
