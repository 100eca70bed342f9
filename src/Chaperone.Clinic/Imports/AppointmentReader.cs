using System.Globalization;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;

namespace Chaperone.Clinic.Imports;

/// <summary>One row of the file as an appointment, or what is wrong with it. Whom it names is looked up later.</summary>
internal sealed record ReadAppointment(int Row) : ReadRow(Row)
{
    public Guid? PatientId { get; init; }

    public string? PatientExternalId { get; init; }

    public string? NhsNumber { get; init; }

    public string? PractitionerExternalId { get; init; }

    public string? PractitionerEmail { get; init; }

    public string? PractitionerName { get; init; }

    public DateTimeOffset StartsAt { get; init; }

    /// <summary>Null for as long as its type lasts.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>Code or name of a type; null for the usual one.</summary>
    public string? Type { get; init; }

    /// <summary>One of <see cref="AppointmentStatus"/>; null for what the time says.</summary>
    public string? Status { get; init; }

    public string? Reason { get; init; }

    public string? Note { get; init; }

    /// <summary>Where a report points when what is named there is not here.</summary>
    public (short Patient, short Practitioner, short Starts, short Ends, short Type, short Status) Columns { get; init; }
}

/// <summary>Turns the cells of a row into an appointment.</summary>
internal sealed class AppointmentReader(ImportFieldList fields, CsvShape shape, ColumnMapping mapping, TimeZoneInfo zone) : RowReader(fields, shape, mapping)
{
    private const int LongestReference = 200, LongestReason = 200, LongestNote = 2000;
    // Rows without an id are the same again when they say the same.
    private readonly HashSet<string> withoutId = new(StringComparer.Ordinal);
    private (short, short, short, short, short, short)? places;

    public override ReadAppointment Read(int row, string[] cells)
    {
        if (Slipped(row, cells) is { } slipped) return new(row) { Faults = [slipped] };
        var (faults, values) = (new List<Finding>(), new Dictionary<string, string>(StringComparer.Ordinal));
        var read = new ReadAppointment(row);
        Take(row, cells, faults, (field, _, text) =>
        {
            if (Fault(field.Code, text) is { } fault) return fault;
            values[field.Code] = text;
            return null;
        });
        // One fault for each row beyond those of its cells: what follows from a cell at fault is no news.
        if (faults.Count == 0 && Times(values) is var (starts, ends, timeFault, field))
        {
            if (timeFault is not null) faults.Add(new(row, Locate(of => of.Code == field), timeFault));
            else read = read with { StartsAt = starts!.Value, EndsAt = ends };
        }
        var id = Value(AppointmentKind.ExternalId);
        if (IsRepeated(id) || (id is null && faults.Count == 0 && !withoutId.Add(string.Join('\n', Who(values).Append(read.StartsAt.ToString("O", CultureInfo.InvariantCulture))))))
            faults.Add(new(row, Locate(AppointmentKind.ExternalId), FindingCodes.Repeated));
        if (faults.Count > 0) return read with { ExternalId = id, Faults = faults };
        var encounter = Value(AppointmentKind.EncounterClass) is { } known ? AppointmentText.Class(known) : null;
        return read with
        {
            ExternalId = id,
            PatientId = Value(AppointmentKind.PatientId) is { } own ? Guid.Parse(own) : null,
            PatientExternalId = Value(AppointmentKind.PatientExternalId),
            NhsNumber = Value(AppointmentKind.PatientNhsNumber) is { } number ? Digits(number) : null,
            PractitionerExternalId = Value(AppointmentKind.PractitionerExternalId),
            PractitionerEmail = Value(AppointmentKind.PractitionerEmail),
            PractitionerName = Value(AppointmentKind.PractitionerName),
            Type = Value(AppointmentKind.Type) ?? encounter?.Type,
            Status = Value(AppointmentKind.Status) is { } status ? AppointmentText.Status(status) : null,
            Reason = PersonDetails.Tidy(Value(AppointmentKind.Reason)) ?? encounter?.Words,
            Note = PersonDetails.Tidy(Value(AppointmentKind.Note)),
            Columns = places ??= (
                Locate(of => of.Group == "Patient"), Locate(of => of.Group == "Practitioner"), Locate(of => of.Code is AppointmentKind.StartsAt or AppointmentKind.Date),
                Locate(of => of.Code is AppointmentKind.EndsAt or AppointmentKind.EndTime or AppointmentKind.Minutes), Locate(AppointmentKind.Type), Locate(AppointmentKind.Status)),
        };

        string? Value(string code) => values.GetValueOrDefault(code);
    }

    /// <summary>What is wrong with a value by itself, or null.</summary>
    private static string? Fault(string code, string text) => code switch
    {
        AppointmentKind.Reason => Wanted.Fault(text, LongestReason) is null ? null : text.Length > LongestReason ? FindingCodes.TooLong : FindingCodes.Characters,
        AppointmentKind.Note => Wanted.Fault(text, LongestNote) is null ? null : text.Length > LongestNote ? FindingCodes.TooLong : FindingCodes.Characters,
        _ when TextFault(text, LongestReference) is { } fault => fault,
        AppointmentKind.PatientId => Guid.TryParseExact(text, "D", out _) ? null : FindingCodes.PatientUnknown,
        AppointmentKind.PatientNhsNumber => PersonRules.IsNhsNumber(Digits(text)) ? null : FindingCodes.NhsNumber,
        AppointmentKind.Status => AppointmentText.Status(text) is null ? FindingCodes.UnknownWord : null,
        AppointmentKind.EncounterClass => AppointmentText.Class(text) is null ? FindingCodes.UnknownWord : null,
        AppointmentKind.Minutes => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) && minutes > 0 ? null : FindingCodes.Time,
        AppointmentKind.Time or AppointmentKind.EndTime => TimeText.TryTimeOfDay(text, out _) ? null : FindingCodes.Time,
        _ => null,
    };

    /// <summary>When it begins and ends, or what is wrong and with which field.</summary>
    private (DateTimeOffset? Starts, DateTimeOffset? Ends, string? Fault, string Field) Times(Dictionary<string, string> values)
    {
        DateTimeOffset? starts;
        string? fault;
        string field;
        if (values.TryGetValue(field = AppointmentKind.StartsAt, out var moment)) (starts, fault) = TimeText.Moment(moment, Mapping.DateFormat, zone);
        else if (!values.TryGetValue(field = AppointmentKind.Date, out var date)) return (null, null, FindingCodes.Missing, Mapping.Columns.Values.Contains(AppointmentKind.Date) ? field : AppointmentKind.StartsAt);
        else if (!DateText.TryParse(date, Mapping.DateFormat, out var day)) return (null, null, FindingCodes.Date, field);
        else if (!values.TryGetValue(field = AppointmentKind.Time, out var clock)) return (null, null, FindingCodes.Missing, field);
        else (starts, fault) = TimeText.TryTimeOfDay(clock, out var time) ? TimeText.Clock(day.ToDateTime(time), zone) : (null, FindingCodes.Time);
        if (fault is not null) return (null, null, fault, field);

        DateTimeOffset? ends = null;
        if (values.TryGetValue(field = AppointmentKind.EndsAt, out var end)) (ends, fault) = TimeText.Moment(end, Mapping.DateFormat, zone);
        else if (values.TryGetValue(field = AppointmentKind.EndTime, out var endClock) && TimeText.TryTimeOfDay(endClock, out var until))
            (ends, fault) = TimeText.Clock(ClinicTime.DayOf(starts!.Value, zone).ToDateTime(until), zone);
        else if (values.TryGetValue(field = AppointmentKind.Minutes, out var minutes)) ends = starts!.Value.AddMinutes(int.Parse(minutes, CultureInfo.InvariantCulture) is var number && number > AppointmentKeeper.MostMinutes ? AppointmentKeeper.MostMinutes + 1 : number);
        if (fault is not null) return (null, null, fault, field);
        return ends is not null && (ends <= starts || ends - starts > AppointmentKeeper.LongestPast) ? (null, null, FindingCodes.TimeRange, field) : (starts, ends, null, field);
    }

    private static IEnumerable<string?> Who(Dictionary<string, string> values) => new[]
    {
        AppointmentKind.PatientId, AppointmentKind.PatientExternalId, AppointmentKind.PatientNhsNumber, AppointmentKind.PractitionerExternalId, AppointmentKind.PractitionerEmail, AppointmentKind.PractitionerName,
    }.Select(values.GetValueOrDefault);

    private static string Digits(string number) => string.Concat(number.Where(c => !char.IsWhiteSpace(c) && c != '-'));
}
