using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Shows what a clinic can set about its schedule.</summary>
internal sealed record ViewScheduleSettings : IOperation<ScheduleSettings>
{
    public static Policy Policy { get; } = Policy.Unlogged("how a clinic sorts its appointments and names its rooms; nobody's data").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

/// <summary>The schedule's settings.</summary>
/// <param name="Types">Sorts of appointment in order, retired ones too.</param>
/// <param name="Rooms">By name, those out of use too.</param>
/// <param name="FeedsNamePatients">Whether calendar feeds say who comes.</param>
/// <param name="Version">Of the settings themselves, for the change.</param>
public sealed record ScheduleSettings(IReadOnlyList<AppointmentType> Types, IReadOnlyList<Room> Rooms, bool FeedsNamePatients, long Version);

/// <summary>Changes whether calendar feeds, which leave the clinic's walls, say who comes.</summary>
/// <param name="FeedsNamePatients">Whether they do.</param>
/// <param name="IfVersion">The version the caller saw, 0 for none; null is refused.</param>
internal sealed record ChangeScheduleSettings(bool FeedsNamePatients, long? IfVersion) : IOperation<ScheduleSettings>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class ScheduleSettingsHandler(IHandler<ListRooms, IReadOnlyList<Room>> rooms) : IHandler<ViewScheduleSettings, ScheduleSettings>, IHandler<ChangeScheduleSettings, ScheduleSettings>
{
    public async Task<Result<ScheduleSettings>> Handle(ViewScheduleSettings request, OperationScope scope, CancellationToken cancel)
    {
        var row = await scope.OpenOne(scope.Db.Set<ScheduleSettingsRow>().AsNoTracking(), cancel);
        var listed = await rooms.Handle(new(Retired: true), scope, cancel);
        return new ScheduleSettings((await AppointmentTypes.Read(scope, cancel)).All, listed.Value, row?.FeedsNamePatients ?? false, row?.Version ?? 0);
    }

    public async Task<Result<ScheduleSettings>> Handle(ChangeScheduleSettings request, OperationScope scope, CancellationToken cancel)
    {
        await scope.TakeTurns([scope.Tenant.Id], cancel);
        var row = await scope.OpenOne(scope.Db.Set<ScheduleSettingsRow>(), cancel);
        if (request.IfVersion is null) return PlatformErrors.PreconditionRequired;
        if ((row?.Version ?? 0) != request.IfVersion) return PlatformErrors.Changed;
        if (row is null)
        {
            scope.Add(new ScheduleSettingsRow { Id = scope.Tenant.Id, FeedsNamePatients = request.FeedsNamePatients, Payload = new() });
            if (request.FeedsNamePatients) scope.NoteChange("feeds_name_patients", "False", "True");
        }
        else
        {
            row.FeedsNamePatients = request.FeedsNamePatients;
        }
        await scope.Flush(cancel);
        return await Handle(new ViewScheduleSettings(), scope, cancel);
    }
}
