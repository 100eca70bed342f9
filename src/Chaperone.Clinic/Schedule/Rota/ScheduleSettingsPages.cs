using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>The pages under Settings › Schedule: sorts of appointment, rooms, what calendar feeds say.</summary>
internal static class ScheduleSettingsPages
{
    public const string Home = "/settings/schedule", NewType = Home + "/add-type", NewRoom = Home + "/add-room", Types = Home + "/types/", Rooms = Home + "/rooms/", Feeds = Home + "/feeds";
    private static readonly string[] TypeFields = ["name", "minutes", "colour", "order", "active"], RoomFields = ["name", "active"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.Get(Home, async http =>
        {
            var settings = await http.Run(new ViewScheduleSettings());
            return settings.Error is { } error ? await http.PageError(error) : await http.Page<ScheduleSettingsPage>(new { Settings = settings.Value });
        }).Runs(typeof(ViewScheduleSettings));
        pages.Get(NewType, http => Type(http, null)).Runs(typeof(ViewScheduleSettings));
        pages.Post(NewType, http => SaveType(http, null)).Runs(typeof(AddAppointmentType), typeof(ViewScheduleSettings));
        pages.MapGet(Types + "{code}", (HttpContext http, string code) => Type(http, code)).Runs(typeof(ViewScheduleSettings));
        pages.MapPost(Types + "{code}", (HttpContext http, string code) => SaveType(http, code)).Runs(typeof(ChangeAppointmentType), typeof(ViewScheduleSettings));
        pages.Get(NewRoom, http => Room(http, null)).Runs(typeof(ViewScheduleSettings));
        pages.Post(NewRoom, http => SaveRoom(http, null)).Runs(typeof(AddRoom), typeof(ViewScheduleSettings));
        pages.MapGet(Rooms + "{id:guid}", (HttpContext http, Guid id) => Room(http, id)).Runs(typeof(ViewScheduleSettings));
        pages.MapPost(Rooms + "{id:guid}", (HttpContext http, Guid id) => SaveRoom(http, id)).Runs(typeof(ChangeRoom), typeof(ViewScheduleSettings));
        pages.Post(Feeds, async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var named = form.GetValueOrDefault("name") == "true";
            var changed = await http.Run(new ChangeScheduleSettings(named, Version(form)));
            return changed.Error is { } error ? await AccountPages.Failed(http, error, Home) : http.SeeOther(Home, named ? "Calendar feeds now say who comes." : "Calendar feeds no longer say who comes.");
        }).Runs(typeof(ChangeScheduleSettings));
    }

    /// <summary>The version a form was made of; one that no record has for what is none.</summary>
    public static long? Version(IReadOnlyDictionary<string, string> form) => form.GetValueOrDefault("version") is not { Length: > 0 } text ? null : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1;

    /// <summary>The fields at fault, in the form's order; null when none is.</summary>
    public static FormErrors? ErrorsOf(Error error, IEnumerable<string> fields)
    {
        if (error.Code == PlatformErrors.Changed.Code) return new() { { "", "Somebody changed this in the meantime. Open the page anew to see it, then make your change again." } };
        if (error.Fields.Count == 0) return null;
        var errors = new FormErrors();
        foreach (var field in fields)
            if (error.Fields.TryGetValue(field, out var sentence)) errors.Add(field, sentence);
        return errors;
    }

    private static async Task<IResult> Type(HttpContext http, string? code, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var settings = await http.Run(new ViewScheduleSettings());
        if (settings.Error is { } error) return await http.PageError(error);
        var type = code is null ? null : settings.Value.Types.FirstOrDefault(known => known.Code == code);
        if (code is not null && type is null) return await http.PageError(PlatformErrors.NotFound);
        return await http.Page<AppointmentTypePage>(new { Type = type, Form = form ?? FormOf(type), Errors = errors }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static Dictionary<string, string> FormOf(AppointmentType? type) => type is null ? new(StringComparer.Ordinal) { ["active"] = "true" } : new(StringComparer.Ordinal)
    {
        ["name"] = type.Name, ["minutes"] = Text(type.Minutes), ["colour"] = type.Colour, ["order"] = Text(type.Order), ["active"] = type.Active ? "true" : "", ["version"] = Text(type.Version),
    };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<IResult> SaveType(HttpContext http, string? code)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var wanted = new TypedType(form.GetValueOrDefault("name"), Number(form, "minutes"), form.GetValueOrDefault("colour"), form.GetValueOrDefault("active") == "true", Number(form, "order"));
        var saved = code is null ? await http.Run(new AddAppointmentType(wanted with { Active = true })) : await http.Run(new ChangeAppointmentType(code, wanted, Version(form)));
        if (saved.Error is not { } error) return http.SeeOther(Home, code is null ? "The type is added." : "The type is saved. Appointments that have it keep it.");
        return ErrorsOf(error, TypeFields) is { } errors ? await Type(http, code, form, errors) : await AccountPages.Failed(http, error, Home);
    }

    private static int? Number(IReadOnlyDictionary<string, string> form, string field) =>
        form.GetValueOrDefault(field) is not { Length: > 0 } text ? null : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static async Task<IResult> Room(HttpContext http, Guid? id, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var settings = await http.Run(new ViewScheduleSettings());
        if (settings.Error is { } error) return await http.PageError(error);
        var room = id is null ? null : settings.Value.Rooms.FirstOrDefault(known => known.Id == id);
        if (id is not null && room is null) return await http.PageError(PlatformErrors.NotFound);
        form ??= new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = room?.Name ?? "", ["active"] = room?.Active is not false ? "true" : "", ["version"] = Text(room?.Version ?? 0) };
        return await http.Page<RoomPage>(new { Room = room, Form = form, Errors = errors }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> SaveRoom(HttpContext http, Guid? id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var name = form.GetValueOrDefault("name");
        var saved = id is null ? await http.Run(new AddRoom(name)) : await http.Run(new ChangeRoom(id.Value, name, form.GetValueOrDefault("active") == "true", Version(form)));
        if (saved.Error is not { } error) return http.SeeOther(Home, id is null ? "The room is added." : "The room is saved.");
        return ErrorsOf(error, RoomFields) is { } errors ? await Room(http, id, form, errors) : await AccountPages.Failed(http, error, Home);
    }
}
