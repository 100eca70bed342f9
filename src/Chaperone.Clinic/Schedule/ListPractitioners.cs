using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>Somebody patients are booked with.</summary>
/// <param name="Id">Their account.</param>
/// <param name="Name">Their name.</param>
/// <param name="Title">Professional title, or null.</param>
/// <param name="Roles">Those of their roles whose holders see patients.</param>
/// <param name="Colour">A code of <see cref="StaffColour.All"/>; always the same for one person while none is chosen.</param>
/// <param name="Registration">Their entry in a professional register, or null.</param>
public sealed record Practitioner(Guid Id, string Name, string? Title, IReadOnlyList<string> Roles, string? Colour = null, Registration? Registration = null);

/// <summary>Shows with whom patients can be booked, by name. A patient sees those they have been booked with.</summary>
internal sealed record ListPractitioners : IOperation<IReadOnlyList<Practitioner>>
{
    public static Policy Policy { get; } = Policy.Reads("practitioner.listed").Needs(Permission.ScheduleView).Lists(MemberRow.Resource);
}

internal sealed class ListPractitionersHandler(Diary diary) : IHandler<ListPractitioners, IReadOnlyList<Practitioner>>
{
    private static readonly StringComparer ByName = StringComparer.Create(System.Globalization.CultureInfo.GetCultureInfo("en-GB"), ignoreCase: true);

    public async Task<Result<IReadOnlyList<Practitioner>>> Handle(ListPractitioners request, OperationScope scope, CancellationToken cancel)
    {
        var roles = ScheduleCodes.PractitionerRoles;
        var opened = await scope.Open(diary.Bookable(), cancel);
        return Result<IReadOnlyList<Practitioner>>.Of(
            [.. opened.Select(row => new Practitioner(row.Id, row.Payload.Name, row.Payload.Title, [.. row.Roles.Intersect(roles)], StaffColour.Of(row.Id, row.Payload.Colour), row.Payload.Registration)).OrderBy(practitioner => practitioner.Name, ByName).ThenBy(practitioner => practitioner.Id)]);
    }
}

/// <summary>Shows which sorts of appointment there are, in the clinic's order.</summary>
/// <param name="Retired">Whether to show those too that cannot be chosen any more; appointments of the past have them.</param>
internal sealed record ListAppointmentTypes(bool Retired = false) : IOperation<IReadOnlyList<AppointmentType>>
{
    public static Policy Policy { get; } = Policy.Unlogged("how a clinic sorts its appointments; nobody's data").Needs(Permission.ScheduleView).Lists(AppointmentResource.Appointment);
}

internal sealed class ListAppointmentTypesHandler : IHandler<ListAppointmentTypes, IReadOnlyList<AppointmentType>>
{
    public async Task<Result<IReadOnlyList<AppointmentType>>> Handle(ListAppointmentTypes request, OperationScope scope, CancellationToken cancel)
    {
        var types = await AppointmentTypes.Read(scope, cancel);
        return Result<IReadOnlyList<AppointmentType>>.Of(request.Retired ? types.All : [.. types.Active]);
    }
}
