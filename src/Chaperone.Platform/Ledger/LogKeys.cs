using Chaperone.Encryption;
using Chaperone.Ledger;

namespace Chaperone.Platform.Ledger;

/// <summary>What the log needs of the clinics' keys. None of them is kept, disposed or logged here.</summary>
/// <param name="Audit">The audit key of a clinic and the month in which an event expires, named by its first day (<see cref="DateOnly.MaxValue"/>: never).
/// Throws <see cref="SealBrokenException"/> where it was destroyed.</param>
/// <param name="Signer">Who signs a clinic's checkpoints under the origin, which is the signer's name.</param>
/// <param name="IpIndex">The key of the blind index of addresses.</param>
public sealed record LogKeys(
    Func<Guid, DateOnly, CancellationToken, ValueTask<DataKey>> Audit,
    Func<Guid, string, CancellationToken, ValueTask<NoteSigner>> Signer,
    Func<Guid, CancellationToken, ValueTask<BlindIndexKey>> IpIndex)
{
    internal static DateOnly MonthOf(DateOnly expiresOn) => expiresOn == DateOnly.MaxValue ? expiresOn : new(expiresOn.Year, expiresOn.Month, 1);

    internal static SealContext Context(Guid tenant, Guid id) => new(tenant, "ledger.event", id, 0);

    /// <summary>The name of a clinic's log: <c>&lt;installation id&gt;/ledger/&lt;clinic id&gt;</c>. Never from a host name, which can change.</summary>
    public static string Origin(Guid installation, Guid tenant) => $"{installation:D}/ledger/{tenant:D}";
}
