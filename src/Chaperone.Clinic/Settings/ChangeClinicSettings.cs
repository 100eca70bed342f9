using System.Globalization;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>A day of the working week as typed.</summary>
internal sealed record WantedDay(string? Day, string? From, string? To);

/// <summary>The clinic's settings as somebody wants them, as typed: all of them, what is left out is not kept.</summary>
/// <param name="Name">What people call the clinic.</param>
/// <param name="Host">Its host name.</param>
/// <param name="HostConfirmed">That the new host name leads here already; needed when it changes.</param>
/// <param name="Zone">IANA time zone.</param>
/// <param name="WorkingWeek">Days on which it is open.</param>
/// <param name="PrivacyLead">An account, or null for the owners.</param>
/// <param name="SecurityContacts">Accounts, or none for the owners.</param>
internal sealed record WantedSettings(string? Name, string? Host, bool HostConfirmed, string? Zone, IReadOnlyList<WantedDay?>? WorkingWeek, Guid? PrivacyLead, IReadOnlyList<Guid>? SecurityContacts)
{
    private const int LongestName = 200, MostContacts = 20;

    /// <summary>The time zones there are, by IANA name.</summary>
    public static IReadOnlyList<string> Zones { get; } =
        [.. TimeZoneInfo.GetSystemTimeZones().Where(zone => zone.HasIanaId && (zone.Id == "UTC" || zone.Id.Contains('/', StringComparison.Ordinal))).Select(zone => zone.Id).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>What is wrong with the fields by themselves, else null; the host name as browsers send it, and the week.</summary>
    public (Error? Invalid, string Host, WorkingWeek Week) Read()
    {
        var error = SettingsErrors.Invalid;
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > LongestName || Name.Any(char.IsControl)) error = error.With("name", "Enter the clinic's name, at most 200 characters.");
        var host = HostName.Read(Host);
        if (host is null) error = error.With("host", "Enter a host name without port, such as clinic.example.org.");
        if (Zone is null || !Zones.Contains(Zone)) error = error.With("zone", "Choose a time zone from the list, such as Europe/London.");
        if ((SecurityContacts?.Count ?? 0) > MostContacts) error = error.With("securityContacts", "Choose at most 20 people.");
        var days = new List<WorkingDay>();
        foreach (var day in WorkingWeek ?? [])
        {
            var code = day?.Day;
            if (Settings.WorkingWeek.AllDays.Where(known => Settings.WorkingWeek.CodeOf(known) == code).ToList() is not [var weekday] || days.Exists(known => known.Day == weekday))
            {
                error = error.With("workingWeek", "Name each day at most once: monday, tuesday, wednesday, thursday, friday, saturday, sunday.");
                continue;
            }
            if (!IsTime(day!.From, out var from) || !IsTime(day.To, out var to)) error = error.With(code!, $"Enter when you open and close on {weekday}, such as 08:00 and 18:00.");
            else if (to <= from) error = error.With(code!, $"On {weekday} you must close after you open.");
            else days.Add(new(weekday, from, to));
        }
        if (WorkingWeek is not { Count: > 0 }) error = error.With("workingWeek", "Choose at least one day on which the clinic is open.");
        return (error.Fields.Count > 0 ? error : null, host ?? "", new([.. days.OrderBy(day => ((int)day.Day + 6) % 7)]));
    }

    private static bool IsTime(string? text, out TimeOnly time) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}

/// <summary>
/// Changes the clinic's settings. Another host name holds at once: the old one leads nowhere from then on, and everybody signs in anew at the new one. Another host name or another contact
/// asks for a fresh second factor; the rest does not.
/// </summary>
/// <param name="Wanted">All of them.</param>
/// <param name="IfVersion">The version that the actor saw.</param>
internal sealed record ChangeClinicSettings(WantedSettings Wanted, long? IfVersion) : IOperation<ClinicSettingsView>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class ChangeClinicSettingsHandler(TenantDirectory directory) : IHandler<ChangeClinicSettings, ClinicSettingsView>
{
    public async Task<Result<ClinicSettingsView>> Handle(ChangeClinicSettings request, OperationScope scope, CancellationToken cancel)
    {
        var (invalid, host, week) = request.Wanted.Read();
        if (invalid is not null) return invalid;
        var (wanted, clinic) = (request.Wanted, scope.Tenant);
        var row = await ClinicSettings.ReadAsync(scope, cancel);
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (host != clinic.Host && !wanted.HostConfirmed) return SettingsErrors.Invalid.With("hostConfirmed", "Confirm that the new address leads to this server: nobody can reach the clinic otherwise.");

        var before = row.Payload;
        var named = new NamedContacts(wanted.PrivacyLead, [.. (wanted.SecurityContacts ?? []).Distinct()]);
        var others = named.PrivacyLead != before.PrivacyLead || !named.SecurityContacts.ToHashSet().SetEquals(before.SecurityContacts);
        if (others && await ContactFault(scope, before, named, cancel) is { } unable) return unable;
        if ((others || host != clinic.Host) && !scope.Actor.State.IsSteppedUp(scope.Now)) return PlatformErrors.StepUpRequired;

        if (row.Version == 0)
        {
            // First what held without a row, so that the event tells what became of it.
            scope.OnConflict("clinic_settings_pkey", PlatformErrors.Changed);
            scope.Add(row);
            await scope.Flush(cancel);
        }
        row.WorkingWeek = week.ToString();
        if (others) row.Payload = named;
        scope.Db.Entry(row).Property(settings => settings.Sealed).IsModified = true;   // whatever changes, the version does
        var (id, name, zone) = (clinic.Id, wanted.Name!.Trim(), wanted.Zone!);
        scope.OnConflict("tenant_host_key", SettingsErrors.HostTaken);
        await scope.Db.Database.ExecuteSqlAsync($"UPDATE directory.tenant SET name = {name}, host = {host}, zone = {zone} WHERE id = {id}", cancel);
        foreach (var (field, was, becomes) in new[] { ("name", clinic.Name, name), ("host", clinic.Host, host), ("zone", clinic.Zone, zone) })
            if (was != becomes) scope.NoteChange(field, was, becomes);
        scope.AfterCommit(_ =>
        {
            directory.Forget();
            return Task.CompletedTask;
        });
        await scope.Flush(cancel);
        return new ClinicSettingsView(name, host, zone, week, named, clinic.LogoId, row.Version, []);
    }

    // Who is named already may stay named, able or not: the form must not force anybody to name another to change the time zone.
    private static async Task<Error?> ContactFault(OperationScope scope, NamedContacts before, NamedContacts named, CancellationToken cancel)
    {
        var able = (await ClinicContacts.AbleAsync(scope, cancel)).Select(member => member.Id).ToHashSet();
        var error = SettingsErrors.Invalid;
        if (named.PrivacyLead is { } lead && lead != before.PrivacyLead && !able.Contains(lead)) error = error.With("privacyLead", "Choose somebody with an active account and a role beyond an employee's.");
        if (named.SecurityContacts.Except(before.SecurityContacts).Any(id => !able.Contains(id))) error = error.With("securityContacts", "Choose people with an active account and a role beyond an employee's.");
        // Whose part it was and whose it becomes: the event is about them.
        foreach (var id in named.SecurityContacts.Concat(before.SecurityContacts).Append(named.PrivacyLead ?? Guid.Empty).Append(before.PrivacyLead ?? Guid.Empty).Distinct().Where(able.Contains)) scope.Show(id);
        return error.Fields.Count > 0 ? error : null;
    }
}
