using Chaperone.Clinic.Notices;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>The schedule within one operation: who can be booked with whom, whose names may be shown, and the one way by which a slot is taken.</summary>
internal sealed class Diary(OperationScope scope, RotaBook rota)
{
    private TimeZoneInfo? zone;

    /// <summary>The longest an appointment can be, in the schema too.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    /// <summary>The clinic's zone.</summary>
    public TimeZoneInfo Zone => zone ??= ClinicTime.ZoneOf(scope.Tenant);

    private DbSet<AppointmentRow> Appointments => scope.Db.Set<AppointmentRow>();

    /// <summary>The appointments within the actor's reach: all of the clinic's, or those that are theirs as practitioner or patient.</summary>
    public IQueryable<AppointmentRow> Within()
    {
        var rows = Appointments.AsNoTracking();
        if (scope.Reach <= Relation.SameClinic) return rows;
        var (member, patient) = (scope.Actor.Id, scope.Actor.PatientId);
        return rows.Where(row => row.PractitionerId == member || row.SubjectId == patient);
    }

    /// <summary>Those of them that reach into a span of time. Nothing that began more than twelve hours before does, but imported history that was long and says so.</summary>
    public IQueryable<AppointmentRow> Within(DateTimeOffset from, DateTimeOffset to)
    {
        var reachesIn = from - Longest;
        return Within().Where(row => row.StartsAt < to && row.EndsAt > from && (row.StartsAt >= reachesIn || row.LongUntil > from));
    }

    /// <summary>With whom patients can be booked, within the actor's reach: everybody, or those they have been booked with, and oneself.</summary>
    public IQueryable<MemberRow> Bookable()
    {
        if (scope.Reach <= Relation.SameClinic) return Everybody();
        var (me, known) = (scope.Actor.Id, Within().Select(appointment => appointment.PractitionerId));
        return Everybody().Where(row => row.Id == me || known.Contains(row.Id));
    }

    /// <summary>With whom patients of the clinic can be booked.</summary>
    public IQueryable<MemberRow> Everybody()
    {
        var roles = ScheduleCodes.PractitionerRoles;
        return scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.PatientId == null && row.Status == MemberRow.Active && row.Roles.Any(role => roles.Contains(role)));
    }

    /// <summary>The appointment to be changed, opened; null when there is none.</summary>
    public Task<AppointmentRow?> Find(Guid id, CancellationToken cancel) => scope.OpenOne(Appointments.Where(row => row.Id == id), cancel);

    /// <summary>What these practitioners have given away between two times, by practitioner and in order.</summary>
    public async Task<ILookup<Guid, Taken>> Taken(Guid[] practitioners, DateTimeOffset from, DateTimeOffset to, CancellationToken cancel)
    {
        var found = await Taking(from, to).Where(row => practitioners.Contains(row.PractitionerId)).Select(row => new { row.PractitionerId, row.StartsAt, row.EndsAt }).ToListAsync(cancel);
        return found.ToLookup(row => row.PractitionerId, row => new Taken(row.StartsAt, row.EndsAt));
    }

    /// <summary>When a room is in use between two times, in order.</summary>
    public async Task<IReadOnlyList<Taken>> TakenRoom(Guid room, DateTimeOffset from, DateTimeOffset to, CancellationToken cancel) =>
        await Taking(from, to).Where(row => row.RoomId == room).Select(row => new Taken(row.StartsAt, row.EndsAt)).ToListAsync(cancel);

    /// <summary>The appointments that take time between two times, in order.</summary>
    public IQueryable<AppointmentRow> Taking(DateTimeOffset from, DateTimeOffset to)
    {
        var reachesIn = from - Longest;   // nothing that began earlier reaches into the span
        string[] takes = [AppointmentStatus.Booked, AppointmentStatus.Arrived, AppointmentStatus.Started];
        return Appointments.AsNoTracking().Where(row => row.StartsAt >= reachesIn && row.StartsAt < to && row.EndsAt > from && takes.Contains(row.Status)).OrderBy(row => row.StartsAt);
    }

    /// <summary>Why this patient cannot be booked, or null.</summary>
    public async Task<Error?> PatientFault(Guid id, CancellationToken cancel) => await scope.Db.Set<PatientRow>().Where(row => row.Id == id).Select(row => row.Status).FirstOrDefaultAsync(cancel) switch
    {
        null => PlatformErrors.NotFound,
        PatientRow.Active => null,
        _ => ScheduleErrors.PatientArchived,
    };

    /// <summary>Why nobody can be booked with this account, or null.</summary>
    public async Task<Error?> PractitionerFault(Guid id, CancellationToken cancel)
    {
        if (await scope.Db.Set<MemberRow>().Where(row => row.Id == id && row.PatientId == null).Select(row => new { row.Status, row.Roles }).FirstOrDefaultAsync(cancel) is not { } member) return PlatformErrors.NotFound;
        return member.Status == MemberRow.Active && member.Roles.Intersect(ScheduleCodes.PractitionerRoles).Any() ? null : ScheduleErrors.NotPractitioner;
    }

    /// <summary>Why appointments cannot be in this room, or null. None is always right.</summary>
    public async Task<Error?> RoomFault(Guid? id, CancellationToken cancel) =>
        id is null || await scope.Db.Set<RoomRow>().AnyAsync(row => row.Id == id && row.Active, cancel) ? null : ScheduleErrors.Invalid.With("roomId", "Choose a room that is in use.");

    /// <summary>
    /// Waits for the turn of everybody and every room whose time is about to be taken. Without that, two who take the same time at once could each wait for the other, and PostgreSQL would end
    /// one of them as a deadlock; and leave could be entered between the look at it and the booking.
    /// </summary>
    public Task TakeTurns(IEnumerable<AppointmentRow> rows, CancellationToken cancel, params IEnumerable<Guid> others) =>
        scope.TakeTurns([.. rows.Select(row => row.PractitionerId), .. rows.Select(row => row.RoomId).OfType<Guid>(), .. others], cancel);

    /// <summary>Why the practitioner is not to be booked at the appointment's time, or null: leave, or time outside working hours that nobody has confirmed. Needs the turn.</summary>
    public async Task<Error?> RotaFault(AppointmentRow row, bool outsideHours, CancellationToken cancel) =>
        (await rota.Read([row.PractitionerId], row.StartsAt, row.EndsAt, cancel)).Fault(row.PractitionerId, new(row.StartsAt, row.EndsAt), outsideHours);

    /// <summary>Writes what was changed of appointments; the database refuses it when that takes time that a practitioner has given already, or a room that is in use.</summary>
    public async Task Write(AppointmentRow row, CancellationToken cancel, params IEnumerable<Guid> others)
    {
        await TakeTurns([row], cancel, others);
        await Flush([row], cancel);
    }

    /// <summary>The same for whoever has taken the turns already.</summary>
    public Task Flush(IEnumerable<AppointmentRow> rows, CancellationToken cancel)
    {
        foreach (var row in rows) TellPractitioner(row);
        scope.OnConflict("appointment_no_overlap", ScheduleErrors.TimeTaken);
        scope.OnConflict("appointment_room_no_overlap", ScheduleErrors.RoomTaken);
        return scope.Flush(cancel);
    }

    // Whoever sees the patient is told of the arrival, and of what changes today and tomorrow; the rest they see when they look.
    private void TellPractitioner(AppointmentRow row)
    {
        var entry = scope.Db.Entry(row);
        string? kind = null;
        if (entry.State == EntityState.Added) kind = NoticeKind.Booked;
        else if (entry.Property(appointment => appointment.Status) is { IsModified: true, CurrentValue: var status }) kind = status switch { AppointmentStatus.Arrived => NoticeKind.Arrived, AppointmentStatus.Cancelled => NoticeKind.Cancelled, _ => null };
        else if (entry.Property(appointment => appointment.StartsAt).IsModified || entry.Property(appointment => appointment.PractitionerId).IsModified) kind = NoticeKind.Moved;
        var soon = ClinicTime.DayOf(row.StartsAt, Zone).DayNumber - ClinicTime.DayOf(scope.Now, Zone).DayNumber is 0 or 1;
        if (kind is not null && (soon || kind == NoticeKind.Arrived)) scope.Tell(row.PractitionerId, new(kind, row.Id, row.StartsAt));
    }

    /// <summary>Shows one opened appointment.</summary>
    public async Task<Appointment> Show(AppointmentRow row, CancellationToken cancel) => (await Show([row], cancel))[0];

    /// <summary>Shows opened appointments, with their patients' names where the actor may see them.</summary>
    public async Task<IReadOnlyList<Appointment>> Show(IReadOnlyList<AppointmentRow> rows, CancellationToken cancel)
    {
        var ids = rows.Where(MayName).Select(row => row.PatientId).Distinct().ToArray();
        var patients = ids.Length == 0 ? [] : await scope.Open(scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => ids.Contains(patient.Id)), cancel);
        var names = patients.ToDictionary(patient => patient.Id, patient => PatientText.Name(patient.Payload.FamilyName, patient.Payload.GivenNames, patient.Payload.Prefix));
        return [.. rows.Select(row => Shown(row, names.GetValueOrDefault(row.PatientId)))];
    }

    private Appointment Shown(AppointmentRow row, string? name)
    {
        scope.Show(row);
        var details = MayName(row) ? row.Payload : new();
        if (scope.Actor.PatientId is not null) details = details with { Note = null, Cancellation = details.Cancellation is { } cancelled ? cancelled with { Note = null } : null };
        return new(row.Id, row.Version, row.Status, row.PatientId, name, row.PractitionerId, row.Type, TimeZoneInfo.ConvertTime(row.StartsAt, Zone), TimeZoneInfo.ConvertTime(row.EndsAt, Zone), details)
        {
            RoomId = row.RoomId,
            SeriesId = row.SeriesId,
        };
    }

    /// <summary>
    /// Whether the actor is shown the patient's name and what is written about the appointment: where they could open the patient's contact data. An appointment of one's own relates one to
    /// its patient.
    /// </summary>
    public bool MayName(AppointmentRow row) => scope.Actor.Rights.WeakestRelation(Permission.PatientView, scope.Actor.State.Elevated, scope.Now) is { } need
        && need <= (row.PractitionerId == scope.Actor.Id || row.SubjectId == scope.Actor.PatientId ? Relation.Own : Relation.SameClinic);
}
