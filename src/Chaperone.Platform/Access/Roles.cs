using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using static Chaperone.Platform.Access.Permission;

namespace Chaperone.Platform.Access;

/// <summary>The roles every clinic has. A clinic cannot change them; it can make its own (<see cref="Role.Custom"/>) and grant or deny person by person.</summary>
public static class BuiltInRole
{
    /// <summary>Everything but clinical content.</summary>
    public static Role Owner { get; } = new("owner", "Owner", "Runs the clinic and answers for it; sees everything but clinical content.",
        [.. Permission.All.Where(p => !p.IsClinicalContent).Select(p => new RoleRight(p, Relation.SameClinic))]) { AlwaysNeedsTwoFactor = true };

    /// <summary>Team, settings and security.</summary>
    public static Role Admin { get; } = new("admin", "Administrator", "Looks after team, settings and security; sees contact data but no clinical content.", Clinic(
        PatientView, PatientImport, PatientExport, StaffView, StaffEdit, TeamManage, RolesManage, SecurityManage, SettingsEdit, TokenManage,
        AccessLogView, AuditView, AuditExport, AuditStream, InvestigationView, InvestigationEdit, RetentionRun, ElevationApprove, EmergencyReview, AccessReview, BackupRun)) { AlwaysNeedsTwoFactor = true };

    /// <summary>Schedule, reports, rota, incidents.</summary>
    public static Role Manager { get; } = new("manager", "Practice manager", "Runs the day: schedule, reports, rota and incidents; no clinical content, no payroll.", Clinic(
        ScheduleView, ScheduleEdit, ScheduleAttend, ReportView, StaffView, RotaView, RotaEdit, IncidentView, IncidentEdit, AssertionView, AssertionEdit, RiskView, RiskEdit, TeamManage));

    /// <summary>Patients' records, controlled drugs included; own commission.</summary>
    public static Role Doctor { get; } = new("doctor", "Doctor", "Treats patients: records, notes, prescriptions, results and files, and sees their own commission.",
    [
        .. Clinic(PatientView, PatientEdit, PatientDelete, NoteView, NoteWrite, PrescriptionView, PrescriptionWrite, PrescriptionControlled, ResultView, ResultWrite,
            FileView, FileUpload, FileDelete, AiDraft, EmergencyUse, ScheduleView, ScheduleAttend, ProposalView, ProposalWrite),
        .. Needing(Relation.Own, CommissionView),
    ]) { NarrowedBySetting = true };

    /// <summary>Patients' records, no controlled drugs.</summary>
    public static Role Nurse { get; } = new("nurse", "Nurse", "Cares for patients: records, notes, results, files, and prescriptions but controlled ones.", Clinic(
        PatientView, PatientEdit, NoteView, NoteWrite, PrescriptionView, PrescriptionWrite, ResultView, ResultWrite,
        FileView, FileUpload, AiDraft, EmergencyUse, ScheduleView, ScheduleAttend)) { NarrowedBySetting = true };

    /// <summary>Records and notes of own, assigned and shared patients.</summary>
    public static Role Clinical { get; } = new("clinical", "Other clinician", "Sees and writes records and notes of their own appointments, and of patients assigned to or shared with them.",
    [
        .. Needing(Relation.Shared, PatientView, NoteView, NoteWrite, ResultView, FileView, AiDraft, ScheduleView, ScheduleAttend),
        .. Clinic(EmergencyUse),
    ]);

    /// <summary>Contact data, schedule, payments.</summary>
    public static Role Reception { get; } = new("reception", "Receptionist", "Looks after contact data and the schedule and takes payments; no notes.", Clinic(
        PatientView, PatientEdit, PatientImport, PatientMerge, ScheduleView, ScheduleEdit, ScheduleAttend, ProposalView, InvoiceView, PaymentView, PaymentTake, PaymentCardStore));

    /// <summary>Staff files.</summary>
    public static Role Hr { get; } = new("hr", "Human resources", "Keeps staff files, absences, timesheets, training and credentials.", Clinic(
        StaffView, StaffEdit, RotaView, HrView, HrEdit, HrReveal, HrExport, AbsenceView, AbsenceEdit, AbsenceApprove, TimesheetView, TimesheetEdit, TimesheetApprove,
        TrainingView, TrainingEdit, CredentialView, CredentialEdit)) { AlwaysNeedsTwoFactor = true };

    /// <summary>Invoices to payroll.</summary>
    public static Role Finance { get; } = new("finance", "Finance", "Keeps invoices, payments, payment reports, commissions and payroll; no clinical content.", Clinic(
        InvoiceView, InvoiceEdit, InvoiceVoid, InvoiceExport, PaymentView, PaymentTake, PaymentRefund, PaymentReport, CommissionView, CommissionExport,
        PayrollView, PayrollEdit)) { AlwaysNeedsTwoFactor = true };

    /// <summary>What an inspector needs; changes nothing.</summary>
    public static Role ReadOnly { get; } = new("readonly", "Read-only reviewer", "Sees what an inspector needs, patients masked; changes nothing.", Clinic(
        PatientViewMasked, AccessLogView, AuditView, ReportView, StaffView, RotaView, TrainingView, CredentialView, IncidentView, AssertionView, RiskView));

    /// <summary>Own HR file.</summary>
    public static Role Employee { get; } = new("employee", "Employee", "Sees their own HR file and keeps their own timesheets and absences.", Needing(Relation.Own,
        HrView, AbsenceView, AbsenceEdit, TimesheetView, TimesheetEdit, AccessLogView)) { BaseReach = Relation.Own };

    /// <summary>Own record.</summary>
    public static Role Patient { get; } = new("patient", "Patient", "Sees their own appointments, record and invoices, and who looked at them.", Needing(Relation.Own,
        PatientView, NoteView, PrescriptionView, ResultView, FileView, ScheduleView, ProposalView, InvoiceView, PaymentView, AccessLogView)) { BaseReach = Relation.Own };

    /// <summary>All twelve, in the order people read them.</summary>
    public static ImmutableArray<Role> All { get; } = [Owner, Admin, Manager, Doctor, Nurse, Clinical, Reception, Hr, Finance, ReadOnly, Employee, Patient];

    private static readonly FrozenDictionary<string, Role> ByCode = All.ToFrozenDictionary(r => r.Code, StringComparer.Ordinal);

    private static readonly FrozenDictionary<Role, FrozenSet<Role>> Assignable = new Dictionary<Role, FrozenSet<Role>>
    {
        [Owner] = All.ToFrozenSet(),
        [Admin] = All.Except([Owner, Admin]).ToFrozenSet(),
        [Manager] = new[] { Reception, Clinical, Employee }.ToFrozenSet(),
    }.ToFrozenDictionary();

    /// <summary>Finds a built-in role by its exact code.</summary>
    public static bool TryFind(string code, [NotNullWhen(true)] out Role? role) => ByCode.TryGetValue(code, out role);

    /// <summary>The built-in roles that somebody with <paramref name="role"/> may give to and take from others; none for most roles and for clinics' own roles.</summary>
    public static IReadOnlySet<Role> AssignableBy(Role role) => Assignable.GetValueOrDefault(role, FrozenSet<Role>.Empty);

    private static ImmutableArray<RoleRight> Clinic(params ReadOnlySpan<Permission> permissions) => Needing(Relation.SameClinic, permissions);

    private static ImmutableArray<RoleRight> Needing(Relation relation, params ReadOnlySpan<Permission> permissions)
    {
        var rights = ImmutableArray.CreateBuilder<RoleRight>(permissions.Length);
        foreach (var permission in permissions) rights.Add(new(permission, relation));
        return rights.MoveToImmutable();
    }
}
