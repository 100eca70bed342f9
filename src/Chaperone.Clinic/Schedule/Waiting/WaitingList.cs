using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Waiting;

/// <summary>Somebody on the waiting list as shown.</summary>
/// <param name="Id">The entry's id.</param>
/// <param name="Version">Version of the record: the ETag.</param>
/// <param name="Status"><c>waiting</c>, <c>booked</c> or <c>removed</c>.</param>
/// <param name="PatientId">Who waits.</param>
/// <param name="PatientName">Their name; null for somebody who may not see patients' names.</param>
/// <param name="PractitionerId">With whom; null for anybody.</param>
/// <param name="Priority">1 is first.</param>
/// <param name="Earliest">The first day that suits.</param>
/// <param name="Latest">The last, or null.</param>
/// <param name="AddedAt">Since when they wait.</param>
/// <param name="AppointmentId">What it was booked into.</param>
/// <param name="Details">What they wait for; without the note for somebody who may not see names.</param>
public sealed record WaitingEntry(
    Guid Id, long Version, string Status, Guid PatientId, string? PatientName, Guid? PractitionerId, int Priority, DateOnly Earliest, DateOnly? Latest, DateTimeOffset AddedAt, Guid? AppointmentId, WaitingDetails Details)
{
    /// <summary>The next free time that suits, in the clinic's zone; null when none does or none was looked for.</summary>
    public DateTimeOffset? FreeAt { get; init; }

    /// <summary>With whom that is.</summary>
    public Guid? FreeWith { get; init; }
}

/// <summary>The waiting list within one operation.</summary>
internal sealed class WaitingList(OperationScope scope, Diary diary)
{
    /// <summary>Entries shown at most.</summary>
    public const int Most = 200;

    /// <summary>Those who wait, in the order in which they are offered times.</summary>
    /// <param name="reach">The weakest relation a list may show: beyond colleagues, only those who wait for the actor.</param>
    public IQueryable<WaitingRow> Waiting(Relation reach)
    {
        var rows = scope.Db.Set<WaitingRow>().AsNoTracking().Where(row => row.Status == WaitingRow.Waiting);
        var me = scope.Actor.Id;
        if (reach > Relation.SameClinic) rows = rows.Where(row => row.PractitionerId == me);
        return rows.OrderBy(row => row.Priority).ThenBy(row => row.AddedAt).ThenBy(row => row.Id);
    }

    /// <summary>Those who could take this time of a practitioner, opened and not yet shown.</summary>
    public async Task<IReadOnlyList<WaitingRow>> Fitting(Guid practitioner, Taken free, Relation reach, CancellationToken cancel)
    {
        if (free.From < scope.Now) free = free with { From = scope.Now };
        if (free.From >= free.To) return [];
        var (first, last) = (ClinicTime.DayOf(free.From, diary.Zone), ClinicTime.DayOf(free.To, diary.Zone));
        var rows = await scope.OpenCandidates(Waiting(reach).Where(row => (row.PractitionerId == null || row.PractitionerId == practitioner) && row.Earliest <= last && (row.Latest == null || row.Latest >= first)).Take(Most), cancel);
        return [.. rows.Where(row => row.FirstFit(practitioner, free, diary.Zone) is not null).OrderBy(row => row.Priority).ThenBy(row => row.AddedAt)];
    }

    /// <summary>Shows opened entries, with names where the actor may see them.</summary>
    public async Task<IReadOnlyList<WaitingEntry>> Show(IReadOnlyList<WaitingRow> rows, CancellationToken cancel)
    {
        var named = scope.Actor.Rights.WeakestRelation(Permission.PatientView, scope.Actor.State.Elevated, scope.Now) <= Relation.SameClinic;
        var ids = named ? rows.Select(row => row.PatientId).Distinct().ToArray() : [];
        var patients = ids.Length == 0 ? [] : await scope.Open(scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => ids.Contains(patient.Id)), cancel);
        var names = patients.ToDictionary(patient => patient.Id, patient => PatientText.Name(patient.Payload.FamilyName, patient.Payload.GivenNames, patient.Payload.Prefix));
        foreach (var row in rows) scope.Show(row);
        return [.. rows.Select(row => new WaitingEntry(
            row.Id, row.Version, row.Status, row.PatientId, names.GetValueOrDefault(row.PatientId), row.PractitionerId, row.Priority, row.Earliest, row.Latest, TimeZoneInfo.ConvertTime(row.AddedAt, diary.Zone), row.AppointmentId,
            named ? row.Payload : row.Payload with { Note = null }))];
    }

    /// <summary>The entry if it still waits and is this patient's, for the booking that closes it; the caller has its turn.</summary>
    public async Task<Result<WaitingRow>> Take(Guid id, Guid patient, CancellationToken cancel)
    {
        if (await scope.OpenOne(scope.Db.Set<WaitingRow>().Where(row => row.Id == id), cancel) is not { } row) return PlatformErrors.NotFound;
        if (row.Status != WaitingRow.Waiting) return ScheduleErrors.NotWaiting;
        return row.PatientId == patient ? row : ScheduleErrors.Invalid.With("patientId", "Somebody else waits under this entry.");
    }
}

/// <summary>An entry as typed.</summary>
internal sealed record TypedWaiting(Guid? PractitionerId, string? Type, int? Minutes, string? Earliest, string? Latest, IReadOnlyList<string?>? Parts, int? Priority, string? Note)
{
    private const int LongestNote = 1000;

    public override string ToString() => nameof(TypedWaiting);

    /// <summary>What was typed, put into the row; or what is wrong with it, field by field.</summary>
    public Error? Into(WaitingRow row, AppointmentTypes types, DateOnly today, bool isNew)
    {
        var (error, note) = (ScheduleErrors.DetailsInvalid, PersonDetails.Tidy(Note));
        var type = types.Find(Type) is { } known && (known.Active || (!isNew && row.Payload.Type == known.Code)) ? known : null;
        if (type is null) error = error.With("type", "Choose a type of appointment.");
        if (Minutes is < 1 or > 600) error = error.With("minutes", "From one minute to ten hours.");
        var (earliest, latest) = (Earliest is null ? today : ClinicTime.ParseDay(Earliest), ClinicTime.ParseDay(Latest));
        if (earliest is null) error = error.With("earliest", "Enter a date such as 2026-11-21.");
        if (Latest is not null && latest is null) error = error.With("latest", "Enter a date such as 2026-11-21, or leave it out.");
        else if (latest < earliest || latest < today) error = error.With("latest", "That is over before it begins.");
        var parts = (Parts ?? []).Distinct(StringComparer.Ordinal).ToArray();
        if (!parts.All(WaitingCodes.Parts.Has)) error = error.With("parts", $"Parts of the day are: {string.Join(", ", WaitingCodes.Parts.Select(part => part.Value))}.");
        if (Priority is not (null or 1 or 2 or 3)) error = error.With("priority", "Choose 1 (urgent), 2 (soon) or 3 (routine).");
        if (Wanted.Fault(note, LongestNote) is { } fault) error = error.With("note", fault);
        if (error.Fields.Count > 0) return error;
        (row.PractitionerId, row.Earliest, row.Latest, row.Priority) = (PractitionerId, earliest!.Value, latest, (short)(Priority ?? 3));
        row.Payload = new(type!.Code, Minutes ?? type.Minutes, parts.Length == WaitingCodes.Parts.Count ? [] : [.. parts.OfType<string>()], note);
        return null;
    }
}
