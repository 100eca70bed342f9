using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>Shows one appointment with the name of its practitioner and of its type: what its page needs, in one look.</summary>
/// <param name="AppointmentId">Which.</param>
internal sealed record ViewAppointmentSheet(Guid AppointmentId) : IOperation<AppointmentSheet>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("appointment.viewed").Needs(Permission.ScheduleView).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

/// <summary>An appointment as its page shows it.</summary>
/// <param name="Appointment">The appointment.</param>
/// <param name="Practitioner">The name of who sees the patient.</param>
/// <param name="Type">Its sort; null for one that is not known any more.</param>
/// <param name="Room">Where, or null.</param>
public sealed record AppointmentSheet(Appointment Appointment, string Practitioner, AppointmentType? Type, string? Room);

internal sealed class ViewAppointmentSheetHandler(IHandler<ViewAppointment, Appointment> view, IHandler<ListAppointmentTypes, IReadOnlyList<AppointmentType>> types, IHandler<ListRooms, IReadOnlyList<Room>> rooms) : IHandler<ViewAppointmentSheet, AppointmentSheet>
{
    public async Task<Result<AppointmentSheet>> Handle(ViewAppointmentSheet request, OperationScope scope, CancellationToken cancel)
    {
        var viewed = await view.Handle(new(request.AppointmentId), scope, cancel);
        if (viewed.Error is { } refused) return refused;
        var sorts = await types.Handle(new(Retired: true), scope, cancel);
        if (sorts.Error is { } unsorted) return unsorted;
        var places = await rooms.Handle(new(Retired: true), scope, cancel);
        if (places.Error is { } unplaced) return unplaced;
        var member = await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == viewed.Value.PractitionerId), cancel);
        return new AppointmentSheet(viewed.Value, member?.Payload.Name ?? "Nobody known", sorts.Value.FirstOrDefault(type => type.Code == viewed.Value.Type), places.Value.FirstOrDefault(room => room.Id == viewed.Value.RoomId)?.Name);
    }
}
