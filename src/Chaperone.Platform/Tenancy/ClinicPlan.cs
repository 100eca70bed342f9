namespace Chaperone.Platform.Tenancy;

/// <summary>What a clinic pays for, by code. The log is written whole on every plan; plans differ in what of it is shown.</summary>
public static class ClinicPlan
{
    /// <summary>Who runs their own server: everything.</summary>
    public const string SelfHosted = "self_hosted";

    /// <summary>The last thirty days of the log, and no downloads of it.</summary>
    public const string Starter = "starter";

    /// <summary>Everything.</summary>
    public const string Pro = "pro";

    /// <summary>Everything.</summary>
    public const string Team = "team";

    /// <summary>Every plan there is.</summary>
    public static IReadOnlyList<string> All { get; } = [SelfHosted, Starter, Pro, Team];
}
