using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Bench;

/// <summary>
/// A clinic's day over HTTP: the day view of twenty practitioners with four hundred appointments, names unsealed and everybody shown in the log; booking; and a clinic full of signed-in
/// people who each ask for a page every ten seconds. The requests come from a second process; each counts from the moment it was due.
/// </summary>
internal static class DeskBench
{
    private const int Practitioners = 20, EachDay = 20, Patients = 2000, EverySeconds = 10, Connections = 64;
    private const double ViewsASecond = 20;

    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var (people, viewSeconds, peopleSeconds, bookings) = quick ? (50, 10, 30, 25) : (500, 60, 600, 400);
        await using var server = await BenchServer.StartAsync();
        var patients = await server.AddAsync(People.Make(Patients, 5));
        var practitioners = new List<Guid>();
        for (var i = 0; i < Practitioners; i++)
            practitioners.Add(Value(await server.Monitor.Run(new CreateMember($"Doctor Number {i}", $"doctor{i}@bench.test", [BuiltInRole.Doctor]), server.AsSystem, CancellationToken.None)));
        var day = WorkingDay();
        var filling = await Measure.Milliseconds(() => FillAsync(server, practitioners, patients, day));
        Report.Note($"desk: {Practitioners * EachDay} appointments on {day:yyyy-MM-dd}, booked in {filling / 1000:F1} s");
        await server.Database.ExecuteAsync("VACUUM ANALYZE");

        List<string> cookies = [];
        var signing = await Measure.Milliseconds(async () => cookies = await SignInAsync(server, people));
        Report.Note($"desk: {people} people signed in, each with password and code, in {signing / 1000:F0} s");

        await using var load = LoadGenerator.Start();
        var headers = $"Host: {BenchServer.Host}:{server.Port}\r\nUser-Agent: {BenchServer.UserAgent}\r\nAccept: text/html\r\n";
        var schedule = $"/schedule?day={day:yyyy-MM-dd}";
        var views = new LoadOrder(server.Port, headers, [schedule], Connections, viewSeconds * 1000, cookies, ViewsASecond);
        await load.RunAsync(views with { Milliseconds = 5000 });      // until the compiler has seen what is hot
        var (before, cost) = (await ViewsAsync(server), await CpuTime.NowAsync());
        var seen = await load.RunAsync(views);
        cost = await CpuTime.NowAsync() - cost;
        var logged = await ViewsAsync(server) - before;
        if (logged != seen.Requests) throw new InvalidOperationException($"{seen.Requests} days were shown, {logged} stand in the log.");
        Report.Note($"day view: {seen.Requests} at {seen.PerSecond:F1} a second, half within {seen.MedianMilliseconds:F0} ms, 99 of 100 within {seen.P99Milliseconds:F0} ms; processor time a view: {cost.Each(seen.Requests)}");

        // Everybody goes about their work; meanwhile one of them books.
        string[] pages = [schedule, "/", .. patients.Take(5).Select(id => $"/patients/{id}"), "/patients", schedule, "/account/security", schedule];
        var day2 = new LoadOrder(server.Port, headers, pages, Connections, peopleSeconds * 1000, cookies, (double)people / EverySeconds);
        await load.RunAsync(day2 with { Milliseconds = 5000 });
        var memory = new List<double>();
        using var stop = new CancellationTokenSource();
        var watching = WatchMemoryAsync(memory, TimeSpan.FromSeconds(peopleSeconds / 20.0), stop.Token);
        var running = load.RunAsync(day2);
        var booked = await BookAsync(server, cookies[1], practitioners, patients, day, bookings, TimeSpan.FromSeconds(peopleSeconds * 0.8 / bookings));
        var asked = await running;
        await stop.CancelAsync();
        await watching;
        // The first fifth is the start: what the runtime takes while it sees the load for the first time.
        var (early, late) = (memory.Skip(memory.Count / 5).Take(memory.Count / 5), memory.TakeLast(memory.Count / 5));
        Report.Note($"people: {asked.Requests} pages at {asked.PerSecond:F1} a second, half within {asked.MedianMilliseconds:F0} ms, 99 of 100 within {asked.P99Milliseconds:F0} ms");
        Report.Note("memory, MB: " + string.Join(" ", memory.Select(megabytes => megabytes.ToString("F0", CultureInfo.InvariantCulture))));
        return
        [
            Row.Below($"day of {Practitioners * EachDay} appointments, p95 ms", seen.P95Milliseconds, 150),
            Row.Below("booking meanwhile, median ms", Measure.Median(booked), 50),
            Row.Below($"{people} people, a page each {EverySeconds} s, p95 ms", asked.P95Milliseconds, 300),
            Row.Below($"memory after {peopleSeconds / 60.0:0.#} minutes, share of early", Measure.Median(late) / Measure.Median(early), 1.1),
        ];
    }

    /// <summary>The next working day but one: wholly ahead, so that everything can still be booked.</summary>
    private static DateOnly WorkingDay()
    {
        var day = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(2);
        while (day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday) day = day.AddDays(1);
        return day;
    }

    private static async Task FillAsync(BenchServer server, List<Guid> practitioners, List<Guid> patients, DateOnly day)
    {
        var (caller, next) = (server.As(BuiltInRole.Reception), 0);
        foreach (var practitioner in practitioners)
            for (var slot = 0; slot < EachDay; slot++)
                Value(await server.Monitor.Run(new BookAppointment(patients[next++ % patients.Count], Wanted(practitioner, day, slot)), caller, CancellationToken.None));
    }

    // From eight in the morning, every quarter of an hour.
    private static Wanted Wanted(Guid practitioner, DateOnly day, int slot) =>
        new(practitioner, "consultation", day.ToDateTime(new TimeOnly(8, 0)).AddMinutes(15 * slot).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture), Reason: "Review of blood pressure");

    /// <summary>Receptionists and doctors, each with an account of their own, who sign in as anybody does.</summary>
    private static async Task<List<string>> SignInAsync(BenchServer server, int people)
    {
        const string Password = "nine calm otters swim";
        var hash = Value(await server.Services.GetRequiredService<Passwords>().HashAsync(Password, CancellationToken.None));
        var cookies = new List<string>();
        for (var i = 0; i < people; i++)
        {
            var (email, secret) = ($"person{i}@bench.test", Totp.NewSecret());
            var role = i % 4 == 0 ? BuiltInRole.Doctor : BuiltInRole.Reception;
            Value(await server.Monitor.Run(new CreateMember($"Person Number {i}", email, [role], PasswordHash: hash, AuthenticatorSecret: secret), server.AsSystem, CancellationToken.None));
            cookies.Add(await BenchServer.SignInAsync(server.Port, BenchServer.Host, email, Password, Totp.Code(secret, Totp.StepAt(TimeProvider.System.GetUtcNow()))));
        }
        return cookies;
    }

    /// <summary>Books in the afternoon, one after the other, as the API is asked to; milliseconds each.</summary>
    private static async Task<List<double>> BookAsync(BenchServer server, string cookie, List<Guid> practitioners, List<Guid> patients, DateOnly day, int count, TimeSpan pause)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false });
        var taken = new List<double>();
        for (var i = -5; i < count; i++)      // the first few only warm up
        {
            var slot = i + 5;
            var wanted = Wanted(practitioners[slot % Practitioners], day.AddDays(slot / (Practitioners * EachDay)), EachDay + (slot / Practitioners % EachDay));
            using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{server.Port}/api/appointments")
            {
                Content = JsonContent.Create(new { patientId = patients[(slot * 7) % patients.Count], practitionerId = wanted.PractitionerId, type = wanted.Type, startsAt = wanted.StartsAt, reason = wanted.Reason }),
            };
            request.Headers.Host = $"{BenchServer.Host}:{server.Port}";
            request.Headers.UserAgent.ParseAdd(BenchServer.UserAgent);
            request.Headers.Add("Cookie", cookie);
            var from = Stopwatch.GetTimestamp();
            using var answer = await http.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode != HttpStatusCode.Created) throw new InvalidOperationException($"Booking answered {(int)answer.StatusCode}: {text}");
            if (i >= 0) taken.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
            await Task.Delay(pause);
        }
        return taken;
    }

    /// <summary>Resident memory of this process, which the server runs in, in MB.</summary>
    private static async Task WatchMemoryAsync(List<double> memory, TimeSpan every, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            memory.Add(Environment.WorkingSet / 1024.0 / 1024.0);
            await Task.Delay(every, stop).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private static async Task<long> ViewsAsync(BenchServer server) => (long)(await server.Database.ExecuteAsync("SELECT count(*) FROM ledger.event WHERE action = 'schedule.viewed'"))!;

    private static T Value<T>(Result<T> result) => result.Error is { } error ? throw new InvalidOperationException($"{error.Code} {error.Title} {string.Join(' ', error.Fields.Values)}") : result.Value;
}
