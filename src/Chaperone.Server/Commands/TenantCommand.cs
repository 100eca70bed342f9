using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Settings;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Server.Commands;

internal sealed record CreateTenantRequest(string Name, string Host, string OwnerEmail, string Data, string? RootKey = null);

internal sealed record MoveTenantRequest(string Host, string To, string Data, string? RootKey = null);

internal sealed record PlanTenantRequest(string Host, string Plan, string Data, string? RootKey = null);

/// <summary>The operator's work on clinics.</summary>
internal static class TenantCommand
{
    /// <summary>Makes a clinic with its owner, and prints the one-time link by which the owner sets a password.</summary>
    public static async Task<int> CreateAsync(CreateTenantRequest request, CancellationToken cancel)
    {
        await using var session = await OperatorSession.OpenAsync(request.Data, request.RootKey, cancel);
        var made = await session.Services.GetRequiredService<ClinicCreation>().CreateAsync(
            new NewClinic(request.Name, request.Host, request.OwnerEmail.Split('@')[0], request.OwnerEmail), new CallSource("cli", "tenant create"), cancel);
        if (made.Error is { } error) throw Refused(error);
        await session.Services.GetRequiredService<Sequencer>().FlushAsync(made.Value.Tenant.Id, cancel);
        await Console.Out.WriteLineAsync($"Clinic {made.Value.Tenant.Name} is made. Its owner sets a password with this link, which works once and for seven days; put the scheme and port of your server before it:");
        await Console.Out.WriteLineAsync($"{made.Value.Tenant.Host}{made.Value.InvitePath}");
        return 0;
    }

    /// <summary>Gives a clinic another host name. A running server knows it within ten seconds.</summary>
    public static async Task<int> MoveAsync(MoveTenantRequest request, CancellationToken cancel)
    {
        await using var session = await OperatorSession.OpenAsync(request.Data, request.RootKey, cancel);
        var clinic = await session.Services.GetRequiredService<TenantDirectory>().FindAsync(request.Host, cancel) ?? throw new CommandRefusedException($"No clinic has the host name {request.Host}.");
        var moved = await session.Services.GetRequiredService<ReferenceMonitor>().Run(new MoveClinic(request.To), new(clinic, Actor.Operator, new CallSource("cli", "tenant move")), cancel);
        if (moved.Error is { } error) throw Refused(error);
        await session.Services.GetRequiredService<Sequencer>().FlushAsync(clinic.Id, cancel);
        await Console.Out.WriteLineAsync($"Clinic {clinic.Name} is at {moved.Value} now, and {clinic.Host} leads nowhere. A server that runs knows it within ten seconds.");
        return 0;
    }

    /// <summary>Puts a clinic on a plan. A running server knows it within ten seconds.</summary>
    public static async Task<int> PlanAsync(PlanTenantRequest request, CancellationToken cancel)
    {
        await using var session = await OperatorSession.OpenAsync(request.Data, request.RootKey, cancel);
        var clinic = await session.Services.GetRequiredService<TenantDirectory>().FindAsync(request.Host, cancel) ?? throw new CommandRefusedException($"No clinic has the host name {request.Host}.");
        var changed = await session.Services.GetRequiredService<ReferenceMonitor>().Run(new ChangeClinicPlan(request.Plan), new(clinic, Actor.Operator, new CallSource("cli", "tenant plan")), cancel);
        if (changed.Error is { } error) throw Refused(error);
        await session.Services.GetRequiredService<Sequencer>().FlushAsync(clinic.Id, cancel);
        await Console.Out.WriteLineAsync($"Clinic {clinic.Name} is on the plan {changed.Value} now; it was {clinic.Plan}. A server that runs knows it within ten seconds.");
        return 0;
    }

    private static CommandRefusedException Refused(Error error) => new(error.Fields.Count > 0 ? string.Join(' ', error.Fields.Values) : $"{error.Title} {error.Next}");
}
