using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Server.Commands;

internal sealed record CreateTenantRequest(string Name, string Host, string OwnerEmail, string Data, string? RootKey = null);

/// <summary>The operator's work on clinics.</summary>
internal static class TenantCommand
{
    /// <summary>Makes a clinic with its owner, and prints the one-time link by which the owner sets a password.</summary>
    public static async Task<int> CreateAsync(CreateTenantRequest request, CancellationToken cancel)
    {
        await using var session = await OperatorSession.OpenAsync(request.Data, request.RootKey, cancel);
        var made = await session.Services.GetRequiredService<ClinicCreation>().CreateAsync(
            new NewClinic(request.Name, request.Host, request.OwnerEmail.Split('@')[0], request.OwnerEmail), new CallSource("cli", "tenant create"), cancel);
        if (made.Error is { } error)
            throw new CommandRefusedException(error.Fields.Count > 0 ? string.Join(' ', error.Fields.Values) : $"{error.Title} {error.Next}");
        await session.Services.GetRequiredService<Sequencer>().FlushAsync(made.Value.Tenant.Id, cancel);
        await Console.Out.WriteLineAsync($"Clinic {made.Value.Tenant.Name} is made. Its owner sets a password with this link, which works once and for seven days; put the scheme and port of your server before it:");
        await Console.Out.WriteLineAsync($"{made.Value.Tenant.Host}{made.Value.InvitePath}");
        return 0;
    }
}
