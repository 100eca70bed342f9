using Chaperone.Clinic.Patients;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>A room as shown.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Version">Version of the record: the ETag.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Active">Whether it can be chosen.</param>
public sealed record Room(Guid Id, long Version, string Name, bool Active);

/// <summary>Shows the clinic's rooms, by name.</summary>
/// <param name="Retired">Whether to show those too that cannot be chosen any more.</param>
internal sealed record ListRooms(bool Retired = false) : IOperation<IReadOnlyList<Room>>
{
    public static Policy Policy { get; } = Policy.Unlogged("what a clinic's rooms are called; nobody's data").Needs(Permission.ScheduleView).Lists(AppointmentResource.Appointment);
}

/// <summary>Adds a room.</summary>
/// <param name="Name">What it is called.</param>
internal sealed record AddRoom(string? Name) : IOperation<Room>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(RoomResource.Room);
}

/// <summary>Renames a room, or takes it out of use or back. Appointments that are in it stay in it.</summary>
/// <param name="RoomId">Which.</param>
/// <param name="Name">What it is called from now on.</param>
/// <param name="Active">Whether it can be chosen.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record ChangeRoom(Guid RoomId, string? Name, bool Active, long? IfVersion) : IOperation<Room>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(RoomResource.Room);

    Guid IAbout.ResourceId => RoomId;
}

/// <summary>Rooms as what operations are about.</summary>
internal static class RoomResource
{
    public static readonly Resource Room = Resource.Define("room", "SELECT 1 FROM clinic.room WHERE id = $1");
}

internal sealed class RoomsHandler : IHandler<ListRooms, IReadOnlyList<Room>>, IHandler<AddRoom, Room>, IHandler<ChangeRoom, Room>
{
    private const int LongestName = 60;
    private static readonly StringComparer ByName = StringComparer.Create(System.Globalization.CultureInfo.GetCultureInfo("en-GB"), ignoreCase: true);

    public async Task<Result<IReadOnlyList<Room>>> Handle(ListRooms request, OperationScope scope, CancellationToken cancel)
    {
        var rows = await scope.OpenCandidates(scope.Db.Set<RoomRow>().AsNoTracking().Where(row => row.Active || request.Retired), cancel);
        return Result<IReadOnlyList<Room>>.Of([.. rows.Select(Shown).OrderBy(room => room.Name, ByName).ThenBy(room => room.Id)]);
    }

    public async Task<Result<Room>> Handle(AddRoom request, OperationScope scope, CancellationToken cancel)
    {
        var name = PersonDetails.Tidy(request.Name);
        if (await Fault(name, null, scope, cancel) is { } fault) return fault;
        var row = new RoomRow { Id = scope.NewId(), Payload = new(name!) };
        scope.Add(row);
        scope.Concerns(RoomResource.Room.Type, row.Id);
        scope.NoteChange("room", null, name);
        await scope.Flush(cancel);
        return Shown(row);
    }

    public async Task<Result<Room>> Handle(ChangeRoom request, OperationScope scope, CancellationToken cancel)
    {
        var name = PersonDetails.Tidy(request.Name);
        if (await Fault(name, request.RoomId, scope, cancel) is { } fault) return fault;
        if (await scope.OpenOne(scope.Db.Set<RoomRow>().Where(row => row.Id == request.RoomId), cancel) is not { } row) return PlatformErrors.NotFound;
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (row.Payload.Name != name) scope.NoteChange("room", row.Payload.Name, name);
        (row.Payload, row.Active) = (new(name!), request.Active);
        await scope.Flush(cancel);
        return Shown(row);
    }

    private static async Task<Error?> Fault(string? name, Guid? except, OperationScope scope, CancellationToken cancel)
    {
        if (name is null) return ScheduleErrors.DetailsInvalid.With("name", "Enter the room's name.");
        if (Schedule.Wanted.Fault(name, LongestName) is { } fault) return ScheduleErrors.DetailsInvalid.With("name", fault);
        await scope.TakeTurns([scope.Tenant.Id], cancel);   // two of one name at once
        var others = await scope.OpenCandidates(scope.Db.Set<RoomRow>().AsNoTracking().Where(row => row.Id != except), cancel);
        return others.Exists(row => ByName.Equals(row.Payload.Name, name)) ? ScheduleErrors.DetailsInvalid.With("name", "Another room has this name.") : null;
    }

    private static Room Shown(RoomRow row) => new(row.Id, row.Version, row.Payload.Name, row.Active);
}
