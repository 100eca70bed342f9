using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
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

/// <summary>Counts, and one patient for the patient's account.</summary>
internal sealed record DemoCounts(int Patients, Guid? FirstPatient, int Members);

internal sealed class CountDemoHandler : IHandler<CountDemo, DemoCounts>
{
    public async Task<Result<DemoCounts>> Handle(CountDemo request, OperationScope scope, CancellationToken cancel)
    {
        var patients = await scope.Db.Set<PatientRow>().OrderBy(patient => patient.Id).Select(patient => patient.Id).ToListAsync(cancel);
        var members = await scope.Db.Set<MemberRow>().CountAsync(cancel);
        return new DemoCounts(patients.Count, patients.Count == 0 ? null : patients[0], members);
    }
}
