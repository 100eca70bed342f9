using System.Text.Json;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;

namespace Chaperone.Clinic.SignIn;

/// <summary>What somebody gives to sign in: address and password, or the ticket of a password that was right a moment ago; and a code of either kind.</summary>
internal sealed record SignInInput(string? Email, string? Password, string? Code = null, string? BackupCode = null, bool RememberDevice = false, string? Ticket = null);

/// <summary>A right password whose code is still to come. Sealed by Data Protection, for the clinic, for five minutes; worth nothing without the code.</summary>
internal sealed record PendingSignIn(Guid Member, Guid Stamp, DateTimeOffset Until);

/// <summary>
/// Takes an attempt through its steps, none of which holds a database connection while a password is hashed: network limit, count (own commit), compare, decide.
/// Sets the cookies.
/// </summary>
internal sealed class SignInDesk(ReferenceMonitor monitor, Passwords passwords, NetworkLimit limit, IDataProtectionProvider protection, TimeProvider clock)
{
    private static readonly TimeSpan PendingFor = TimeSpan.FromMinutes(5);

    /// <summary>Tries. On <see cref="SignInStatus.CodeRequired"/> the ticket stands for the password in the next step of the pages.</summary>
    public async Task<Result<(SignInStatus Status, string? Ticket)>> TryAsync(HttpContext http, SignInInput input)
    {
        var (caller, cancel) = (http.Caller(), http.RequestAborted);
        var pending = input.Ticket is { } ticket ? Unseal(caller.Tenant.Id, ticket) : null;
        if (input.Ticket is not null && pending is null) return SignInErrors.Refused;
        if (limit.Enter(caller.Tenant.Id, caller.Source.Ip) is { } refused) return await refused.TellAsync(http, monitor, caller);

        var (code, backupCode) = (Blank(input.Code), Blank(input.BackupCode));
        var device = code is null && backupCode is null ? SecretToken.HashOf(http.Request.Cookies[SignInCookies.Device]) : null;
        var begun = await monitor.Run(new BeginSignIn(pending is null ? input.Email ?? "" : null, pending, device), caller, cancel);
        if (begun.Error is { } unbegun) return unbegun;
        var candidate = begun.Value;
        var verdict = PasswordVerdict.Wrong;
        if (pending is not null) verdict = new(candidate.Hash is not null && candidate.Stamp == pending.Stamp);
        else
        {
            var given = input.Password is { Length: > 0 and <= Passwords.LongestLength } typed ? typed : "";
            var compared = await passwords.CheckAsync(given.Length == 0 ? null : candidate.Hash, given, cancel);
            if (compared.Error is { } busy) return busy;
            verdict = compared.Value;
        }

        var agent = http.Request.Headers.UserAgent.ToString();
        var result = await monitor.Run(new FinishSignIn(new(candidate, verdict.IsRight, verdict.Rehashed), code, backupCode, agent), caller, CancellationToken.None);
        if (result.Error is { } error) return error.Code == PlatformErrors.Changed.Code ? SignInErrors.Refused : error;
        var signedIn = result.Value;
        if (signedIn.Status == SignInStatus.Refused) return SignInErrors.Refused;
        limit.GiveBack(caller.Tenant.Id, caller.Source.Ip);
        if (signedIn.Status == SignInStatus.CodeRequired) return (SignInStatus.CodeRequired, Seal(caller.Tenant.Id, new(signedIn.Member!.Value, candidate.Stamp, clock.GetUtcNow() + PendingFor)));

        SignInCookies.SetSession(http, signedIn.Session!.Text);
        http.Context().Actor = signedIn.Actor!;
        var after = caller with { Actor = signedIn.Actor! };
        if (signedIn.BackupCodesLeft is { } left) await monitor.Run(new NoteBackupCodeUsed(left), after, CancellationToken.None);
        if (input.RememberDevice && (await monitor.Run(new TrustDevice(agent), after, CancellationToken.None)) is { Error: null } trusted)
            SignInCookies.SetDevice(http, trusted.Value.Token.Text, trusted.Value.ExpiresAt);
        return (signedIn.Status, null);
    }

    private string Seal(Guid tenant, PendingSignIn pending) => Protector(tenant).Protect(JsonSerializer.Serialize(pending));

    private PendingSignIn? Unseal(Guid tenant, string ticket)
    {
        try
        {
            return JsonSerializer.Deserialize<PendingSignIn>(Protector(tenant).Unprotect(ticket)) is { } pending && pending.Until > clock.GetUtcNow() ? pending : null;
        }
        catch (Exception unreadable) when (unreadable is System.Security.Cryptography.CryptographicException or JsonException or FormatException)
        {
            return null;   // another clinic's, altered, or of a key that ended
        }
    }

    private IDataProtector Protector(Guid tenant) => protection.CreateProtector("Chaperone.SignIn.Pending", tenant.ToString("N"));

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}

/// <summary>A network was turned away.</summary>
/// <param name="Wait">How long.</param>
/// <param name="IsFirst">Whether it is the first refusal of this while, which leaves an event.</param>
internal sealed record NetworkRefusal(TimeSpan Wait, bool IsFirst)
{
    /// <summary>Says how long to wait, in the answer's header; leaves the event of the first.</summary>
    public async Task<Error> TellAsync(HttpContext http, ReferenceMonitor monitor, Caller caller)
    {
        http.Response.Headers.RetryAfter = ((int)Math.Ceiling(Wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (IsFirst) await monitor.Run(new NoteNetworkLimited(), caller, CancellationToken.None);
        return SignInErrors.NetworkLimited;
    }
}

/// <summary>
/// Failures from one network over all accounts of a clinic: forty within ten minutes, then it waits. Counted before, given back when it was right. In memory, per node, and for a
/// bounded number of networks, of which the oldest go first.
/// </summary>
internal sealed class NetworkLimit(TimeProvider clock)
{
    public const int Most = 40;
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(10);

    private const int MostNetworks = 20_000;
    private readonly Dictionary<(Guid, string), Window> windows = [];
    private readonly Queue<(Guid, string)> order = new();
    private readonly Lock gate = new();

    /// <summary>Counts an attempt; not null when it must not be evaluated.</summary>
    public NetworkRefusal? Enter(Guid tenant, string? ip)
    {
        lock (gate)
        {
            var (key, now) = ((tenant, ip ?? ""), clock.GetTimestamp());
            if (!windows.TryGetValue(key, out var window))
            {
                while (windows.Count >= MostNetworks && order.TryDequeue(out var oldest)) windows.Remove(oldest);
                windows[key] = window = new() { Start = now };
                order.Enqueue(key);
            }
            var age = clock.GetElapsedTime(window.Start, now);
            if (age >= Within) (window.Start, window.Count, window.Told, age) = (now, 0, false, TimeSpan.Zero);
            if (window.Count < Most)
            {
                window.Count++;
                return null;
            }
            var first = !window.Told;
            window.Told = true;
            return new(Within - age, first);
        }
    }

    /// <summary>The attempt was no failure.</summary>
    public void GiveBack(Guid tenant, string? ip)
    {
        lock (gate)
            if (windows.TryGetValue((tenant, ip ?? ""), out var window) && window.Count > 0) window.Count--;
    }

    private sealed class Window
    {
        public long Start { get; set; }

        public int Count { get; set; }

        public bool Told { get; set; }
    }
}

/// <summary>Leaves the event that a network was turned away; once per network and while.</summary>
internal sealed record NoteNetworkLimited : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("security.rate_limited").ForAnybody("strangers' floods are told too");
}

internal sealed class NoteNetworkLimitedHandler : IHandler<NoteNetworkLimited, Done>
{
    public Task<Result<Done>> Handle(NoteNetworkLimited request, OperationScope scope, CancellationToken cancel) => Task.FromResult<Result<Done>>(default(Done));
}

/// <summary>Leaves the event that a backup code took the authenticator's place.</summary>
internal sealed record NoteBackupCodeUsed(int Left) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("auth.backup_code_used").ForSelf("one's own backup code", beforeEnrolment: true);
}

internal sealed class NoteBackupCodeUsedHandler : IHandler<NoteBackupCodeUsed, Done>
{
    public Task<Result<Done>> Handle(NoteBackupCodeUsed request, OperationScope scope, CancellationToken cancel)
    {
        scope.Note("left", request.Left);
        return Task.FromResult<Result<Done>>(default(Done));
    }
}
