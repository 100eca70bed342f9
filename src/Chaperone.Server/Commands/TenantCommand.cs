namespace Chaperone.Server.Commands;

internal sealed record CreateTenantRequest(string Name, string Host, string OwnerEmail, string Data);

/// <summary>The operator's work on clinics.</summary>
internal static class TenantCommand
{
    public static Task<int> CreateAsync(CreateTenantRequest request, CancellationToken cancel) =>
        throw new CommandRefusedException("This version cannot make a clinic from the command line yet.");
}
