using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Chaperone.Platform.Access;

// One line each. The sentence completes "May …". A code is never reused; adding one means deciding in Roles.cs who has it.
#pragma warning disable CS1591 // the sentence in each line is the documentation
public sealed partial class Permission
{
    private static readonly List<Permission> Defined = [];

    // patients: contact data
    public static Permission PatientView { get; } = AboutPatient("patient.view", "see patients' contact data");
    public static Permission PatientViewMasked { get; } = AboutPatient("patient.view.masked", "see patients with names and identifiers masked");
    public static Permission PatientEdit { get; } = AboutPatient("patient.edit", "register patients and edit their contact data");
    public static Permission PatientMerge { get; } = AboutPatient("patient.merge", "merge two records of the same patient");
    public static Permission PatientDelete { get; } = AboutPatient("patient.delete", "archive and restore patients");
    public static Permission PatientErase { get; } = AboutPatient("patient.erase", "erase a patient for good, with a certificate");
    public static Permission PatientImport { get; } = AboutPatient("patient.import", "import patients from a file");
    public static Permission PatientExport { get; } = AboutPatient("patient.export", "export patients' contact data");
    public static Permission PatientSubjectAccess { get; } = AboutPatient("patient.subject_access", "export everything held about one patient");
    public static Permission AccessLogView { get; } = AboutPatient("access_log.view", "see who looked at a record");

    // clinical content
    public static Permission NoteView { get; } = Clinical("note.view", "read clinical notes");
    public static Permission NoteWrite { get; } = Clinical("note.write", "write, sign and amend clinical notes");
    public static Permission PrescriptionView { get; } = Clinical("prescription.view", "see prescriptions");
    public static Permission PrescriptionWrite { get; } = Clinical("prescription.write", "prescribe");
    public static Permission PrescriptionControlled { get; } = Clinical("prescription.controlled", "prescribe controlled drugs");
    public static Permission ResultView { get; } = Clinical("result.view", "see test results");
    public static Permission ResultWrite { get; } = Clinical("result.write", "enter and acknowledge test results");
    public static Permission FileView { get; } = Clinical("file.view", "see images and files");
    public static Permission FileUpload { get; } = Clinical("file.upload", "add images and files");
    public static Permission FileDelete { get; } = Clinical("file.delete", "delete clinical files");
    public static Permission AiDraft { get; } = Clinical("ai.draft", "have notes and letters drafted");
    public static Permission EmergencyUse { get; } = ClinicalAct("emergency.use", "open a record in an emergency, with a reason");

    // the day
    public static Permission ScheduleView { get; } = AboutPatient("schedule.view", "see the schedule");
    public static Permission ScheduleEdit { get; } = AboutPatient("schedule.edit", "book, move and cancel appointments");
    public static Permission ScheduleAttend { get; } = AboutPatient("schedule.attend", "record who came to an appointment, was seen or stayed away");
    public static Permission ProposalView { get; } = AboutPatient("proposal.view", "see treatment proposals");
    public static Permission ProposalWrite { get; } = AboutPatient("proposal.write", "write treatment proposals");

    // money
    public static Permission InvoiceView { get; } = AboutPatient("invoice.view", "see invoices");
    public static Permission InvoiceEdit { get; } = AboutPatient("invoice.edit", "write and send invoices");
    public static Permission InvoiceVoid { get; } = AboutPatient("invoice.void", "void invoices");
    public static Permission InvoiceExport { get; } = AboutClinic("invoice.export", "export invoices and payments");
    public static Permission PaymentView { get; } = AboutPatient("payment.view", "see payments");
    public static Permission PaymentTake { get; } = AboutPatient("payment.take", "take payments");
    public static Permission PaymentCardStore { get; } = AboutPatient("payment.card_store", "keep a card on file with the payment provider");
    public static Permission PaymentRefund { get; } = AboutPatient("payment.refund", "give payments back");
    public static Permission PaymentReport { get; } = AboutClinic("payment.report", "see payment reports");
    public static Permission CommissionView { get; } = AboutStaff("commission.view", "see doctors' commissions");
    public static Permission CommissionExport { get; } = AboutStaff("commission.export", "export doctors' commissions");
    public static Permission PayrollView { get; } = AboutStaff("payroll.view", "see payroll");
    public static Permission PayrollEdit { get; } = AboutStaff("payroll.edit", "change payroll");

    // staff
    public static Permission StaffView { get; } = AboutStaff("staff.view", "see the staff list");
    public static Permission StaffEdit { get; } = AboutStaff("staff.edit", "add, change and deactivate staff");
    public static Permission RotaView { get; } = AboutStaff("rota.view", "see the staff rota");
    public static Permission RotaEdit { get; } = AboutStaff("rota.edit", "plan the staff rota");
    public static Permission HrView { get; } = AboutStaff("hr.view", "see staff files");
    public static Permission HrEdit { get; } = AboutStaff("hr.edit", "change staff files");
    public static Permission HrReveal { get; } = AboutStaff("hr.reveal", "reveal sealed staff fields, one at a time");
    public static Permission HrExport { get; } = AboutStaff("hr.export", "export everything held about one employee");
    public static Permission AbsenceView { get; } = AboutStaff("absence.view", "see absences");
    public static Permission AbsenceEdit { get; } = AboutStaff("absence.edit", "enter absences");
    public static Permission AbsenceApprove { get; } = AboutStaff("absence.approve", "approve absences");
    public static Permission TimesheetView { get; } = AboutStaff("timesheet.view", "see timesheets");
    public static Permission TimesheetEdit { get; } = AboutStaff("timesheet.edit", "enter timesheets");
    public static Permission TimesheetApprove { get; } = AboutStaff("timesheet.approve", "approve timesheets");
    public static Permission TrainingView { get; } = AboutStaff("training.view", "see training records");
    public static Permission TrainingEdit { get; } = AboutStaff("training.edit", "change training records");
    public static Permission CredentialView { get; } = AboutStaff("credential.view", "see professional credentials");
    public static Permission CredentialEdit { get; } = AboutStaff("credential.edit", "change professional credentials");

    // governance
    public static Permission ReportView { get; } = AboutClinic("report.view", "see reports about the clinic's day");
    public static Permission IncidentView { get; } = AboutClinic("incident.view", "see incidents");
    public static Permission IncidentEdit { get; } = AboutClinic("incident.edit", "report and work on incidents");
    public static Permission AssertionView { get; } = AboutClinic("assertion.view", "see statements to the regulator and their evidence");
    public static Permission AssertionEdit { get; } = AboutClinic("assertion.edit", "write statements to the regulator");
    public static Permission RiskView { get; } = AboutClinic("risk.view", "see vendors, risks and continuity plans");
    public static Permission RiskEdit { get; } = AboutClinic("risk.edit", "change vendors, risks and continuity plans");
    public static Permission RetentionRun { get; } = AboutClinic("retention.run", "run retention and set legal holds");
    public static Permission TrustEdit { get; } = AboutClinic("trust.edit", "edit the public trust pages");

    // log
    public static Permission AuditView { get; } = AboutClinic("audit.view", "read the audit log");
    public static Permission AuditExport { get; } = AboutClinic("audit.export", "export the audit log");
    public static Permission AuditStream { get; } = AboutClinic("audit.stream", "stream the audit log to another system");
    public static Permission InvestigationView { get; } = AboutClinic("investigation.view", "read investigations");
    public static Permission InvestigationEdit { get; } = AboutClinic("investigation.edit", "open and work on investigations");

    // administration
    public static Permission SecurityManage { get; } = AboutClinic("security.manage", "manage sign-in rules, sessions, devices and locked accounts");
    public static Permission TeamManage { get; } = AboutClinic("team.manage", "invite people and manage their accounts");
    public static Permission RolesManage { get; } = AboutClinic("roles.manage", "make roles and grant or deny permissions");
    public static Permission ElevationApprove { get; } = AboutClinic("elevation.approve", "approve temporary access");
    public static Permission EmergencyReview { get; } = AboutClinic("emergency.review", "review emergency access");
    public static Permission AccessReview { get; } = AboutClinic("access.review", "review who has which access");
    public static Permission TokenManage { get; } = AboutClinic("token.manage", "make and revoke API tokens");
    public static Permission SettingsEdit { get; } = AboutClinic("settings.edit", "change the clinic's settings");
    public static Permission PlanManage { get; } = AboutClinic("plan.manage", "change the clinic's plan");
    public static Permission KeyManage { get; } = AboutClinic("key.manage", "manage encryption keys");
    public static Permission BackupRun { get; } = AboutClinic("backup.run", "run sealed backups");
    public static Permission BackupRestore { get; } = AboutClinic("backup.restore", "restore from a backup");
    public static Permission ExportFull { get; } = AboutClinic("export.full", "export everything the clinic holds");
    public static Permission ImportFull { get; } = AboutClinic("import.full", "import a whole clinic");

    /// <summary>Every permission there is, in the order people read them.</summary>
    public static ImmutableArray<Permission> All { get; } = [.. Defined];

    // Here and not beside TryFind: initialisers run in textual order only within one file.
    private static readonly FrozenDictionary<string, Permission> ByCode = All.ToFrozenDictionary(p => p.Code, StringComparer.Ordinal);

    private static Permission AboutPatient(string code, string sentence) => Define(code, PermissionAbout.Patient, false, sentence);

    private static Permission Clinical(string code, string sentence) => Define(code, PermissionAbout.Patient, true, sentence);

    // About the clinic although it opens a patient: reaching an unrelated patient is what it is for, and asking for it must not tell who is on the register.
    private static Permission ClinicalAct(string code, string sentence) => Define(code, PermissionAbout.Clinic, true, sentence);

    private static Permission AboutStaff(string code, string sentence) => Define(code, PermissionAbout.Staff, false, sentence);

    private static Permission AboutClinic(string code, string sentence) => Define(code, PermissionAbout.Clinic, false, sentence);

    private static Permission Define(string code, PermissionAbout about, bool clinical, string sentence)
    {
        var permission = new Permission(code, about, clinical, sentence) { Index = Defined.Count };
        Defined.Add(permission);
        return permission;
    }
}
