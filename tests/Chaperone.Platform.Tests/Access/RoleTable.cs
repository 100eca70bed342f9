using Chaperone.Platform.Access;

namespace Chaperone.Platform.Tests.Access;

/// <summary>Who may do what, written down a second time from the design's table and apart from the code, so that a change of either is a decision.</summary>
internal static class RoleTable
{
    private const string ClinicalContent = """
        note.view note.write prescription.view prescription.write prescription.controlled result.view result.write file.view file.upload file.delete ai.draft emergency.use
        """;

    private const string EverythingElse = """
        patient.view patient.view.masked patient.edit patient.merge patient.delete patient.erase patient.import patient.export patient.subject_access access_log.view
        schedule.view schedule.edit schedule.attend proposal.view proposal.write
        invoice.view invoice.edit invoice.void invoice.export payment.view payment.take payment.card_store payment.refund payment.report
        commission.view commission.export payroll.view payroll.edit
        staff.view staff.edit rota.view rota.edit hr.view hr.edit hr.reveal hr.export absence.view absence.edit absence.approve timesheet.view timesheet.edit timesheet.approve
        training.view training.edit credential.view credential.edit
        report.view incident.view incident.edit assertion.view assertion.edit risk.view risk.edit retention.run trust.edit
        audit.view audit.export audit.stream investigation.view investigation.edit
        security.manage team.manage roles.manage elevation.approve emergency.review access.review token.manage settings.edit plan.manage key.manage backup.run backup.restore
        export.full import.full
        """;

    // role: permission, permission@own (only about oneself), permission@shared (own, assigned or shared)
    private const string Table = $"""
        owner: {EverythingElse}
        none: {ClinicalContent}
        admin: patient.view patient.import patient.export staff.view staff.edit team.manage roles.manage security.manage settings.edit token.manage access_log.view audit.view audit.export audit.stream investigation.view investigation.edit retention.run elevation.approve emergency.review access.review backup.run
        manager: schedule.view schedule.edit schedule.attend report.view staff.view rota.view rota.edit incident.view incident.edit assertion.view assertion.edit risk.view risk.edit team.manage
        doctor: patient.view patient.edit patient.delete note.view note.write prescription.view prescription.write prescription.controlled result.view result.write file.view file.upload file.delete ai.draft emergency.use schedule.view schedule.attend proposal.view proposal.write commission.view@own
        nurse: patient.view patient.edit note.view note.write prescription.view prescription.write result.view result.write file.view file.upload ai.draft emergency.use schedule.view schedule.attend
        clinical: patient.view@shared note.view@shared note.write@shared result.view@shared file.view@shared ai.draft@shared schedule.view@shared schedule.attend@shared emergency.use
        reception: patient.view patient.edit patient.import patient.merge schedule.view schedule.edit schedule.attend proposal.view invoice.view payment.view payment.take payment.card_store
        hr: staff.view staff.edit rota.view hr.view hr.edit hr.reveal hr.export absence.view absence.edit absence.approve timesheet.view timesheet.edit timesheet.approve training.view training.edit credential.view credential.edit
        finance: invoice.view invoice.edit invoice.void invoice.export payment.view payment.take payment.refund payment.report commission.view commission.export payroll.view payroll.edit
        readonly: patient.view.masked access_log.view audit.view report.view staff.view rota.view training.view credential.view incident.view assertion.view risk.view
        employee: hr.view@own absence.view@own absence.edit@own timesheet.view@own timesheet.edit@own access_log.view@own
        patient: patient.view@own note.view@own prescription.view@own result.view@own file.view@own schedule.view@own proposal.view@own invoice.view@own payment.view@own access_log.view@own
        """;

    public static readonly IReadOnlySet<string> AboutPatients = Words("""
        patient.view patient.view.masked patient.edit patient.merge patient.delete patient.erase patient.import patient.export patient.subject_access access_log.view
        note.view note.write prescription.view prescription.write prescription.controlled result.view result.write file.view file.upload file.delete ai.draft
        schedule.view schedule.edit schedule.attend proposal.view proposal.write invoice.view invoice.edit invoice.void payment.view payment.take payment.card_store payment.refund
        """).ToHashSet();

    public static readonly IReadOnlySet<string> AboutStaff = Words("""
        commission.view commission.export payroll.view payroll.edit staff.view staff.edit rota.view rota.edit hr.view hr.edit hr.reveal hr.export
        absence.view absence.edit absence.approve timesheet.view timesheet.edit timesheet.approve training.view training.edit credential.view credential.edit
        """).ToHashSet();

    public static readonly Dictionary<string, Dictionary<string, Relation>> Roles = Parse();

    public static Relation? Weakest(string role, string permission) => Roles[role].TryGetValue(permission, out var relation) ? relation : null;

    private static Dictionary<string, Dictionary<string, Relation>> Parse()
    {
        var roles = new Dictionary<string, Dictionary<string, Relation>>();
        Dictionary<string, Relation>? rights = null;
        foreach (var word in Words(Table))
        {
            if (word.EndsWith(':'))
            {
                roles[word[..^1]] = rights = [];
                continue;
            }
            var parts = word.Split('@');
            rights!.Add(parts[0], parts.ElementAtOrDefault(1) switch { "own" => Relation.Own, "shared" => Relation.Shared, _ => Relation.SameClinic });
        }
        return roles;
    }

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
