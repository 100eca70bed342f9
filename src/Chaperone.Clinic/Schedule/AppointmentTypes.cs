using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>
/// The sorts of appointment of one clinic: the usual ones, each as the clinic changed it, and its own. One small query, which every booking and every day makes.
/// </summary>
internal sealed class AppointmentTypes
{
    private AppointmentTypes(IReadOnlyList<AppointmentType> all) => All = all;

    /// <summary>Retired ones too, in order.</summary>
    public IReadOnlyList<AppointmentType> All { get; }

    /// <summary>Those that can be chosen, in order.</summary>
    public IEnumerable<AppointmentType> Active => All.Where(type => type.Active);

    public AppointmentType? Find(string? code) => All.FirstOrDefault(type => type.Code == code);

    public static AppointmentTypes Usual { get; } = new(ScheduleCodes.UsualTypes);

    public static async Task<AppointmentTypes> Read(OperationScope scope, CancellationToken cancel)
    {
        var rows = await scope.OpenCandidates(scope.Db.Set<AppointmentTypeRow>().AsNoTracking(), cancel);
        return rows.Count == 0 ? Usual : Of(rows);
    }

    public static AppointmentTypes Of(IReadOnlyList<AppointmentTypeRow> rows)
    {
        var changed = rows.ToDictionary(row => row.Code, row => new AppointmentType(row.Code, row.Payload.Name, row.Payload.Minutes, row.Payload.Colour, row.Payload.Active, row.Payload.Order, row.Version), StringComparer.Ordinal);
        return new([.. ScheduleCodes.UsualTypes.Where(type => !changed.ContainsKey(type.Code)).Concat(changed.Values).OrderBy(type => type.Order).ThenBy(type => type.Name, StringComparer.Ordinal)]);
    }
}
