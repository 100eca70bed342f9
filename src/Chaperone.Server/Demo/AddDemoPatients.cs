using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Server.Demo;

/// <summary>Adds synthetic people to a demo clinic's register.</summary>
internal sealed record AddDemoPatients(IReadOnlyList<PersonDetails> People) : IOperation<IReadOnlyList<Guid>>
{
    public static Policy Policy { get; } = Policy.Changes("patient.created").About(PatientResource.Patient).ForSystem("the demo fills its own clinics");
}

internal sealed class AddDemoPatientsHandler(PatientRegister register) : IHandler<AddDemoPatients, IReadOnlyList<Guid>>
{
    public async Task<Result<IReadOnlyList<Guid>>> Handle(AddDemoPatients request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("demo");
        scope.Note("rows", request.People.Count);
        var rows = await register.AddMany(request.People, cancel);
        return Result<IReadOnlyList<Guid>>.Of([.. rows.Select(row => row.Id)]);
    }
}

/// <summary>What a demo clinic holds already, so that a fill that broke off goes on.</summary>
internal sealed record CountDemo : IOperation<DemoCounts>
{
    public static Policy Policy { get; } = Policy.Unlogged("counts, no record").ForSystem("the demo fills its own clinics");
}

/// <summary>Who there is, and how many appointments; the first patient has the patient's account.</summary>
internal sealed record DemoCounts(IReadOnlyList<Guid> Patients, int Members, IReadOnlyList<(Guid Id, bool Nurse)> Practitioners, int Appointments);

internal sealed class CountDemoHandler : IHandler<CountDemo, DemoCounts>
{
    public async Task<Result<DemoCounts>> Handle(CountDemo request, OperationScope scope, CancellationToken cancel)
    {
        var patients = await scope.Db.Set<PatientRow>().OrderBy(patient => patient.Id).Select(patient => patient.Id).ToListAsync(cancel);
        var members = await scope.Db.Set<MemberRow>().OrderBy(member => member.Id).Select(member => new { member.Id, member.Roles }).ToListAsync(cancel);
        return new DemoCounts(
            patients, members.Count, [.. members.Where(member => member.Roles.Intersect(ScheduleCodes.PractitionerRoles).Any()).Select(member => (member.Id, member.Roles.Contains(BuiltInRole.Nurse.Code)))],
            await scope.Db.Set<AppointmentRow>().CountAsync(cancel));
    }
}
