using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.Server.Commands;

namespace Chaperone.Server.Demo;

/// <summary>One demo account as written to <c>demo-accounts.json</c>.</summary>
internal sealed record DemoAccount(string Clinic, string Role, string Email, string Password, string AuthenticatorKey)
{
    public override string ToString() => $"{Clinic} {Role}";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<DemoAccount>))]
internal sealed partial class DemoJson : JsonSerializerContext;

/// <summary>
/// Two clinics of synthetic people. The accounts file is written before the accounts are made, so that a fill that broke off goes on at the next start with the
/// same passwords; a demo that is complete is left alone.
/// </summary>
internal static class DemoData
{
    private const int PatientsEachStep = 100, AppointmentsEachStep = 250;

    private static readonly CallSource Source = new("cli", "up --demo");

    private sealed record DemoClinic(string Host, string Name, int Patients, int Seed, IReadOnlyList<Role> Roles);

    private static readonly DemoClinic[] Clinics =
    [
        new("demo.localhost", "Riverside Practice", 400, 20261121, [.. BuiltInRole.All, BuiltInRole.Doctor, BuiltInRole.Doctor, BuiltInRole.Nurse]),
        new("second.localhost", "Hillside Clinic", 25, 7, [BuiltInRole.Owner, BuiltInRole.Doctor, BuiltInRole.Reception]),
    ];

    /// <summary>Fills what is missing and returns what to print: the accounts, once.</summary>
    /// <exception cref="CommandRefusedException">The data folder belongs to real clinics.</exception>
    public static async Task<IReadOnlyList<string>> FillAsync(IServiceProvider services, string dataFolder, CancellationToken cancel)
    {
        var file = Path.Combine(dataFolder, "demo-accounts.json");
        var directory = services.GetRequiredService<TenantDirectory>();
        var foreign = (await directory.AllAsync(cancel)).FirstOrDefault(tenant => Clinics.All(clinic => clinic.Host != tenant.Host));
        if (foreign is not null && !File.Exists(file))
            throw new CommandRefusedException($"{dataFolder} already has a clinic of its own ({foreign.Host}): the demo wants a data folder to itself. Give another one with --data.");

        var planned = File.Exists(file);
        var accounts = planned ? Read(file) : Plan(file);
        var made = false;
        foreach (var clinic in Clinics) made |= await FillAsync(services, clinic, [.. accounts.Where(account => account.Clinic == clinic.Host)], cancel);
        return made
            ?
            [
                "Demo accounts (also in demo-accounts.json in the data folder; the code comes from the authenticator key):",
                .. accounts.Select(account => $"  {account.Clinic,-16} {account.Role,-10} {account.Email,-32} {account.Password}  {account.AuthenticatorKey}"),
            ]
            : [];
    }

    private static async Task<bool> FillAsync(IServiceProvider services, DemoClinic clinic, IReadOnlyList<DemoAccount> accounts, CancellationToken cancel)
    {
        var directory = services.GetRequiredService<TenantDirectory>();
        var monitor = services.GetRequiredService<ReferenceMonitor>();
        var passwords = services.GetRequiredService<Passwords>();
        var clock = services.GetRequiredService<TimeProvider>();
        var names = DemoPeople.Make(accounts.Count, clinic.Seed + 1, DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime)).Select(person => $"{person.GivenNames} {person.FamilyName}").ToArray();

        if (await directory.FindAsync(clinic.Host, cancel) is null || Value(await monitor.Run(new CountDemo(), await Caller(), cancel)).Members == 0)
        {
            var owner = accounts[0];
            Value(await services.GetRequiredService<ClinicCreation>().CreateAsync(
                new(clinic.Name, clinic.Host, names[0], owner.Email, owner.Password, AuthenticatorSecret: Base32.Decode(owner.AuthenticatorKey)), Source, cancel));
        }
        var caller = await Caller();
        var counts = Value(await monitor.Run(new CountDemo(), caller, cancel));
        if (counts.Patients.Count >= clinic.Patients && counts.Members >= accounts.Count && counts.Appointments > 0) return false;

        var people = DemoPeople.Make(clinic.Patients, clinic.Seed, DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime));
        var patients = counts.Patients.ToList();
        foreach (var step in people.Skip(patients.Count).Chunk(PatientsEachStep)) patients.AddRange(Value(await monitor.Run(new AddDemoPatients(step), caller, cancel)));
        for (var i = counts.Members; i < accounts.Count; i++)
        {
            var account = accounts[i];
            _ = BuiltInRole.TryFind(account.Role, out var role);
            var ofPatient = role == BuiltInRole.Patient;
            Value(await monitor.Run(
                new CreateMember(
                    ofPatient ? $"{people[0].GivenNames} {people[0].FamilyName}" : (role is { Code: "doctor" } ? "Dr " : "") + names[i], account.Email, [role!], TitleOf(role!.Code, i), ofPatient ? patients[0] : null,
                    PasswordHash: Value(await passwords.HashAsync(account.Password, cancel)), AuthenticatorSecret: Base32.Decode(account.AuthenticatorKey)),
                caller, cancel));
        }
        if (counts.Appointments == 0)
        {
            var now = TimeZoneInfo.ConvertTime(clock.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById(caller.Tenant.Zone)).DateTime;
            var practitioners = Value(await monitor.Run(new CountDemo(), caller, cancel)).Practitioners;
            // The last practitioner is away in the middle of next week.
            var (away, from) = (practitioners[^1].Id, now.Date.AddDays(9 - (((int)now.DayOfWeek + 6) % 7)));
            var planned = DemoSchedule.Make(patients, practitioners, clinic.Seed + 2, now).Where(made => made.Practitioner != away || made.Clock < from || made.Clock >= from.AddDays(2));
            Value(await monitor.Run(new AddDemoRota(away, DateOnly.FromDateTime(from), DateOnly.FromDateTime(from.AddDays(2)), [.. patients.TakeLast(4)]), caller, cancel));
            foreach (var step in planned.Chunk(AppointmentsEachStep)) Value(await monitor.Run(new AddDemoAppointments(step), caller, cancel));
        }
        return true;

        async Task<Caller> Caller() => new((await directory.FindAsync(clinic.Host, cancel))!, Actor.Operator, Source);
    }

    private static string? TitleOf(string role, int i) => role switch { "doctor" => i % 2 == 0 ? "General practitioner" : "GP partner", "nurse" => "Practice nurse", "clinical" => "Physiotherapist", _ => null };

    private static IReadOnlyList<DemoAccount> Plan(string file)
    {
        // The second of a role is doctor2, and so on.
        var accounts = Clinics.SelectMany(clinic => clinic.Roles.Select((role, i) =>
            new DemoAccount(clinic.Host, role.Code, $"{role.Code}{Number(clinic, role, i)}@{clinic.Host.Split('.')[0]}.example", Password(), Totp.Text(Totp.NewSecret())))).ToList();
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using var stream = new FileStream(file, options);
        JsonSerializer.Serialize(stream, accounts, DemoJson.Default.IReadOnlyListDemoAccount);
        stream.Flush(flushToDisk: true);
        return accounts;
    }

    private static string Number(DemoClinic clinic, Role role, int i) =>
        clinic.Roles.Take(i).Count(before => before == role) is > 0 and var before ? (before + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) : "";

    private static IReadOnlyList<DemoAccount> Read(string file)
    {
        using var stream = File.OpenRead(file);
        try
        {
            return JsonSerializer.Deserialize(stream, DemoJson.Default.IReadOnlyListDemoAccount) ?? [];
        }
        catch (JsonException broken)
        {
            throw new CommandRefusedException($"{file} does not read as the demo's accounts. Remove the data folder to start the demo afresh.", broken);
        }
    }

    // 100 random bits in groups of five letters and digits.
    private static string Password() => string.Join('-', Base32.Encode(RandomNumberGenerator.GetBytes(13))[..20].ToLowerInvariant().Chunk(5).Select(group => new string(group)));

    private static T Value<T>(Result<T> result) =>
        result.Error is { } error ? throw new CommandRefusedException($"The demo could not be filled: {error.Title} ({error.Code}) {string.Join(' ', error.Fields.Values)}") : result.Value;
}
