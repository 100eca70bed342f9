using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>
/// Puts rows into the schedule. What is past becomes history, which takes nobody's time and may overlap; what is still to come is booked, with the same rules as by hand, and the
/// practitioners' turns are taken before their time is looked at.
/// </summary>
internal sealed class AppointmentKeeper(OperationScope scope, ColumnMapping mapping) : RowKeeper
{
    /// <summary>The longest something past can have been, in the schema too.</summary>
    public static readonly TimeSpan LongestPast = TimeSpan.FromDays(366);

    /// <summary>The same in minutes.</summary>
    public const int MostMinutes = 366 * 24 * 60;

    private static readonly TimeSpan FarthestAhead = TimeSpan.FromDays(3 * 366);
    private readonly RotaBook rotaBook = new(scope);
    private readonly Diary diary = new(scope, new(scope));
    private readonly ForeignIds ids = new(scope, ForeignIds.Appointment);
    private readonly Dictionary<int, PlannedAppointment> planned = [];
    private readonly Dictionary<Guid, List<Taken>> given = [];
    private NamedPeople? named;
    private AppointmentTypes types = AppointmentTypes.Usual;

    public override async Task PrepareAsync(IReadOnlyList<ReadRow> rows, CancellationToken cancel)
    {
        var ahead = rows.Cast<ReadAppointment>().Where(row => row.Faults.Count == 0 && row.StartsAt > scope.Now).ToList();
        if (ahead.Count == 0) return;
        named = await NamedPeople.OpenAsync(scope, mapping.Source, [.. rows.Cast<ReadAppointment>()], cancel);
        await scope.TakeTurns(ahead.SelectMany(row => new[] { named.PractitionerOf(row).Id, named.PatientOf(row).Id }).OfType<Guid>().Distinct(), cancel);
    }

    public override async Task<IReadOnlyList<SortedRow>> SortAsync(IReadOnlyList<ReadRow> rows, CancellationToken cancel)
    {
        types = await AppointmentTypes.Read(scope, cancel);
        ReadAppointment[] read = [.. rows.Cast<ReadAppointment>()];
        var known = await ids.FindAsync(mapping.Source, read.Select(row => row.ExternalId).OfType<string>(), cancel);
        var names = named ?? await NamedPeople.OpenAsync(scope, mapping.Source, read, cancel);
        named = null;   // of these rows only
        planned.Clear();
        foreach (var row in read.Where(row => row.Faults.Count == 0)) planned[row.Row] = Plan(row, names);
        var here = await WithoutIdAsync(read, cancel);
        var (taken, rota) = await GivenAsync(cancel);
        return [.. read.Select(row => Sort(row, known, here, names, taken, rota))];
    }

    public override async Task AddAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel)
    {
        var links = new List<(string, Guid)>(rows.Count);
        var appointments = new List<AppointmentRow>(rows.Count);
        foreach (var (read, plan) in rows.Select(row => (row.Read, planned[row.Read.Row])))
        {
            var id = scope.NewId();
            appointments.Add(new()
            {
                Id = id,
                SubjectId = plan.Patient,
                PractitionerId = plan.Practitioner!.Value,
                StartsAt = plan.StartsAt,
                EndsAt = plan.EndsAt,
                LongUntil = plan.EndsAt - plan.StartsAt > Diary.Longest ? plan.EndsAt : null,
                Type = plan.Type!,
                Status = plan.Status,
                Payload = plan.Details,
            });
            if (read.ExternalId is { } external) links.Add((external, id));
        }
        await scope.Writer.Insert(appointments, cancel);
        foreach (var appointment in appointments) scope.Show(appointment);
        await ids.AddAsync(mapping.Source, links, cancel);
    }

    public override async Task<IReadOnlySet<int>> SameAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel)
    {
        var wanted = rows.Select(row => row.Existing!.Value).ToArray();
        var here = (await scope.OpenCandidates(scope.Db.Set<AppointmentRow>().AsNoTracking().Where(row => wanted.Contains(row.Id)), cancel)).ToDictionary(row => row.Id);
        return rows.Where(row => here.TryGetValue(row.Existing!.Value, out var known) && Same(known, (ReadAppointment)row.Read, planned[row.Read.Row])).Select(row => row.Read.Row).ToHashSet();
    }

    public override async Task<IReadOnlyList<IReadOnlyList<string>>> SampleAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel)
    {
        // The plans of earlier rows are gone: the few that are shown are made again.
        types = await AppointmentTypes.Read(scope, cancel);
        ReadAppointment[] read = [.. rows.Select(row => (ReadAppointment)row.Read)];
        var names = await NamedPeople.OpenAsync(scope, mapping.Source, read, cancel);
        PlannedAppointment[] plans = [.. read.Select(row => Plan(row, names))];
        var appointments = plans.Select(plan => new AppointmentRow { Id = Guid.Empty, SubjectId = plan.Patient, PractitionerId = plan.Practitioner!.Value, StartsAt = plan.StartsAt, EndsAt = plan.EndsAt, Type = plan.Type!, Status = plan.Status, Payload = plan.Details }).ToList();
        var shown = await diary.Show(appointments, cancel);
        var members = plans.Select(plan => plan.Practitioner!.Value).Distinct().ToArray();
        var practitioners = (await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => members.Contains(row.Id)), cancel)).ToDictionary(row => row.Id, row => row.Payload.Name);
        return [.. shown.Select(one => (string[])
        [
            one.PatientName ?? "Not shown to you", practitioners.GetValueOrDefault(one.PractitionerId, ""), SignIn.Shown.Time(one.StartsAt, scope.Tenant.Zone), SignIn.Shown.Time(one.EndsAt, scope.Tenant.Zone),
            types.Find(one.Type)?.Name ?? one.Type, AppointmentText.Words(one.Status),
        ])];
    }

    private SortedRow Sort(ReadAppointment row, IReadOnlyDictionary<string, Guid> known, ILookup<(Guid, Guid, DateTimeOffset), Guid> here, NamedPeople names, ILookup<Guid, Taken> taken, Plan? rota)
    {
        if (row.Faults.Count > 0) return new(row) { IsFaulty = true, Findings = row.Faults };
        var plan = planned[row.Row];
        if (row.ExternalId is { } external && known.TryGetValue(external, out var existing)) return new(row) { Existing = existing };
        if (plan.Fault is var (code, column)) return SortedRow.Fault(row, code, column);
        if (row.ExternalId is null && here[(plan.Patient, plan.Practitioner!.Value, plan.StartsAt)].Cast<Guid?>().FirstOrDefault() is { } same) return new(row) { Existing = same };
        return plan.Status == AppointmentStatus.Booked && BookingFault(row, plan, names, taken, rota!) is var (refused, at) ? SortedRow.Fault(row, refused, at) : new(row) { IsNew = true };
    }

    /// <summary>The row as it would stand in the schedule, or the first thing that is wrong with it.</summary>
    private PlannedAppointment Plan(ReadAppointment row, NamedPeople names)
    {
        var (patient, patientFault) = names.PatientOf(row);
        var (practitioner, practitionerFault) = names.PractitionerOf(row);
        var type = row.Type is null ? types.Active.First() : types.All.FirstOrDefault(known => AppointmentText.Word(known.Code) == AppointmentText.Word(row.Type) || AppointmentText.Word(known.Name) == AppointmentText.Word(row.Type));
        var (starts, ends) = (row.StartsAt, row.EndsAt ?? row.StartsAt.AddMinutes(type?.Minutes ?? 1));
        var ahead = starts > scope.Now;
        var status = row.Status ?? (ahead ? AppointmentStatus.Booked : AppointmentStatus.Completed);
        var isLong = ends - starts > Diary.Longest;
        (string, short)? fault =
            patientFault is not null ? (patientFault, row.Columns.Patient)
            : practitionerFault is not null ? (practitionerFault, row.Columns.Practitioner)
            : type is null ? (FindingCodes.UnknownWord, row.Columns.Type)
            : ahead && starts - scope.Now > FarthestAhead ? (FindingCodes.TimeRange, row.Columns.Starts)
            : isLong && ahead ? (FindingCodes.TimeRange, row.Columns.Ends)
            : ahead ? status is AppointmentStatus.Booked or AppointmentStatus.Cancelled ? null : (FindingCodes.StatusAndTime, row.Columns.Status)
            : status == AppointmentStatus.Booked ? (FindingCodes.StatusAndTime, row.Columns.Status)
            : null;
        return new(patient ?? Guid.Empty, practitioner, starts, ends, type?.Code, status, new()
        {
            Reason = row.Reason,
            Note = row.Note,
            Cancellation = status == AppointmentStatus.Cancelled ? new(ScheduleCodes.OtherReason, "Cancelled where it was imported from.") : null,
        }, fault);
    }

    private (string, short)? BookingFault(ReadAppointment row, PlannedAppointment plan, NamedPeople names, ILookup<Guid, Taken> taken, Plan rota)
    {
        if (!names.MayBeBooked(plan.Patient)) return (FindingCodes.PatientGone, row.Columns.Patient);
        if (!names.IsBookable(plan.Practitioner!.Value)) return (FindingCodes.PractitionerGone, row.Columns.Practitioner);
        if (rota.Fault(plan.Practitioner.Value, new(plan.StartsAt, plan.EndsAt), outsideHours: true) is not null) return (FindingCodes.PractitionerAway, row.Columns.Starts);
        var own = given.TryGetValue(plan.Practitioner.Value, out var earlier) ? earlier : given[plan.Practitioner.Value] = [];
        if (taken[plan.Practitioner.Value].Concat(own).Any(other => other.From < plan.EndsAt && plan.StartsAt < other.To)) return (FindingCodes.TimeTaken, row.Columns.Starts);
        own.Add(new(plan.StartsAt, plan.EndsAt));
        return null;
    }

    /// <summary>The time that is given away or taken off where these rows would be booked. Hours do not bind: what the other system had agreed stands.</summary>
    private async Task<(ILookup<Guid, Taken> Taken, Plan? Rota)> GivenAsync(CancellationToken cancel)
    {
        PlannedAppointment[] ahead = [.. planned.Values.Where(plan => plan is { Fault: null, Status: AppointmentStatus.Booked })];
        if (ahead.Length == 0) return (Enumerable.Empty<Taken>().ToLookup(_ => Guid.Empty), null);
        var (who, from, to) = (ahead.Select(plan => plan.Practitioner!.Value).Distinct().ToArray(), ahead.Min(plan => plan.StartsAt), ahead.Max(plan => plan.EndsAt));
        return (await diary.Taken(who, from, to, cancel), await rotaBook.Read(who, from, to, cancel));
    }

    /// <summary>What is here at the same time between the same people, for rows that bring no id to be known by.</summary>
    private async Task<ILookup<(Guid, Guid, DateTimeOffset), Guid>> WithoutIdAsync(ReadAppointment[] rows, CancellationToken cancel)
    {
        PlannedAppointment[] wanted = [.. rows.Where(row => row.ExternalId is null && planned.TryGetValue(row.Row, out var plan) && plan.Fault is null).Select(row => planned[row.Row])];
        if (wanted.Length == 0) return Enumerable.Empty<Guid>().ToLookup(_ => default((Guid, Guid, DateTimeOffset)));
        var (patients, starts) = (wanted.Select(plan => plan.Patient).Distinct().ToArray(), wanted.Select(plan => plan.StartsAt).Distinct().ToArray());
        var found = await scope.Db.Set<AppointmentRow>().AsNoTracking().Where(row => patients.Contains(row.SubjectId!.Value) && starts.Contains(row.StartsAt))
            .Select(row => new { row.Id, row.SubjectId, row.PractitionerId, row.StartsAt }).ToListAsync(cancel);
        return found.OrderBy(row => row.Id).ToLookup(row => (row.SubjectId!.Value, row.PractitionerId, row.StartsAt), row => row.Id);
    }

    // The status the file names, if it names one: what became of it since is known here, not there.
    private static bool Same(AppointmentRow known, ReadAppointment row, PlannedAppointment plan) =>
        (known.PatientId, (Guid?)known.PractitionerId, known.StartsAt, known.EndsAt, known.Type) == (plan.Patient, plan.Practitioner, plan.StartsAt, plan.EndsAt, plan.Type)
        && (row.Status is null || row.Status == known.Status) && known.Payload.Reason == row.Reason && known.Payload.Note == row.Note;
}

/// <summary>A row as it would stand in the schedule.</summary>
internal sealed record PlannedAppointment(
    Guid Patient, Guid? Practitioner, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string? Type, string Status, AppointmentDetails Details, (string Code, short Column)? Fault)
{
    public override string ToString() => nameof(PlannedAppointment);
}
