using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Schedule › Hours and leave: when a practitioner works and is away. One's own for practitioners, everybody's for who books; changing others' is for who plans the rota.</summary>
internal static class HoursPages
{
    public const string Home = "/schedule/hours";
    private static readonly string[] LeaveFields = ["from", "fromTime", "to", "toTime", "kind", "note", "confirm"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup(Home).ExcludeFromDescription();
        pages.Get("", First).Runs(typeof(ListPractitioners));
        pages.MapGet("{id:guid}", (HttpContext http, Guid id, string? add) => Show(http, id, addWeek: add is not null)).Runs(typeof(ViewRota), typeof(ViewOwnRota), typeof(ListPractitioners));
        pages.MapPost("{id:guid}", ChangeHours).Runs(typeof(ChangeHours), typeof(ChangeOwnHours), typeof(ViewRota), typeof(ViewOwnRota), typeof(ListPractitioners));
        pages.MapPost("{id:guid}/leave", EnterLeave).Runs(typeof(EnterLeave), typeof(EnterOwnLeave), typeof(ViewRota), typeof(ViewOwnRota), typeof(ListPractitioners));
        pages.MapPost("{id:guid}/leave/{leave:guid}/remove", async (HttpContext http, Guid id, Guid leave) =>
            (http.IsMe(id) ? await http.Run(new RemoveOwnLeave(leave)) : await http.Run(new RemoveLeave(id, leave))).Error is { } error
                ? await AccountPages.Failed(http, error, PathOf(id)) : http.SeeOther(PathOf(id), "The leave is taken back.")).Runs(typeof(RemoveLeave), typeof(RemoveOwnLeave));
    }

    public static string PathOf(Guid id) => $"{Home}/{id}";

    // One's own where one has any; else the first of the list.
    private static async Task<IResult> First(HttpContext http)
    {
        if (Guid.TryParse(http.Request.Query["practitioner"], out var chosen)) return http.SeeOther(PathOf(chosen));
        var practitioners = await http.Run(new ListPractitioners());
        if (practitioners.Error is { } error) return await http.PageError(error);
        var known = practitioners.Value;
        return known.Count == 0 ? await http.Page<NoPractitionersPage>() : http.SeeOther(PathOf(known.FirstOrDefault(one => http.IsMe(one.Id))?.Id ?? known[0].Id));
    }

    private static async Task<IResult> Show(HttpContext http, Guid id, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null, IReadOnlyDictionary<string, string>? leave = null, IReadOnlyDictionary<string, object>? over = null, bool addWeek = false)
    {
        var rota = http.IsMe(id) ? await http.Run(new ViewOwnRota()) : await http.Run(new ViewRota(id));
        if (rota.Error is { } error) return await http.PageError(error);
        IReadOnlyList<Practitioner> practitioners = [];
        if (http.May(Permission.ScheduleEdit))
        {
            var listed = await http.Run(new ListPractitioners());
            if (listed.Error is { } unlisted) return await http.PageError(unlisted);
            practitioners = listed.Value;
        }
        return await http.Page<HoursPage>(new
        {
            Rota = rota.Value, Practitioners = practitioners, Own = http.IsMe(id), MayChange = http.IsMe(id) || http.May(Permission.RotaEdit), http.Context().Tenant!.Zone,
            Form = form ?? FormOf(rota.Value, addWeek), LeaveForm = leave ?? new Dictionary<string, string>(), Over = over, Errors = errors,
        }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static Dictionary<string, string> FormOf(PractitionerRota rota, bool addWeek)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal) { ["version"] = rota.Version.ToString(CultureInfo.InvariantCulture) };
        var weeks = rota.Hours.Patterns.ToList();
        if (addWeek || weeks.Count == 0) weeks.Add((weeks.LastOrDefault() ?? rota.ClinicWeek) with { From = null });
        form["weeks"] = weeks.Count.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < weeks.Count; i++)
        {
            form[$"patterns.{i}.from"] = weeks[i].From?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "";
            foreach (var (code, spans) in WeekPattern.DayCodes.Zip(weeks[i].Days)) form[$"patterns.{i}.{code}"] = Text(spans);
        }
        return form;
    }

    /// <summary>A day's times as people write them.</summary>
    public static string Text(IReadOnlyList<ClockSpan> spans) => string.Join(", ", spans.Select(span => $"{span.FromText}–{span.ToText}"));

    // "9-12, 13:00 – 17:30": hours without minutes and any dash will do.
    private static IReadOnlyList<TypedSpan> Spans(string? text) => [.. (text ?? "").Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Select(span => span.Split(['-', '–', '—'], StringSplitOptions.TrimEntries) is [var from, var to] ? new TypedSpan(Clock(from), Clock(to)) : new TypedSpan(null, null))];

    private static string Clock(string text) => text.Length <= 2 ? text.PadLeft(2, '0') + ":00" : text.Replace('.', ':').PadLeft(5, '0');

    private static async Task<IResult> ChangeHours(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var weeks = int.TryParse(form.GetValueOrDefault("weeks"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? Math.Min(count, 21) : 0;
        // A week that is not to hold is left out by its box; the clinic's week counts where none is left.
        var typed = Enumerable.Range(0, weeks).Where(i => form.GetValueOrDefault($"patterns.{i}.drop") != "true").Select(i => new TypedWeek(
            form.GetValueOrDefault($"patterns.{i}.from") is { Length: > 0 } from ? from : null,
            WeekPattern.DayCodes.ToDictionary(code => code, code => Spans(form.GetValueOrDefault($"patterns.{i}.{code}")), StringComparer.Ordinal))).ToList();
        var version = ScheduleSettingsPages.Version(form);
        var changed = http.IsMe(id) ? await http.Run(new ChangeOwnHours(typed, version)) : await http.Run(new ChangeHours(id, typed, version));
        if (changed.Error is not { } error) return http.SeeOther(PathOf(id), typed.Count == 0 ? "The clinic’s working week counts again." : "The working hours are saved.");
        var fields = Enumerable.Range(0, weeks).SelectMany(i => (string[])[$"patterns.{i}.from", .. WeekPattern.DayCodes.Select(code => $"patterns.{i}.{code}")]);
        return ScheduleSettingsPages.ErrorsOf(error, fields) is { IsEmpty: false } errors ? await Show(http, id, form, errors) : await AccountPages.Failed(http, error, PathOf(id));
    }

    private static async Task<IResult> EnterLeave(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var typed = new TypedLeave(Time("from", "fromTime"), Time("to", "toTime"), form.GetValueOrDefault("kind"), form.GetValueOrDefault("note"), form.GetValueOrDefault("confirm") == "true");
        var entered = http.IsMe(id) ? await http.Run(new EnterOwnLeave(typed)) : await http.Run(new EnterLeave(id, typed));
        if (entered.Error is not { } error) return http.SeeOther(PathOf(id), "The leave is entered.");
        if (error.Code == ScheduleErrors.LeaveOverAppointments.Code)
        {
            var count = (int)error.Facts["appointmentCount"];
            var sentence = $"{(count == 1 ? "One appointment is" : $"{count} appointments are")} in that time. Look below, then confirm or change the time.";
            return await Show(http, id, leave: form, errors: new() { { "confirm", sentence } }, over: error.Facts);
        }
        return ScheduleSettingsPages.ErrorsOf(error, LeaveFields) is { IsEmpty: false } errors ? await Show(http, id, leave: form, errors: errors) : await AccountPages.Failed(http, error, PathOf(id));

        string? Time(string day, string clock) => form.GetValueOrDefault(clock) is { Length: > 0 } time ? $"{form.GetValueOrDefault(day)}T{time}" : form.GetValueOrDefault(day);
    }
}
