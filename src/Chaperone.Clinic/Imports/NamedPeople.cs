using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>Whom some rows of appointments name: looked up together, a few queries for all of them.</summary>
internal sealed class NamedPeople
{
    private readonly HashSet<Guid> patients = [];
    private readonly HashSet<Guid> bookablePatients = [];
    private readonly Dictionary<Guid, bool> practitioners = [];
    private IReadOnlyDictionary<string, Guid> patientsByExternalId = new Dictionary<string, Guid>();
    private IReadOnlyDictionary<string, Guid> patientsByNumber = new Dictionary<string, Guid>();
    private IReadOnlyDictionary<string, Guid> membersByExternalId = new Dictionary<string, Guid>();
    private Roster? team;

    public static async Task<NamedPeople> OpenAsync(OperationScope scope, string source, IReadOnlyList<ReadAppointment> rows, CancellationToken cancel)
    {
        var register = new PatientRegister(scope);
        var named = new NamedPeople
        {
            patientsByExternalId = await register.FindExternal(source, Named(row => row.PatientExternalId), cancel),
            patientsByNumber = await register.FindNhsNumbers(Named(row => row.NhsNumber), cancel),
            membersByExternalId = await new ForeignIds(scope, ForeignIds.Member).FindAsync(source, Named(row => row.PractitionerExternalId), cancel),
            team = rows.Any(row => (row.PractitionerEmail ?? row.PractitionerName) is not null) ? await Roster.OpenAsync(scope, cancel) : null,
        };
        var own = rows.Select(row => row.PatientId).OfType<Guid>().Distinct().ToArray();
        if (own.Length > 0) named.patients.UnionWith(await scope.Db.Set<PatientRow>().Where(row => own.Contains(row.Id)).Select(row => row.Id).ToListAsync(cancel));
        var clinical = ScheduleCodes.PractitionerRoles;
        foreach (var row in await scope.Db.Set<MemberRow>().Where(row => row.PatientId == null && row.Roles.Any(role => clinical.Contains(role))).Select(row => new { row.Id, row.Status }).ToListAsync(cancel))
            named.practitioners[row.Id] = row.Status == MemberRow.Active;
        // Who is booked must be alive and not archived; history may be anybody's.
        var ahead = rows.Where(row => row.Faults.Count == 0 && row.StartsAt > scope.Now).Select(row => named.PatientOf(row).Id).OfType<Guid>().Distinct().ToArray();
        if (ahead.Length > 0)
            named.bookablePatients.UnionWith((await scope.OpenCandidates(scope.Db.Set<PatientRow>().AsNoTracking().Where(row => ahead.Contains(row.Id) && row.Status == PatientRow.Active), cancel)).Where(row => row.Payload.DateOfDeath is null).Select(row => row.Id));
        return named;

        string[] Named(Func<ReadAppointment, string?> by) => [.. rows.Select(by).OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The patient the row names, or the code of what is wrong. Where it names them in several ways, all that are known here must agree.</summary>
    public (Guid? Id, string? Fault) PatientOf(ReadAppointment row)
    {
        var found = new HashSet<Guid>();
        if (row.PatientId is { } own && patients.Contains(own)) found.Add(own);
        if (row.PatientExternalId is { } external && patientsByExternalId.TryGetValue(external, out var byId)) found.Add(byId);
        if (row.NhsNumber is { } number && patientsByNumber.TryGetValue(number, out var byNumber)) found.Add(byNumber);
        return found.Count switch { 1 => (found.Single(), null), 0 => (null, FindingCodes.PatientUnknown), _ => (null, FindingCodes.PatientUnclear) };
    }

    /// <summary>The same for the practitioner. A name that several have is decided by id or address, if there is one.</summary>
    public (Guid? Id, string? Fault) PractitionerOf(ReadAppointment row)
    {
        var found = new HashSet<Guid>();
        if (row.PractitionerExternalId is { } external && membersByExternalId.TryGetValue(external, out var byId)) found.Add(byId);
        if (row.PractitionerEmail is { } address) found.UnionWith(team!.At(address));
        found.IntersectWith(practitioners.Keys);
        if (row.PractitionerName is { } name && team!.Named(name).Where(practitioners.ContainsKey).ToArray() is { Length: > 0 } named && (found.Count == 0 || !named.Any(found.Contains))) found.UnionWith(named);
        return found.Count switch { 1 => (found.Single(), null), 0 => (null, FindingCodes.PractitionerUnknown), _ => (null, FindingCodes.PractitionerUnclear) };
    }

    /// <summary>Whether a patient of a row that is still to come can be booked.</summary>
    public bool MayBeBooked(Guid patient) => bookablePatients.Contains(patient);

    public bool IsBookable(Guid practitioner) => practitioners[practitioner];
}
