using System.Globalization;
using System.Text;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Adds a sort of appointment; its code is made of its name.</summary>
/// <param name="Wanted">What it is like.</param>
internal sealed record AddAppointmentType(TypedType Wanted) : IOperation<AppointmentType>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

/// <summary>Changes a sort of appointment, retires it or brings it back. Appointments keep it either way.</summary>
/// <param name="Code">Which.</param>
/// <param name="Wanted">What it is like from now on.</param>
/// <param name="IfVersion">The version the caller saw, 0 for one that is as the program has it; null is refused.</param>
internal sealed record ChangeAppointmentType(string Code, TypedType Wanted, long? IfVersion) : IOperation<AppointmentType>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

/// <summary>A sort of appointment as typed.</summary>
/// <param name="Name">What people read.</param>
/// <param name="Minutes">How long one usually lasts.</param>
/// <param name="Colour">A code of <see cref="ScheduleCodes.Colours"/>.</param>
/// <param name="Active">Whether it can be chosen.</param>
/// <param name="Order">Where it stands among the others; null for last.</param>
internal sealed record TypedType(string? Name, int? Minutes, string? Colour, bool Active = true, int? Order = null)
{
    private const int LongestName = 60;

    public Result<TypeDetails> Read(int last)
    {
        var (error, name) = (ScheduleErrors.DetailsInvalid, PersonDetails.Tidy(Name));
        if (name is null) error = error.With("name", "Enter what people read.");
        else if (Schedule.Wanted.Fault(name, LongestName) is { } fault) error = error.With("name", fault);
        if (Minutes is null or < 1 or > 720) error = error.With("minutes", "Enter whole minutes, from one to 720.");
        if (!ScheduleCodes.Colours.Has(Colour)) error = error.With("colour", $"Choose a colour: {string.Join(", ", ScheduleCodes.Colours.Select(choice => choice.Value))}.");
        if (Order is < 0 or > 9999) error = error.With("order", "Enter a number up to 9999.");
        return error.Fields.Count > 0 ? error : new TypeDetails(name!, Minutes!.Value, Colour!, Active, Order ?? last);
    }
}

internal sealed class ChangeAppointmentTypesHandler : IHandler<AddAppointmentType, AppointmentType>, IHandler<ChangeAppointmentType, AppointmentType>
{
    private const int Most = 100;

    public async Task<Result<AppointmentType>> Handle(AddAppointmentType request, OperationScope scope, CancellationToken cancel)
    {
        await scope.TakeTurns([scope.Tenant.Id], cancel);
        var types = await AppointmentTypes.Read(scope, cancel);
        var wanted = request.Wanted.Read(types.All.Max(type => type.Order) + 10);
        if (wanted.Error is { } invalid) return invalid;
        if (Fault(types, null, wanted.Value) is { } fault) return fault;
        if (types.All.Count >= Most) return ScheduleErrors.DetailsInvalid.With("name", $"At most {Most} types.");
        return await Put(new() { Id = scope.NewId(), Code = NewCode(wanted.Value.Name, types), Payload = wanted.Value }, null, scope, cancel);
    }

    public async Task<Result<AppointmentType>> Handle(ChangeAppointmentType request, OperationScope scope, CancellationToken cancel)
    {
        await scope.TakeTurns([scope.Tenant.Id], cancel);
        var types = await AppointmentTypes.Read(scope, cancel);
        if (types.Find(request.Code) is not { } before) return PlatformErrors.NotFound;
        if (request.IfVersion is null) return PlatformErrors.PreconditionRequired;
        if (before.Version != request.IfVersion) return PlatformErrors.Changed;
        var wanted = request.Wanted.Read(before.Order);
        if (wanted.Error is { } invalid) return invalid;
        if (Fault(types, before.Code, wanted.Value) is { } fault) return fault;
        var row = await scope.OpenOne(scope.Db.Set<AppointmentTypeRow>().Where(row => row.Code == before.Code), cancel);
        if (row is null) return await Put(new() { Id = scope.NewId(), Code = before.Code, Payload = wanted.Value }, before, scope, cancel);
        row.Payload = wanted.Value;
        return await Written(row, before, scope, cancel);
    }

    private static Task<Result<AppointmentType>> Put(AppointmentTypeRow row, AppointmentType? before, OperationScope scope, CancellationToken cancel)
    {
        scope.Add(row);
        return Written(row, before, scope, cancel);
    }

    private static async Task<Result<AppointmentType>> Written(AppointmentTypeRow row, AppointmentType? before, OperationScope scope, CancellationToken cancel)
    {
        var now = row.Payload;
        Note("name", before?.Name, now.Name);
        Note("minutes", before?.Minutes.ToString(CultureInfo.InvariantCulture), now.Minutes.ToString(CultureInfo.InvariantCulture));
        Note("colour", before?.Colour, now.Colour);
        Note("active", before is null ? null : before.Active ? "true" : "false", now.Active ? "true" : "false");
        Note("order", before?.Order.ToString(CultureInfo.InvariantCulture), now.Order.ToString(CultureInfo.InvariantCulture));
        await scope.Flush(cancel);
        return new AppointmentType(row.Code, now.Name, now.Minutes, now.Colour, now.Active, now.Order, row.Version);

        void Note(string field, string? from, string to)
        {
            if (from != to) scope.NoteChange($"appointment_type.{row.Code}.{field}", from, to);
        }
    }

    private static Error? Fault(AppointmentTypes types, string? code, TypeDetails wanted)
    {
        if (types.All.Any(type => type.Code != code && string.Equals(type.Name, wanted.Name, StringComparison.OrdinalIgnoreCase))) return ScheduleErrors.DetailsInvalid.With("name", "Another type has this name.");
        return !wanted.Active && types.Active.All(type => type.Code == code) ? ScheduleErrors.DetailsInvalid.With("active", "One type must stay in use.") : null;
    }

    // Lower-case words of the name; with a number where that is taken. It never changes with the name.
    private static string NewCode(string name, AppointmentTypes types)
    {
        var text = new StringBuilder();
        foreach (var letter in name.Normalize(NormalizationForm.FormD).ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(letter)) text.Append(letter);
            else if (text.Length > 0 && text[^1] != '_' && !char.IsHighSurrogate(letter) && CharUnicodeInfo.GetUnicodeCategory(letter) != UnicodeCategory.NonSpacingMark) text.Append('_');
        }
        var code = text.ToString(0, Math.Min(text.Length, 40)).Trim('_');
        if (code.Length == 0) code = "type";
        return types.Find(code) is null ? code : Enumerable.Range(2, Most + 2).Select(number => string.Create(CultureInfo.InvariantCulture, $"{code}_{number}")).First(free => types.Find(free) is null);
    }
}
