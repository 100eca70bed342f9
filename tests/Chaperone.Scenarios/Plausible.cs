using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Scenarios;

/// <summary>Records of one clinic that requests can speak about.</summary>
internal sealed record KnownIds(Guid Patient, Guid Member, Guid Session, Guid Event, Guid Other, Guid Appointment = default, Guid Practitioner = default, Guid Room = default, Guid Waiting = default, Guid Case = default)
{
    /// <summary>A patient, a member and an appointment made for this, so that nothing is lost when they are archived, suspended or cancelled.</summary>
    public static async Task<KnownIds> ForAsync(TestServer server, TestClinic clinic)
    {
        var patient = (await server.Run(new Clinic.Patients.RegisterPatient(new() { FamilyName = $"Sacrifice{Guid.NewGuid():N}"[..20], DateOfBirth = new(1970, 5, 6), Gender = "unknown" }, true), BuiltInRole.Doctor, clinic)).Value.Id;
        var member = (await server.Operate(new CreateMember("Sam Sacrifice", $"{Guid.NewGuid():N}@{clinic.Host}", [BuiltInRole.Employee]), clinic)).Value;
        await server.SharedSession(BuiltInRole.Hr, clinic);
        var session = (Guid)(await server.Database.ExecuteAsync($"SELECT id FROM clinic.session WHERE tenant_id = '{clinic.Tenant.Id}' AND member_id = '{clinic.Account(BuiltInRole.Hr).Member}' LIMIT 1"))!;
        var happened = (Guid)(await server.Database.ExecuteAsync($"SELECT id FROM ledger.event WHERE tenant_id = '{clinic.Tenant.Id}' ORDER BY id LIMIT 1"))!;
        var doctor = (await server.Operate(new CreateMember("Sally Sacrifice", $"{Guid.NewGuid():N}@{clinic.Host}", [BuiltInRole.Doctor]), clinic)).Value;
        var appointment = (await server.Run(new Clinic.Schedule.BookAppointment(patient, new(doctor, "consultation", Soon(server.Clock), ConfirmOutsideHours: true)), BuiltInRole.Reception, clinic)).Value.Id;
        var room = (await server.Run(new Clinic.Schedule.Rota.AddRoom($"Room {Guid.NewGuid():N}"[..20]), BuiltInRole.Owner, clinic)).Value.Id;
        var waiting = (await server.Run(new Clinic.Schedule.Waiting.AddWaiting(patient, new(null, "consultation", null, null, null, null, 3, null)), BuiltInRole.Reception, clinic)).Value.Id;
        var opened = (await server.Run(new Clinic.Investigations.OpenCase("Plausible", "Made for this", [], null, new([happened])), BuiltInRole.Owner, clinic)).Value.Id;
        return new(patient, member, session, happened, Ids.New(server.Clock.GetUtcNow()), appointment, doctor, room, waiting, opened);
    }

    /// <summary>A day from now, as the API takes it.</summary>
    public static string Soon(TimeProvider clock) => clock.GetUtcNow().AddDays(1).ToString("yyyy-MM-dd'T'HH:mm'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Requests to a route as its own pages would send them, made from the route's pattern.</summary>
internal static partial class Plausible
{
    /// <summary>What each JSON route takes. A route that is not here takes nothing or is a test failure in <see cref="BadInputTests"/>.</summary>
    private static readonly (string Method, string Path, Func<object> Body)[] Bodies =
    [
        ("POST", "/api/auth/sign-in", () => new { email = "nobody@first.test", password = "not the password", code = "000000", backupCode = "x", rememberDevice = false }),
        ("POST", "/api/auth/step-up", () => new { code = "000000", backupCode = "aaaa-bbbb-cccc-dddd" }),
        ("POST", "/api/auth/enrol/confirm", () => new { code = "000000" }),
        ("POST", "/api/auth/password", () => new { current = "not the password", @new = "seven tame herons swim" }),
        ("POST", "/api/auth/reset", () => new { token = "none", password = "seven tame herons swim" }),
        ("POST", "/api/auth/forgotten", () => new { email = "nobody@first.test" }),
        ("POST", "/api/patients", Patient),
        ("PUT", "/api/patients/{id:guid}", Patient),
        ("POST", "/api/patients/find", () => new { text = "Prime" }),
        ("POST", "/api/appointments", Appointment),
        ("PUT", "/api/appointments/{id:guid}", Appointment),
        ("POST", "/api/appointments/{id:guid}/cancel", () => new { reason = "other", note = "Plausible" }),
        ("PUT", "/api/practitioners/{id:guid}/hours", () => new { patterns = new[] { new { days = new { monday = new[] { new { from = "09:00", to = "12:00" } } } } } }),
        ("POST", "/api/practitioners/{id:guid}/leave", () => new { from = "2027-01-04", to = "2027-01-05", kind = "annual", note = "Plausible" }),
        ("POST", "/api/waiting-list", () => new { patientId = Guid.NewGuid(), type = "consultation", priority = 2, note = "Plausible" }),
        ("PUT", "/api/waiting-list/{id:guid}", () => new { type = "consultation", priority = 2, note = "Plausible" }),
        ("POST", "/api/rooms", () => new { name = $"Room {Guid.NewGuid():N}"[..20] }),
        ("PUT", "/api/rooms/{id:guid}", () => new { name = $"Room {Guid.NewGuid():N}"[..20], active = true }),
        ("POST", "/api/appointments/types", () => new { name = $"Type {Guid.NewGuid():N}"[..20], minutes = 20, colour = "lime" }),
        ("PUT", "/api/appointments/types/{code}", () => new { name = "Video call", minutes = 15, colour = "cyan", active = true }),
        ("POST", "/api/team", () => new { name = "Ina Invited", email = $"{Guid.NewGuid():N}@first.test", title = "Temp", roles = new[] { "employee" } }),
        ("PUT", "/api/team/{id:guid}/roles", () => new { roles = new[] { "employee", "reception" } }),
        ("PUT", "/api/team/{id:guid}", () => Profile($"{Guid.NewGuid():N}@first.test")),
        ("PUT", "/api/me", () => Profile("owner@first.test")),   // who signs in with it signs in again
        ("POST", "/api/team/find", () => new { text = "Sacrifice" }),
        ("POST", "/api/audit/filters", () => new { name = "Plausible", filter = new Dictionary<string, string> { ["action"] = "patient.viewed" } }),
        ("PUT", "/api/audit/filters/{id:guid}", () => new { name = "Plausible" }),
        ("POST", "/api/audit/addresses", () => new { ip = "192.0.2.44" }),
        ("PUT", "/api/settings/clinic", () => new { name = "Clinic plausible", host = "plausible.test", zone = "Europe/London", workingWeek = new[] { new { day = "monday", from = "08:00", to = "18:00" } }, securityContacts = Array.Empty<Guid>() }),
        ("POST", "/api/retention/holds", () => new { why = "Plausible" }),
        ("PUT", "/api/retention/terms/{category}", () => new { years = 5, why = "Plausible" }),
        ("POST", "/api/investigations", () => new { title = "Plausible", reason = "Made for this", filter = new Dictionary<string, string> { ["action"] = "clinic.created" } }),
        ("POST", "/api/investigations/{id:guid}/events", () => new { filter = new Dictionary<string, string> { ["action"] = "clinic.created" }, why = "Plausible" }),
        ("POST", "/api/investigations/{id:guid}/people", () => new { person = Guid.NewGuid(), why = "Plausible" }),
        ("POST", "/api/investigations/{id:guid}/records", () => new { record = Guid.NewGuid(), why = "Plausible" }),
        ("POST", "/api/investigations/{id:guid}/notes", () => new { text = "Plausible" }),
        ("PUT", "/api/investigations/{id:guid}/assignee", () => new { member = Guid.NewGuid() }),
        ("PUT", "/api/investigations/{id:guid}/breach", () => new { awareAt = "2026-01-05T10:00:00Z" }),
        ("POST", "/api/investigations/{id:guid}/conclusion", () => new { outcome = "no_breach", text = "Plausible" }),
        ("POST", "/api/investigations/{id:guid}/reopen", () => new { why = "Plausible" }),
        ("POST", "/api/audit/auditors", () => new { name = "Plausible", days = 7 }),
        ("PUT", "/api/audit/publication", () => new { everybody = false }),
        ("PUT", "/api/settings/security", () => new { requireTwoFactor = true }),
        ("PUT", "/api/settings/witnesses/quorum", () => new { needed = 0 }),
        ("POST", "/api/settings/witnesses", () => new { name = "Plausible", url = "https://witness.first.test", key = $"{new Ledger.VerifierKey("w.example", Ledger.Ed25519.PublicKey(new byte[32]), Ledger.SignatureType.CosignatureV1)}" }),
        ("POST", "/api/audit/streams", () => new { name = "Plausible", kind = "webhook", shape = "native", url = "https://receiver.first.test/hook", start = "now" }),
        ("PUT", "/api/audit/streams/{id:guid}", () => new { name = "Plausible", shape = "ocsf", url = "https://receiver.first.test/hook" }),
        ("PUT", "/api/settings/mail", () => new { enabled = false, host = "localhost", port = 2525, tls = "none", fromAddress = "desk@first.test" }),
    ];

    public static object? Body(string method, string path) => Bodies.FirstOrDefault(body => body.Method == method && body.Path == path).Body?.Invoke();

    public static bool IsUpload(RouteEndpoint endpoint) => Routes.Path(endpoint) is "/api/patients/import" or "/api/imports" or "/patients/import" or "/settings/clinic/logo" && Routes.Methods(endpoint).Contains("POST");

    /// <summary>The route with these ids in its parameters.</summary>
    public static string PathOf(RouteEndpoint endpoint, KnownIds ids) => Parameter().Replace(Routes.Path(endpoint), found =>
    {
        var (name, path) = (found.Groups[1].Value, Routes.Path(endpoint));
        return name switch
        {
            "documentName" => "v1",
            "token" => "none",
            "log" => ids.Other.ToString(),
            "path" => "0/000.p/1",
            "session" => ids.Session.ToString(),
            "device" or "leave" => ids.Other.ToString(),
            "code" => "video",
            "step" => "confirm",
            "category" => "authentication",
            "item" => ids.Other.ToString(),
            "member" => ids.Member.ToString(),
            _ when path.Contains("/investigations", StringComparison.Ordinal) => ids.Case.ToString(),
            _ when path.Contains("/waiting-list", StringComparison.Ordinal) => ids.Waiting.ToString(),
            _ when path.Contains("/rooms", StringComparison.Ordinal) => ids.Room.ToString(),
            _ when path.Contains("/practitioners", StringComparison.Ordinal) || path.Contains("/schedule/hours", StringComparison.Ordinal) => ids.Practitioner.ToString(),
            _ when path.Contains("/import", StringComparison.Ordinal) || path.Contains("/devices", StringComparison.Ordinal) => ids.Other.ToString(),
            _ when path.Contains("/mail/", StringComparison.Ordinal) => ids.Other.ToString(),
            _ when path.Contains("/appointments", StringComparison.Ordinal) => ids.Appointment.ToString(),
            _ when path.Contains("/patients", StringComparison.Ordinal) => ids.Patient.ToString(),
            _ when path.Contains("/audit", StringComparison.Ordinal) => ids.Event.ToString(),
            _ when path.StartsWith("/api/auth/sessions", StringComparison.Ordinal) || path.StartsWith("/account/", StringComparison.Ordinal) => ids.Session.ToString(),
            _ => ids.Member.ToString(),
        };
    });

    public static async Task<Answer> SendAsync(ClinicClient client, RouteEndpoint endpoint, string method, KnownIds ids, string? token)
    {
        var path = PathOf(endpoint, ids) + (method == "DELETE" ? "?reason=moved_away" : "");
        HttpContent? content = null;
        if (method is not ("GET" or "HEAD"))
        {
            if (IsUpload(endpoint)) content = Upload("Id,FIRST,LAST,BIRTHDATE,GENDER\n1,Ann,Other,1990-01-02,F\n", Routes.IsApi(endpoint) ? null : token);
            else if (!Routes.IsApi(endpoint)) content = Form(endpoint, token);
            else if (Body(method, Routes.Path(endpoint)) is { } body) content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        }
        return await client.SendAsync(new(method), path, content, request => request.Headers.TryAddWithoutValidation("If-Match", "\"1\""));
    }

    /// <summary>A file as a browser sends it; the token, when there is one, is the first part.</summary>
    public static MultipartFormDataContent Upload(string csv, string? token)
    {
        var form = new MultipartFormDataContent();
        if (token is not null) form.Add(new StringContent(token), "__token");
        var file = new ByteArrayContent(Encoding.UTF8.GetBytes(csv));
        file.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        form.Add(file, "file", "patients.csv");
        return form;
    }

    private static FormUrlEncodedContent Form(RouteEndpoint endpoint, string? token)
    {
        var fields = new Dictionary<string, string> { ["familyName"] = $"Form{Guid.NewGuid():N}"[..16], ["dateOfBirth"] = "1990-01-02", ["gender"] = "unknown", ["version"] = "1", ["reason"] = "moved_away", ["text"] = "Prime", ["find"] = "Prime", ["format"] = "csv" };
        if (token is not null) fields["__token"] = token;
        return new(fields);
    }

    private static object Patient() => new { familyName = $"Plausible{Guid.NewGuid():N}"[..20], givenNames = "Pat", dateOfBirth = "1990-01-02", gender = "unknown" };

    private static object Profile(string email) => new { name = "Pat Plausible", email, title = "Dr", registrationBody = "gmc", registrationNumber = "7654321", colour = "teal" };

    private static object Appointment() =>
        new { patientId = Guid.NewGuid(), practitionerId = Guid.NewGuid(), type = "consultation", startsAt = KnownIds.Soon(TimeProvider.System), minutes = 15, reason = "Plausible", note = "Plausible" };

    [GeneratedRegex(@"\{\**(\w+)(?::[^}]*)?\}")]
    private static partial Regex Parameter();
}
