using System.Text.Json.Nodes;
using Chaperone.Clinic.Settings;
using Chaperone.Clinic.Tests.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Chaperone.Clinic.Tests.Settings;

public sealed class ClinicSettingsTests : IAsyncLifetime
{
    private const string Path = "/api/settings/clinic";

    private SignInHouse house = null!;
    private Person olive = null!;
    private Browser owner = null!;

    public async ValueTask InitializeAsync()
    {
        house = await SignInHouse.CreateAsync();
        olive = await house.AddAsync(BuiltInRole.Owner);
        owner = await house.Browser().SignedIn(olive);
    }

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task What_GET_answers_can_be_changed_and_sent_back_and_the_log_tells_what_became_of_it()
    {
        var (tag, body) = await ReadAsync();
        Assert.Equal(("\"0\"", "Clinic one.test", "Europe/London"), (tag, (string?)body["name"], (string?)body["zone"]));
        Assert.Equal(("monday", "08:00", "18:00"), ((string?)body["workingWeek"]![0]!["day"], (string?)body["workingWeek"]![0]!["from"], (string?)body["workingWeek"]![0]!["to"]));
        (body["name"], body["zone"]) = ("Harbour Clinic", "Europe/Dublin");
        body["workingWeek"] = Week("saturday 09:00-12:30", "tuesday 08:00-20:00");

        Assert.Equal((428, "CHP-PLATFORM-0001"), Refused(await owner.Send("PUT", Path, body)));
        Assert.Equal((412, "CHP-PLATFORM-0002"), Refused(await owner.Send("PUT", Path, body, "\"7\"")));
        var changed = await owner.Send("PUT", Path, body, tag);

        Assert.Equal(200, changed.Status);
        Assert.Equal("tuesday", changed.Json.GetProperty("workingWeek")[0].GetProperty("day").GetString());
        await AnewAsync();
        Assert.Equal(("Harbour Clinic", "Europe/Dublin"), (house.Clinic.Name, house.Clinic.Zone));
        Assert.Equal(412, (await owner.Send("PUT", Path, body, tag)).Status);
        var happened = Assert.Single(await house.Platform.EventsAsync(house.Clinic), happened => happened is { Action: "settings.modified", Outcome: EventOutcome.Success });
        Assert.Equal(
            [("name", "Clinic one.test", "Harbour Clinic"), ("working_week", WorkingWeek.Usual.ToString(), "tuesday 08:00-20:00, saturday 09:00-12:30"), ("zone", "Europe/London", "Europe/Dublin")],
            happened.Changes.OrderBy(change => change.Field, StringComparer.Ordinal).Select(change => (change.Field, change.Before, change.After)));
        var (later, stands) = await ReadAsync();
        Assert.Equal(changed.Headers.ETag.ToString(), later);
        stands["name"] = "Clinic one.test";
        Assert.Equal(200, (await owner.Send("PUT", Path, stands, later)).Status);
        Assert.NotEqual(later, (await ReadAsync()).Tag);
    }

    [Theory]
    [InlineData("name", "\"\"")]
    [InlineData("name", "\"a\\u0000b\"")]
    [InlineData("zone", "\"Europe/Atlantis\"")]
    [InlineData("zone", "\"GMT Standard Time\"")]
    [InlineData("host", "\"localhost\"")]
    [InlineData("host", "\"127.0.0.1\"")]
    [InlineData("host", "\"clinic.test:81\"")]
    [InlineData("host", "\"clinic.test/path\"")]
    [InlineData("host", "\"a..test\"")]
    [InlineData("host", "\"-a.test\"")]
    [InlineData("hostConfirmed", null)]
    [InlineData("workingWeek", "[]")]
    [InlineData("workingWeek", "[{\"day\":\"someday\",\"from\":\"08:00\",\"to\":\"18:00\"}]")]
    [InlineData("workingWeek", "[{\"day\":\"monday\",\"from\":\"08:00\",\"to\":\"12:00\"},{\"day\":\"monday\",\"from\":\"13:00\",\"to\":\"18:00\"}]")]
    [InlineData("monday", "[{\"day\":\"monday\",\"from\":\"18:00\",\"to\":\"08:00\"}]")]
    [InlineData("monday", "[{\"day\":\"monday\",\"from\":\"8\",\"to\":\"25:00\"}]")]
    [InlineData("privacyLead", "\"01980000-0000-7000-8000-000000000001\"")]
    [InlineData("securityContacts", "[\"01980000-0000-7000-8000-000000000001\"]")]
    public async Task What_cannot_be_is_named_and_changes_nothing(string field, string? value)
    {
        var (tag, body) = await ReadAsync();
        if (field == "hostConfirmed") body["host"] = "elsewhere.test";
        else body[field == "monday" ? "workingWeek" : field] = JsonNode.Parse(value!);

        var answer = await owner.Send("PUT", Path, body, tag);

        Assert.Equal((422, "CHP-SETTINGS-0001"), Refused(answer));
        Assert.Equal(field, Assert.Single(answer.Json.GetProperty("fields").EnumerateObject()).Name);
        Assert.Equal(tag, (await ReadAsync()).Tag);
    }

    [Fact]
    public async Task Another_host_asks_for_a_code_holds_at_once_and_is_nobody_elses()
    {
        var second = await house.Platform.AddClinicAsync("second.test");
        var (tag, body) = await ReadAsync();
        body["hostConfirmed"] = true;
        body["host"] = "Second.TEST";
        Assert.Equal((409, "CHP-SETTINGS-0002"), Refused(await owner.Send("PUT", Path, body, tag)));
        body["host"] = "Bücher.test";
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal((403, "CHP-ACCESS-0005"), Refused(await owner.Send("PUT", Path, body, tag)));
        Assert.Equal(204, (await owner.Post("/api/auth/step-up", new { code = olive.NextCode() })).Status);

        Assert.Equal(200, (await owner.Send("PUT", Path, body, tag)).Status);

        var directory = house.Platform.Services.GetRequiredService<TenantDirectory>();
        Assert.Null(await directory.FindAsync("one.test", default));
        Assert.Equal(house.Clinic.Id, (await directory.FindAsync("xn--bcher-kva.test", default))!.Id);
        Assert.Equal(second.Id, (await directory.FindAsync("second.test", default))!.Id);
    }

    [Fact]
    public async Task The_operator_moves_a_clinic_back_and_nobody_else_does()
    {
        await house.Platform.AddClinicAsync("second.test");
        Caller cli = new(house.Clinic, Actor.Operator, new("cli")), web = house.Platform.As(house.Clinic, BuiltInRole.Owner);
        Assert.Equal(SettingsErrors.HostTaken, (await house.Platform.Monitor.Run(new MoveClinic("second.test"), cli, default)).Error);
        Assert.Equal(SettingsErrors.Invalid.Code, (await house.Platform.Monitor.Run(new MoveClinic("not a host"), cli, default)).Error?.Code);
        Assert.Equal(PlatformErrors.Forbidden, (await house.Platform.Monitor.Run(new MoveClinic("mine.test"), web, default)).Error);

        Assert.Equal("back.test", (await house.Platform.Monitor.Run(new MoveClinic("Back.test"), cli, default)).Value);

        Assert.Equal(house.Clinic.Id, (await house.Platform.Services.GetRequiredService<TenantDirectory>().FindAsync("back.test", default))!.Id);
        Assert.Contains((await house.Platform.EventsAsync(house.Clinic)).Last(happened => happened.Action == "settings.modified").Changes, change => change is { Field: "host", Before: "one.test", After: "back.test" });
    }

    [Fact]
    public async Task The_database_lets_a_clinic_change_no_other_clinics_row_of_the_directory()
    {
        var second = await house.Platform.AddClinicAsync("second.test");
        foreach (var inside in new[] { house.Clinic.Id, Guid.Empty })
        {
            foreach (var set in new[] { "host = 'stolen.test'", "name = 'Stolen'", "require_two_factor = false", "logo_id = NULL" })
            {
                await using var transaction = await TenantTransaction.BeginAsync(house.Platform.Databases.App, inside, CancellationToken.None);
                await using var command = transaction.Command($"UPDATE directory.tenant SET {set} WHERE id = $1", second.Id);
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState);
            }
        }
    }

    [Fact]
    public async Task Owners_are_the_contacts_until_somebody_is_named_and_again_when_nobody_named_is_left()
    {
        var (nurse, admin, second) = (await house.AddAsync(BuiltInRole.Nurse, enrolled: false), await house.AddAsync(BuiltInRole.Admin), await house.Platform.AddClinicAsync("second.test"));
        var reader = await house.Browser().SignedIn(nurse);
        Assert.Equal(("Pat Owner", true, "Pat Owner", true), await ContactsAsync(reader));
        var stranger = await house.AddAsync(BuiltInRole.Doctor, clinic: second);
        var employee = await house.AddAsync(BuiltInRole.Employee);
        var invited = (await owner.Post("/api/team", new { name = "Ina Invited", email = "ina@one.test", roles = new[] { "doctor" } })).Json.GetProperty("id").GetGuid();
        foreach (var unable in new[] { stranger.Id, employee.Id, invited }) Assert.Equal(422, (await NameAsync(unable, [])).Status);

        Assert.Equal(200, (await NameAsync(nurse.Id, [admin.Id, nurse.Id])).Status);
        Assert.Equal(("Pat Nurse", false, "Pat Administrator, Pat Nurse", false), await ContactsAsync(reader));
        var named = Assert.Single(await house.Platform.EventsAsync(house.Clinic), happened => happened is { Action: "settings.modified", Outcome: EventOutcome.Success });
        Assert.Equal(["privacyLead", "securityContacts"], named.Changes.Select(change => change.Field).Order(StringComparer.Ordinal));
        Assert.All(named.Changes, change => Assert.Equal((null, null), (change.Before, change.After)));
        Assert.Superset(new HashSet<Guid> { nurse.Id, admin.Id }, named.Subjects.ToHashSet());

        Assert.Equal(204, (await owner.Post($"/api/team/{admin.Id}/deactivate")).Status);
        Assert.Equal(("Pat Nurse", false, "Pat Nurse", false), await ContactsAsync(reader));
        var roles = await owner.Send("PUT", $"/api/team/{nurse.Id}/roles", new { roles = new[] { "employee" } }, (await owner.Get($"/api/team/{nurse.Id}")).Headers.ETag.ToString());
        Assert.Equal(200, roles.Status);
        Assert.Equal(("Pat Owner", true, "Pat Owner", true), await ContactsAsync(owner));
        // Named they stay: whoever changes something else is not made to name others.
        var (tag, body) = await ReadAsync();
        Assert.Equal(nurse.Id.ToString(), (string?)body["privacyLead"]);
        Assert.Equal(200, (await owner.Send("PUT", Path, body, tag)).Status);
    }

    [Fact]
    public async Task Other_contacts_ask_for_a_code()
    {
        var admin = await house.AddAsync(BuiltInRole.Admin);
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal((403, "CHP-ACCESS-0005"), Refused(await NameAsync(admin.Id, [])));
        var (tag, body) = await ReadAsync();
        body["name"] = "No code for a name";
        Assert.Equal(200, (await owner.Send("PUT", Path, body, tag)).Status);
    }

    [Fact]
    public async Task Two_first_changes_at_once_are_one_change()
    {
        var (tag, body) = await ReadAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            var mine = body.DeepClone();
            mine["name"] = $"Name {i}";
            return (await owner.Send("PUT", Path, mine, tag)).Status;
        }));

        Assert.Equal(1, answers.Count(status => status == 200));
        Assert.Equal(5, answers.Count(status => status == 412));
    }

    [Fact]
    public async Task Who_is_named_lies_sealed()
    {
        var admin = await house.AddAsync(BuiltInRole.Admin);
        Assert.Equal(200, (await NameAsync(admin.Id, [])).Status);

        var text = (string)(await house.Platform.Database.ExecuteAsync("SELECT string_agg(t::text, ' ') FROM clinic.clinic_settings t"))!;
        Assert.Contains("monday 08:00", text, StringComparison.Ordinal);
        Assert.DoesNotContain(admin.Id.ToString(), text, StringComparison.Ordinal);
    }

    private async Task<Answer> NameAsync(Guid lead, Guid[] security)
    {
        var (tag, body) = await ReadAsync();
        (body["privacyLead"], body["securityContacts"]) = (lead, new JsonArray([.. security.Select(id => JsonValue.Create(id))]));
        return await owner.Send("PUT", Path, body, tag);
    }

    private async Task<(string Tag, JsonNode Body)> ReadAsync()
    {
        await AnewAsync();
        var answer = await owner.Get(Path);
        Assert.Equal(200, answer.Status);
        return (answer.Headers.ETag.ToString(), JsonNode.Parse(answer.Body)!);
    }

    private async Task AnewAsync() => house.Clinic = (await house.Platform.Services.GetRequiredService<TenantDirectory>().GetAsync(house.Clinic.Id, default))!;

    private static async Task<(string Privacy, bool OwnersForPrivacy, string Security, bool OwnersForSecurity)> ContactsAsync(Browser browser)
    {
        var json = (await browser.Get("/api/contacts")).Json;
        return (Names("privacyLead"), StandIn("privacyLead"), Names("security"), StandIn("security"));
        string Names(string group) => string.Join(", ", json.GetProperty(group).GetProperty("people").EnumerateArray().Select(person => person.GetProperty("name").GetString()));
        bool StandIn(string group) => json.GetProperty(group).GetProperty("ownersStandIn").GetBoolean();
    }

    private static JsonArray Week(params string[] days) => new([.. days.Select(day => day.Split(' ', '-')).Select(parts => new JsonObject { ["day"] = parts[0], ["from"] = parts[1], ["to"] = parts[2] })]);

    private static (int, string?) Refused(Answer answer) => (answer.Status, answer.Code);
}
