using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Server.Demo;

/// <summary>Gives a demo clinic rooms, somebody on leave, and patients who wait for a time.</summary>
/// <param name="Away">Whose leave.</param>
/// <param name="From">Its first day.</param>
/// <param name="To">The day after its last.</param>
/// <param name="Waiting">Who waits, the most urgent first.</param>
internal sealed record AddDemoRota(Guid Away, DateOnly From, DateOnly To, IReadOnlyList<Guid> Waiting) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").About(Resource.Clinic).ForSystem("the demo fills its own clinics");
}

internal sealed class AddDemoRotaHandler : IHandler<AddDemoRota, Done>
{
    private static readonly string[] Rooms = ["Consulting room 1", "Consulting room 2", "Consulting room 3", "Treatment room"];
    private static readonly (string Type, int Minutes, string? Note)[] Wishes = [("consultation", 15, "Rather by telephone than not at all"), ("follow_up", 10, null), ("procedure", 40, "Needs somebody to drive them home"), ("nurse", 20, null)];

    public async Task<Result<Done>> Handle(AddDemoRota request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("demo");
        if (await scope.Db.Set<RoomRow>().AnyAsync(cancel)) return default(Done);   // a fill that broke off later goes on
        var zone = ClinicTime.ZoneOf(scope.Tenant);
        await scope.Writer.Insert([.. Rooms.Select(name => new RoomRow { Id = scope.NewId(), Payload = new(name) })], cancel);
        LeaveRow[] leave = [new() { Id = scope.NewId(), SubjectId = request.Away, StartsAt = ClinicTime.StartOf(request.From, zone), EndsAt = ClinicTime.StartOf(request.To, zone), Payload = new("annual", null) }];
        await scope.Writer.Insert(leave, cancel);
        WaitingRow[] waiting =
        [
            .. request.Waiting.Zip(Wishes).Select((wish, i) => new WaitingRow
            {
                Id = scope.NewId(), SubjectId = wish.First, Priority = (short)Math.Min(i + 1, 3), Earliest = ClinicTime.DayOf(scope.Now, zone), AddedAt = scope.Now.AddDays(i - 6),
                Payload = new(wish.Second.Type, wish.Second.Minutes, [], wish.Second.Note),
            }),
        ];
        await scope.Writer.Insert(waiting, cancel);
        foreach (var row in waiting) scope.Show(row);
        return default(Done);
    }
}
