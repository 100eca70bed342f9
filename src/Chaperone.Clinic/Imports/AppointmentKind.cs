using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.Clinic.Schedule;

namespace Chaperone.Clinic.Imports;

/// <summary>Files of appointments: those that were, and those still to come.</summary>
internal sealed class AppointmentKind : ImportKind
{
    public const string ExternalId = "external_id", PatientId = "patient_id", PatientExternalId = "patient_external_id", PatientNhsNumber = "patient_nhs_number",
        PractitionerExternalId = "practitioner_external_id", PractitionerEmail = "practitioner_email", PractitionerName = "practitioner_name",
        StartsAt = "starts_at", Date = "date", Time = "time", EndsAt = "ends_at", EndTime = "end_time", Minutes = "minutes",
        Type = "type", EncounterClass = "encounter_class", Status = "status", Reason = "reason", Note = "note";

    private static readonly string[] SyntheaColumns = ["Id", "START", "STOP", "PATIENT", "PROVIDER", "ENCOUNTERCLASS"];

    public override string Code => "appointments";

    public override Permission Also => Permission.ScheduleEdit;

    public override ImportWords Words { get; } = new(
        "Appointments", "appointment", "appointments", "would be put into the schedule",
        "Needed are the patient (by any of three columns), the practitioner (by any of three), and when it begins. Receptionists read reason and note: diagnoses do not belong there.",
        "Appointments already imported stay.", null, ["Patient", "Practitioner", "Begins", "Ends", "Type", "Status"]);

    public override ImportFieldList Fields { get; } = new(
    [
        new(ExternalId, "Id in the other system", "The appointment", ExternalId, ["externalid", "id", "uuid", "appointmentid", "encounterid", "bookingid"]),
        new(StartsAt, "Begins: date and time", "The appointment", StartsAt, ["startsat", "start", "starttime", "startdatetime", "begin", "datetime", "appointmentdatetime"]),
        new(Date, "Begins: date", "The appointment", Date, ["date", "startdate", "appointmentdate", "day"]),
        new(Time, "Begins: time", "The appointment", Time, ["time", "appointmenttime", "fromtime", "from"]),
        new(EndsAt, "Ends: date and time", "The appointment", EndsAt, ["endsat", "end", "stop", "enddatetime"]),
        new(EndTime, "Ends: time of the same day", "The appointment", EndTime, ["endtime", "totime", "until", "to"]),
        new(Minutes, "Length in minutes", "The appointment", Minutes, ["minutes", "duration", "durationminutes", "length", "mins"]),
        new(Type, "Type of appointment", "The appointment", Type, ["type", "appointmenttype", "slottype"]),
        new(EncounterClass, "Class of encounter", "The appointment", EncounterClass, ["encounterclass", "class"]),
        new(Status, "Status", "The appointment", Status, ["status", "appointmentstatus", "state", "outcome"]),
        new(Reason, "Reason, as the patient may read it", "The appointment", Reason, []),
        new(Note, "Note for colleagues", "The appointment", Note, []),
        new(PatientExternalId, "Patient: id in the other system", "Patient", PatientExternalId, ["patient", "patientid", "patientexternalid", "pid", "patientref"]),
        new(PatientNhsNumber, "Patient: NHS number", "Patient", PatientNhsNumber, ["nhsnumber", "nhsno", "nhs", "patientnhsnumber"]),
        new(PatientId, "Patient: record in Chaperone", "Patient", PatientId, ["chaperoneid", "chaperonepatientid"]),
        new(PractitionerExternalId, "Practitioner: id in the other system", "Practitioner", PractitionerExternalId, ["provider", "providerid", "practitionerid", "clinicianid", "doctorid"]),
        new(PractitionerName, "Practitioner: name", "Practitioner", PractitionerName, ["practitioner", "practitionername", "clinician", "clinicianname", "doctor", "doctorname", "providername", "with"]),
        new(PractitionerEmail, "Practitioner: email", "Practitioner", PractitionerEmail, ["practitioneremail", "clinicianemail", "doctoremail", "provideremail"]),
    ]);

    // What was found, and what the patient came with, is clinical content: codes and descriptions are left out, and listed like every column that is.
    public override ColumnMapping? Known(IReadOnlyList<string> header) => !SyntheaColumns.All(header.Contains) ? null : new()
    {
        Kind = Code,
        Source = KnownFiles.SyntheaSource,
        Columns = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Id"] = ExternalId, ["START"] = StartsAt, ["STOP"] = EndsAt, ["PATIENT"] = PatientExternalId, ["PROVIDER"] = PractitionerExternalId, ["ENCOUNTERCLASS"] = EncounterClass,
        },
    };

    public override bool Resembles(IReadOnlySet<string> fields) => Missing(fields) is null;

    public override string? Missing(IReadOnlySet<string> fields)
    {
        if (!fields.Overlaps([PatientId, PatientExternalId, PatientNhsNumber])) return "Choose a column that says which patient it is.";
        if (!fields.Overlaps([PractitionerExternalId, PractitionerEmail, PractitionerName])) return "Choose a column that says which practitioner it is.";
        return fields.Contains(StartsAt) || (fields.Contains(Date) && fields.Contains(Time)) ? null : "Choose the column that says when it begins: one with date and time, or one for each.";
    }

    public override RowReader Reader(CsvShape shape, ColumnMapping mapping, Tenant clinic, DateTimeOffset now) => new AppointmentReader(Fields, shape, mapping, ClinicTime.ZoneOf(clinic));

    public override RowKeeper Keeper(OperationScope scope, ColumnMapping mapping) => new AppointmentKeeper(scope, mapping);

    public override Task<Result<ImportState>> RunBatch(ReferenceMonitor monitor, Caller caller, ImportBatch batch, CancellationToken cancel) =>
        monitor.Run(new ImportAppointmentsBatch(batch.ImportId, batch.Holder, batch.After, [.. batch.Rows.Cast<ReadAppointment>()]), caller, cancel);
}

/// <summary>Puts the next rows of a running import into the schedule: <see cref="ImportBatch"/>.</summary>
internal sealed record ImportAppointmentsBatch(Guid ImportId, Guid Holder, int After, IReadOnlyList<ReadAppointment> Rows) : IOperation<ImportState>
{
    public static Policy Policy { get; } = Policy.Changes("appointment.imported").Or("import.continued").About(ImportResource.Import).ForSystem(ImportBatch.ForSystem);
}

internal sealed class ImportAppointmentsBatchHandler : IHandler<ImportAppointmentsBatch, ImportState>
{
    public Task<Result<ImportState>> Handle(ImportAppointmentsBatch request, OperationScope scope, CancellationToken cancel)
    {
        scope.OnConflict("appointment_no_overlap", ScheduleErrors.TimeTaken);
        return new ImportBatch(request.ImportId, request.Holder, request.After, request.Rows).KeepAsync(scope, ImportKind.Appointments, cancel);
    }
}
