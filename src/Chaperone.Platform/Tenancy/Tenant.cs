namespace Chaperone.Platform.Tenancy;

/// <summary>A clinic of this installation. Not a person or an account.</summary>
/// <param name="Id">Its id, which row-level security and every key are bound to.</param>
/// <param name="Host">Its primary host name, lower case, without a port.</param>
/// <param name="Name">What people call it; shown, never used to find it.</param>
/// <param name="Zone">IANA time zone its times are shown in.</param>
/// <param name="RequireTwoFactor">Whether its owner requires a second factor of everybody.</param>
public sealed record Tenant(Guid Id, string Host, string Name, string Zone, bool RequireTwoFactor)
{
    /// <summary>The picture that stands for it, or null.</summary>
    public Guid? LogoId { get; init; }

    /// <summary>What it pays for; a code of <see cref="ClinicPlan"/>.</summary>
    public string Plan { get; init; } = ClinicPlan.SelfHosted;
}
