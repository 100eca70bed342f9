using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Compliance;

/// <summary>What can go wrong in looking at the controls.</summary>
public static class ComplianceErrors
{
    /// <summary>A framework that is not mapped.</summary>
    public static readonly Error NoSuchFramework = new("CHP-COMPLIANCE-0001", "There is no such set of rules here.", 404, "Use gdpr, hipaa, soc2 or pci-dss, or none for all of them.");
}
